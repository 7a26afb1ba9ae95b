import { formatTime, type Clock, type Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import { Event } from "../api/core/event.ts";
import { Node } from "../api/core/node.ts";
import type { Client } from "../client/client.ts";
import type { CoreV1Event, V1ObjectReference, V1Pod } from "../gen/types.ts";
import { fieldPathOf } from "./runtime/pod-spec.ts";

/** Distinct events that are remembered for counting. @spec client-go record events_cache maxLruCacheEntries */
const REMEMBERED_MAX = 4096;

/** Events of a Pod that starts as it should. They wait, so that their writes do not delay the start they tell of … */
const ROUTINE = new Set(["Pulled", "Created", "Started"]);
/** … for so long, in ms, or until another event comes. Doubled, `describe` lags as much. */
const ROUTINE_MS = 300;

/** Writes that wait at most; beyond, events are dropped: they are news, not state. Doubled, a lost server holds twice the memory. */
const QUEUED_MAX = 1000;

interface Known {
  readonly name: string;
  readonly firstTimestamp: string;
  count: number;
}

/**
 * Tells the API what happened to Pods and to the node; what repeats is counted on one Event object.
 *
 * Never fails and never waits: events that cannot be written are lost, as upstream's are.
 * @spec client-go tools/record
 */
export class EventRecorder {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #nodeName: string;
  readonly #known = new Map<string, Known>();
  readonly #queue: (() => Promise<unknown>)[] = [];
  #isWriting = false;
  #lastStamp = 0n;
  #waiting: Timer | undefined;

  constructor(client: Client, clock: Clock, random: Random, logger: Logger, nodeName: string) {
    this.#client = client;
    this.#clock = clock;
    this.#random = random;
    this.#logger = logger;
    this.#nodeName = nodeName;
  }

  /** An event of a Pod, or of one of its containers. */
  pod(
    pod: V1Pod,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
    container?: string,
  ): void {
    const { name = "", namespace = "", uid = "", resourceVersion } = pod.metadata ?? {};
    const regarding: V1ObjectReference = {
      kind: "Pod",
      namespace,
      name,
      uid,
      apiVersion: "v1",
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(container === undefined ? {} : { fieldPath: fieldPathOf(pod, container) }),
    };
    this.#record(regarding, namespace, type, reason, message);
  }

  /** An event of this node. */
  node(type: "Normal" | "Warning", reason: string, message: string): void {
    const name = this.#nodeName;
    this.#record({ kind: Node.kind, name, uid: name }, "default", type, reason, message);
  }

  #record(
    regarding: V1ObjectReference,
    namespace: string,
    type: string,
    reason: string,
    message: string,
  ): void {
    const key = [regarding.uid, regarding.fieldPath, type, reason, message].join("\0");
    const now = formatTime(this.#clock.now());
    const known = this.#known.get(key);
    if (known) {
      known.count++;
      const body = { count: known.count, lastTimestamp: now };
      this.#enqueue(
        () => this.#client.patch(Event, { namespace, name: known.name }, { type: "merge", body }),
        reason,
      );
      return;
    }
    const name = `${regarding.name}.${this.#nextStamp()}`;
    this.#remember(key, { name, firstTimestamp: now, count: 1 });
    const source = { component: "kubelet", host: this.#nodeName };
    const event: CoreV1Event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace },
      involvedObject: regarding,
      reason,
      message,
      source,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      reportingComponent: "kubelet",
      reportingInstance: this.#nodeName,
    };
    this.#enqueue(() => this.#client.create(Event, event), reason);
  }

  /**
   * The end of an event's name: nanoseconds in hexadecimal, rising, so that a list by name is in the order of what happened
   * where times of whole seconds do not tell. Nanoseconds are random below the millisecond: two recorders share no name.
   */
  #nextStamp(): string {
    const now = BigInt(this.#clock.now()) * 1_000_000n + BigInt(this.#random.integer(500_000));
    this.#lastStamp = now > this.#lastStamp ? now : this.#lastStamp + 1n;
    return this.#lastStamp.toString(16);
  }

  #remember(key: string, known: Known): void {
    this.#known.set(key, known);
    if (this.#known.size <= REMEMBERED_MAX) return;
    const [oldest] = this.#known.keys();
    this.#known.delete(oldest!);
  }

  #enqueue(write: () => Promise<unknown>, reason: string): void {
    if (this.#queue.length >= QUEUED_MAX) return;
    this.#queue.push(write);
    if (this.#isWriting) return;
    if (!ROUTINE.has(reason)) void this.#drain();
    else this.#waiting ??= this.#clock.after(ROUTINE_MS, () => void this.#drain());
  }

  async #drain(): Promise<void> {
    this.#waiting?.cancel();
    this.#waiting = undefined;
    this.#isWriting = true;
    for (let write = this.#queue.shift(); write; write = this.#queue.shift())
      await write().catch((error: unknown) =>
        this.#logger.debug("event was not written", { error: String(error) }),
      );
    this.#isWriting = false;
  }
}
