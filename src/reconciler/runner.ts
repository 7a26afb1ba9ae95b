import type { Clock, Instant } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Kind } from "../api/machinery/kind.ts";
import { formatKey, parseKey, type KubeObject } from "../api/machinery/object.ts";
import type { Cache, CacheChange } from "../client/cache.ts";
import type { Client } from "../client/client.ts";
import { applyPlan, describeWrite, type Applied, type Primary } from "./apply.ts";
import { Terminal, type Controller, type Plan, type Trigger } from "./controller.ts";
import type { MetricRegistry } from "../base/metrics.ts";
import type { EventSink } from "../client/event-recorder.ts";
import type { LoopMeter, MakeMeter } from "./loop-meter.ts";
import { RevisionBarrier } from "./revision-barrier.ts";
import { fixedKinds, type ServedKinds } from "./served-kinds.ts";
import { WorkQueue, type Outcome } from "./work-queue.ts";
import type { WorkQueueMetrics } from "./work-queue-metrics.ts";

/**
 * Keys of one controller in work at once. Workers only ever wait for the server; doubling doubles the writes that one
 * controller can have in flight.
 */
const WORKERS_MAX = 32;

/** What every controller runs on. */
export interface Surroundings {
  readonly client: Client;
  readonly cache: Cache;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventSink;
  /** What the queues tell of themselves; absent: nobody asks. */
  readonly metrics?: WorkQueueMetrics;
  /** Where controllers tell of what they did; absent: nobody asks. */
  readonly registry?: MetricRegistry;
}

/** A running controller. */
export interface RunningLoop {
  readonly name: string;
  /** Resolves when the caches have synced and work has begun. */
  readonly ready: Promise<void>;
  /** Keys that wait. */
  readonly depth: number;
  enqueue(key: string): void;
  /** Resolves when nothing is to be done now. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** What the runner drives: a controller, or something whose keys are no objects (garbage collector). */
export interface Loop {
  readonly name: string;
  /** Who its events are from; default: its name. */
  readonly eventSource?: string;
  readonly kinds: ServedKinds;
  readonly meter?: MakeMeter;
  keysOf(change: CacheChange): readonly string[];
  decide(key: string, now: Instant): Decision | undefined;
  /** Given once, before the first change. */
  begin?(enqueue: (key: string) => void): void;
}

/** A plan and the object whose status it is about. */
export interface Decision {
  readonly plan: Plan;
  readonly primary?: Primary;
  /** What caches must have reached for the plan to hold; till then the key waits, and then it is decided anew. */
  readonly needs?: ReadonlyMap<Kind, number>;
}

/** Starts one controller. */
export function runController<P extends KubeObject, O>(
  controller: Controller<P, O>,
  surroundings: Surroundings,
): RunningLoop {
  return runLoop(loopOf(controller, surroundings.cache), surroundings);
}

/** A controller as the runner sees it: keys are those of its primary kind. */
export function loopOf<P extends KubeObject, O>(controller: Controller<P, O>, cache: Cache): Loop {
  const { name, eventSource, primary, triggers, meter } = controller;
  const byKind = new Map<Kind, Trigger[]>([[primary, []]]);
  for (const trigger of triggers)
    byKind.set(trigger.kind, [...(byKind.get(trigger.kind) ?? []), trigger]);
  return {
    name,
    ...(eventSource === undefined ? {} : { eventSource }),
    ...(meter && { meter }),
    kinds: fixedKinds([...byKind.keys()]),
    // Asked of every change by every controller that follows its kind, and nearly always without result.
    keysOf(change) {
      let keys: string[] | undefined;
      if (change.kind === primary) keys = [formatKey(change.key)];
      for (const trigger of byKind.get(change.kind) ?? NONE)
        for (const key of trigger.keys(change, cache)) (keys ??= []).push(formatKey(key));
      return keys ?? NONE;
    },
    decide(text, now) {
      const key = parseKey(text);
      const observed = controller.observe(cache, key);
      if (observed === undefined) return undefined;
      const plan = controller.plan(observed, now);
      const object = cache.get(primary, key);
      const observesGeneration = controller.observesGeneration ?? false;
      return object ? { plan, primary: { kind: primary, object, observesGeneration } } : { plan };
    },
  };
}

const NONE: readonly never[] = [];

/**
 * Drives one loop: follows its kinds, queues keys, decides, applies.
 *
 * Flow: change → keys → queue → decide (cache only) → apply → hold the key until the caches have passed its writes.
 * Guarantees: one worker per key; a decision never sees a state from before this loop's own last write for that key.
 * Errors: an exception in `decide` is logged with its key and backs off; it never ends the loop or the process.
 */
export function runLoop(loop: Loop, surroundings: Surroundings): RunningLoop {
  const { clock, cache, registry } = surroundings;
  const meter = registry && loop.meter?.(registry, cache);
  const barrier = new RevisionBarrier(cache);
  const queue: WorkQueue = new WorkQueue(
    clock,
    WORKERS_MAX,
    (key) => reconcile(loop, surroundings, barrier, meter, key),
    surroundings.metrics?.meter(loop.name, () => queue.state),
  );
  const followed = new Set<Kind>();
  let isClosed = false;
  const follow = (): Promise<unknown> => {
    const fresh = loop.kinds.current().filter((kind) => !followed.has(kind));
    for (const kind of fresh) {
      followed.add(kind);
      barrier.follow(kind);
      cache.onChange(kind, (change) => {
        if (isClosed) return;
        meter?.changed?.(change, clock.now());
        for (const key of keysOf(loop, surroundings, change)) queue.add(key);
      });
    }
    return Promise.all(fresh.map((kind) => cache.sync(kind)));
  };
  loop.begin?.((key) => queue.add(key));
  const ready = follow().then(() => queue.start());
  const unfollow = loop.kinds.onChange(() => void follow());
  return {
    name: loop.name,
    ready,
    get depth() {
      return queue.depth;
    },
    enqueue: (key) => queue.add(key),
    idle: () => queue.idle(),
    async close() {
      isClosed = true;
      unfollow();
      barrier.close();
      await queue.close();
    },
  };
}

function keysOf(loop: Loop, { logger }: Surroundings, change: CacheChange): readonly string[] {
  try {
    return loop.keysOf(change);
  } catch (error) {
    const key = `${change.kind.kind} ${formatKey(change.key)}`;
    logger.error("a trigger failed", { controller: loop.name, key, error: stackOf(error) });
    return [];
  }
}

async function reconcile(
  loop: Loop,
  surroundings: Surroundings,
  barrier: RevisionBarrier,
  meter: LoopMeter | undefined,
  key: string,
): Promise<Outcome> {
  const { client, clock, logger } = surroundings;
  const [now, beganMs] = [clock.now(), clock.monotonic()];
  try {
    const decision = loop.decide(key, now);
    if (!decision) return { next: "done" };
    const { plan, primary, needs } = decision;
    const late = needs && barrier.passed(needs);
    if (late) return { next: "again", held: late };
    const told = meter?.planned?.({ plan, primary, now });
    const applied = await applyPlan(client, plan, primary);
    report(loop, surroundings, key, decision, applied);
    told?.({ applied, tookMs: clock.monotonic() - beganMs });
    const held = barrier.passed(applied.revisions);
    return {
      next: NEXT[applied.outcome],
      ...(plan.wakeAt !== undefined && { wakeAt: plan.wakeAt }),
      ...(held && { held }),
    };
  } catch (error) {
    if (error instanceof Terminal) {
      logger.warning("gave up", { controller: loop.name, key, error: error.message });
      return { next: "done" };
    }
    logger.error("reconcile failed", { controller: loop.name, key, error: stackOf(error) });
    return { next: "backoff" };
  }
}

const NEXT = { done: "done", lost: "again", failed: "backoff" } as const;

function report(
  { name, eventSource = name }: Loop,
  { logger, events }: Surroundings,
  key: string,
  { plan, primary }: Decision,
  { results, failures }: Applied,
): void {
  for (const [index, error] of failures) {
    const write = plan.writes?.[index];
    const what = write ? describeWrite(write) : "update status";
    logger.info("write failed", { controller: name, key, write: what, error });
  }
  for (const event of plan.events ?? []) {
    const { type, reason, message, regarding, afterWrite, onFailure } = event;
    const result = afterWrite === undefined ? undefined : results.get(afterWrite);
    const error = afterWrite === undefined ? undefined : failures.get(afterWrite);
    const isDue = afterWrite === undefined || (onFailure ? error !== undefined : !!result);
    const object = regarding ?? primary?.object;
    if (!isDue || !object) continue;
    const text = message
      .replaceAll("{name}", () => result?.metadata?.name ?? "")
      .replaceAll("{error}", () => error ?? "");
    const fallback = regarding ? undefined : primary?.kind;
    events.record(eventSource, { type, reason, message: text, regarding: object, kind: fallback });
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
