import { setMaxListeners } from "node:events";
import {
  formatMicroTime,
  formatTime,
  sleep,
  type Clock,
  type Instant,
  type Timer,
} from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import { apiVersionOf, type Kind } from "../api/machinery/kind.ts";
import type { KubeObject } from "../api/machinery/object.ts";
import { isStatusError } from "../api/machinery/status-error.ts";
import { Event } from "../api/core/event.ts";
import type { Client } from "./client.ts";
import { EventCorrelator, PART, type Correlated } from "./event-correlator.ts";

/**
 * Events waiting to be written; more are dropped. Ten times client-go's maxQueuedEvents, because a burst of Pods is placed ten
 * times as fast; doubling doubles the memory of a burst (about 500 bytes each).
 */
const QUEUED_MAX = 10_000;
/** Events written side by side: one commit of a store in this process. Doubling doubles the turn of the loop that it takes. */
const BATCH_MAX = 64;
/** Pause after a batch, in which the next gathers and others get their turn. Without it, each commit carries one event. */
const PAUSE_MS = 15;
/** How often, and how far apart, an event is tried while the server is away. @spec client-go record maxTriesPerEvent, defaultSleepDuration */
const TRIES_MAX = 12;
const RETRY_MS = 10_000;

/** Where a runner's events go. */
export interface EventSink {
  record(source: string, event: RecordedEvent): void;
}

export interface RecordedEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly regarding: KubeObject;
  /** The kind of `regarding`, where the object itself does not say it. */
  readonly kind?: Kind | undefined;
  /** `spec.containers{name}`: a part of the object. */
  readonly fieldPath?: string;
  /** What was tried, in events of the newer form (events.k8s.io): the scheduler's. */
  readonly action?: string;
}

/** How one recorder differs from another. */
export interface RecorderOptions {
  /** The machine's name: a node's for its own events. */
  readonly host?: string;
  /**
   * Events of things that go as they should. They wait, so that their writes do not delay the starts they tell of, until none has
   * come for {@link ROUTINE_MS}, or another event comes; {@link ROUTINE_MS_MAX} at most.
   */
  readonly isRoutine?: (reason: string) => boolean;
}

/** In ms. Doubled, `describe` lags as much. */
const ROUTINE_MS = 300;
/** In ms. Doubled, `describe` lags as much while many things start. */
const ROUTINE_MS_MAX = 3000;

interface Queued {
  readonly source: string;
  readonly event: RecordedEvent;
  readonly reference: Reference;
  /** Who says it of which object. */
  readonly subject: string;
  readonly at: Instant;
}

interface Reference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly fieldPath?: string;
}

/**
 * Writes core/v1 Events in the background, those of one object one after the other; never fails and never holds up its caller.
 *
 * Repetitions raise `count`; floods are combined or dropped, see {@link EventCorrelator}.
 * @bounds QUEUED_MAX events wait; further ones are dropped.
 * @spec k8s@1.36 client-go tools/record event.go recordToSink
 */
export class EventRecorder implements EventSink {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #random: Random;
  readonly #options: RecorderOptions;
  readonly #correlator = new EventCorrelator();
  readonly #queue: Queued[] = [];
  readonly #stop = new AbortController();
  #work: Promise<void> | undefined;
  #leisure: Timer | undefined;
  /** When the last routine event came, on the steady clock. */
  #routineMs = 0;
  #lastStamp = 0n;

  constructor(
    client: Client,
    clock: Clock,
    random: Random,
    logger: Logger,
    options: RecorderOptions = {},
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#random = random;
    this.#logger = logger;
    this.#options = options;
    // One for each event that could not be written: many are no leak.
    setMaxListeners(0, this.#stop.signal);
  }

  record(source: string, event: RecordedEvent): void {
    if (this.#stop.signal.aborted || this.#queue.length >= QUEUED_MAX) return;
    const reference = referenceTo(event);
    const subject = subjectOf(source, this.#options.host ?? "", reference);
    this.#queue.push({ source, event, reference, subject, at: this.#clock.now() });
    if (!this.#options.isRoutine?.(event.reason)) return this.#wake();
    this.#routineMs = this.#clock.monotonic();
    this.#leisure ??= this.#rest(this.#routineMs + ROUTINE_MS_MAX);
  }

  /** Waits for a pause between events, until `untilMs` of the steady clock. */
  #rest(untilMs: number): Timer {
    const nowMs = this.#clock.monotonic();
    return this.#clock.after(Math.min(this.#routineMs + ROUTINE_MS, untilMs) - nowMs, () => {
      const isDue = this.#clock.monotonic() >= Math.min(this.#routineMs + ROUTINE_MS, untilMs);
      if (isDue) this.#wake();
      else this.#leisure = this.#rest(untilMs);
    });
  }

  /** Resolves when everything recorded was written or given up. */
  async idle(): Promise<void> {
    if (this.#leisure) this.#wake();
    while (this.#work) await this.#work;
  }

  /** Drops what waits. */
  async close(): Promise<void> {
    this.#queue.length = 0;
    this.#leisure?.cancel();
    this.#stop.abort();
    await this.idle();
  }

  /** An event that comes after the last look at the queue, and before `#work` is cleared, must not wait for the next one. */
  #wake(): void {
    this.#leisure?.cancel();
    this.#leisure = undefined;
    this.#work ??= this.#drain().finally(() => {
      this.#work = undefined;
      if (this.#queue.length > 0) this.#wake();
    });
  }

  async #drain(): Promise<void> {
    for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) {
      await Promise.all(batch.map((queued) => this.#send(queued)));
      if (batch.length > 1) await this.#sleep(PAUSE_MS);
    }
  }

  /** One event of each object at most: what was written of it decides what the next one is. */
  #nextBatch(): readonly Queued[] {
    const subjects = new Set<string>();
    for (const { subject } of this.#queue) {
      if (subjects.size === BATCH_MAX || subjects.has(subject)) break;
      subjects.add(subject);
    }
    return this.#queue.splice(0, subjects.size);
  }

  async #send(queued: Queued): Promise<void> {
    const { subject, event, at } = queued;
    const { type, reason, message } = event;
    const verdict = this.#correlator.correlate({ subject, type, reason, message }, at);
    if (verdict.kind !== "drop") await this.#writeWithRetries(queued, verdict);
  }

  #sleep(ms: number): Promise<void> {
    return sleep(this.#clock, ms, this.#stop.signal).catch(() => {});
  }

  async #writeWithRetries(queued: Queued, verdict: Exclude<Correlated, { kind: "drop" }>) {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#write(queued, verdict);
      } catch (error) {
        // A refusal is final; only a server that was not reached is tried again.
        const isFinal = isStatusError(error) || tries === TRIES_MAX;
        if (isFinal || this.#stop.signal.aborted) {
          const { reason, message } = queued.event;
          const fields = { reason, event: message, error: String(error) };
          return this.#logger.info("an event was not written", fields);
        }
        await this.#sleep(RETRY_MS);
      }
    }
  }

  async #write(queued: Queued, verdict: Exclude<Correlated, { kind: "drop" }>): Promise<void> {
    const { key, message } = verdict;
    const namespace = queued.reference.namespace ?? "default";
    if (verdict.kind === "count") {
      const { count } = verdict;
      const body = queued.event.action
        ? { series: { count, lastObservedTime: formatMicroTime(queued.at) } }
        : { count, lastTimestamp: formatTime(queued.at), message };
      try {
        const target = { namespace, name: verdict.name };
        await this.#client.patch(Event, target, { type: "strategic", body });
        return;
      } catch (error) {
        if (!isStatusError(error, "NotFound")) throw error;
        this.#correlator.gone(key);
      }
    }
    const created = await this.#client.create(Event, this.#newEvent(queued, namespace, message));
    this.#correlator.created(key, created.metadata?.name ?? "");
  }

  #newEvent({ source, event, reference, at }: Queued, namespace: string, message: string): Event {
    const common = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${reference.name}.${this.#stamp(at)}`, namespace },
      involvedObject: reference,
      reason: event.reason,
      message,
      type: event.type,
      reportingComponent: source,
    };
    return event.action ? this.#inNewForm(common, event.action, at) : this.#inOldForm(common, at);
  }

  #inOldForm(common: Event, at: Instant): Event {
    const { reportingComponent: component = "" } = common;
    const { host = "" } = this.#options;
    const timestamp = formatTime(at);
    return {
      source: { component, ...(host && { host }) },
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
      count: 1,
      reportingInstance: host,
      ...common,
    };
  }

  /** @spec k8s@1.36 client-go tools/events event_recorder.go makeEvent */
  #inNewForm(common: Event, action: string, at: Instant): Event {
    const instance = [common.reportingComponent, this.#options.host].filter(Boolean).join("-");
    return { action, eventTime: formatMicroTime(at), reportingInstance: instance, ...common };
  }

  /**
   * The end of an event's name: nanoseconds in hexadecimal, rising, so that a list by name is in the order of what happened
   * where times of whole seconds do not tell. Nanoseconds are random below the millisecond: two recorders share no name.
   */
  #stamp(at: Instant): string {
    const stamp = BigInt(Math.floor(at)) * 1_000_000n + BigInt(this.#random.integer(500_000));
    this.#lastStamp = stamp > this.#lastStamp ? stamp : this.#lastStamp + 1n;
    return this.#lastStamp.toString(16);
  }
}

function subjectOf(source: string, host: string, reference: Reference): string {
  const { kind, namespace, name, uid, apiVersion, fieldPath } = reference;
  const parts = [source, host, kind, namespace, name, uid, apiVersion, fieldPath];
  return parts.join(PART);
}

function referenceTo({ regarding, kind, fieldPath }: RecordedEvent): Reference {
  const { namespace, name = "", uid, resourceVersion } = regarding.metadata ?? {};
  return {
    kind: regarding.kind ?? kind?.kind ?? "",
    ...(namespace && { namespace }),
    name,
    ...(uid && { uid }),
    apiVersion: regarding.apiVersion ?? (kind ? apiVersionOf(kind) : ""),
    ...(resourceVersion && { resourceVersion }),
    ...(fieldPath && { fieldPath }),
  };
}
