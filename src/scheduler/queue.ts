import type { Clock, Timer } from "../base/clock.ts";
import { Heap } from "../base/heap.ts";
import type { V1Pod } from "../gen/types.ts";
import type { ClusterChange } from "./framework.ts";
import type { PodClass, PodClasses } from "./pod-class.ts";
import { eventOf, EVENTS, type QueueName, type RefusedPods } from "./scheduler-metrics.ts";
import { WaitingGroups, type Group } from "./waiting-groups.ts";

/** Initial and greatest backoff of a Pod that did not fit. @spec k8s@1.36 scheduling_queue.go */
export interface BackoffSettings {
  readonly initialBackoffMs: number;
  readonly maxBackoffMs: number;
}

/** One second, and ten. */
const BACKOFF: BackoffSettings = { initialBackoffMs: 1_000, maxBackoffMs: 10_000 };
/** A Pod that nothing woke is tried again after this long, in case a change went unseen. @spec scheduling_queue.go */
const UNSCHEDULABLE_MS_MAX = 5 * 60_000;

/** `helped`: a change woke it before its backoff was over; `failed`: deciding or binding did not work. */
type Place = "active" | "helped" | "failed" | "unschedulable" | "in-cycle" | "gone";

interface Entry {
  pod: V1Pod;
  podClass: PodClass;
  readonly uid: string;
  readonly priority: number;
  /** When it came, or was refused last: Pods of one priority take turns in this order. */
  sequence: number;
  attempts: number;
  /** When it came. */
  readonly addedMs: number;
  /** What last made it wait somewhere, in upstream's words. */
  event: string;
  place: Place;
  /** How many changes the queue had heard of when it was popped. */
  heard: number;
  /** On the monotonic clock: a wall clock set back must not make a Pod wait for hours. */
  triedMs: number;
  /** When its backoff is over. */
  readyMs: number;
  group: Group<Entry> | undefined;
}

/** How a Pod came to its node. */
export interface Waited {
  readonly attempts: number;
  readonly addedMs: number;
}

/**
 * The Pods that wait for a node, and what wakes them.
 *
 * Flow: `add` → active → `pop` (in its cycle) → `placed` → `remove`, or `refuse` → unschedulable → a change that can help, or
 * five minutes → backoff → active. With nothing active, a Pod that was helped need not wait for the end of its backoff.
 * Guarantee: a change that arrives while a Pod is in its cycle is not lost on it.
 * Cost: a change is tested once for each class that waits and tried by one Pod of it; there are two timers in all.
 * @spec k8s@1.36 backend/queue scheduling_queue.go, KEP-4247 (queueing hints), KEP-5142 (pop from backoff)
 */
export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #classes: Pick<PodClasses, "of">;
  readonly #backoffSettings: BackoffSettings;
  readonly #entries = new Map<string, Entry>();
  readonly #active = new Heap<Entry>(isBefore);
  readonly #backoff = {
    helped: new Heap<Entry>(isReadyBefore),
    failed: new Heap<Entry>(isReadyBefore),
  };
  /** Oldest try first. */
  readonly #unschedulable = new Set<Entry>();
  readonly #groups = new WaitingGroups<Entry>();
  #sequence = 0;
  #heard = 0;
  #onActive: () => void;
  readonly #onIncoming: (queue: QueueName, event: string) => void;
  #backoffTimer: { readonly timer: Timer; readonly dueMs: number } | undefined;
  #flushTimer: Timer | undefined;

  /** `onActive`: called when a Pod becomes ready to be popped; `onIncoming`: when one begins to wait, and why. */
  constructor(
    clock: Clock,
    classes: Pick<PodClasses, "of">,
    onActive: () => void,
    backoff: BackoffSettings = BACKOFF,
    onIncoming: (queue: QueueName, event: string) => void = () => {},
  ) {
    this.#onIncoming = onIncoming;
    this.#backoffSettings = backoff;
    this.#clock = clock;
    this.#classes = classes;
    this.#onActive = onActive;
  }

  /** How many Pods wait in any state. */
  get size(): number {
    return this.#entries.size;
  }

  /** Who waits where, counted. */
  get counts(): Readonly<Record<"active" | "backoff" | "unschedulable", number>> {
    const counts = { active: 0, backoff: 0, unschedulable: 0 };
    for (const { place } of this.#entries.values()) {
      if (place === "active" || place === "unschedulable") counts[place]++;
      else if (place === "helped" || place === "failed") counts.backoff++;
    }
    return counts;
  }

  /** How many Pods each plugin holds back. */
  get refused(): readonly RefusedPods[] {
    return this.#groups.refused();
  }

  /** A new Pod, or a new version of one that waits. One that plugins see differently now is tried again. */
  add(pod: V1Pod, event: string = EVENTS.podAdded): void {
    const uid = uidOf(pod);
    const podClass = this.#classes.of(pod);
    const known = this.#entries.get(uid);
    if (known) return this.#change(known, pod, podClass);
    const entry: Entry = {
      pod,
      podClass,
      uid,
      priority: pod.spec?.priority ?? 0,
      sequence: this.#sequence++,
      attempts: 0,
      addedMs: this.#clock.monotonic(),
      event,
      place: "active",
      heard: 0,
      triedMs: 0,
      readyMs: 0,
      group: undefined,
    };
    this.#entries.set(uid, entry);
    this.#activate(entry, event);
  }

  /** The Pod was bound, deleted, or is no longer ours. */
  remove(pod: V1Pod): void {
    const entry = this.#entries.get(uidOf(pod));
    if (!entry) return;
    entry.place = "gone";
    this.#entries.delete(entry.uid);
    this.#leaveGroup(entry);
  }

  /** The next Pod to decide on: highest priority, then longest in the queue. */
  pop(): V1Pod | undefined {
    let entry = popPlaced(this.#active, "active");
    if (!entry) {
      entry = popPlaced(this.#backoff.helped, "helped");
      if (!entry) return undefined;
      this.#onIncoming("active", EVENTS.fromBackoff);
    }
    entry.place = "in-cycle";
    entry.attempts++;
    entry.heard = this.#heard;
    entry.triedMs = this.#clock.monotonic();
    entry.readyMs = entry.triedMs + backoffMs(entry.attempts, this.#backoffSettings);
    return entry.pod;
  }

  /** The popped Pod was given a node: the next one that waits for the same may try. @returns how it came to it */
  placed(pod: V1Pod): Waited | undefined {
    const entry = this.#entries.get(uidOf(pod));
    if (entry) this.#leaveGroup(entry);
    return entry;
  }

  /**
   * The popped Pod fits nowhere now; `refusedBy` names the plugins. Empty: any change may help. `isNominated`: a node is kept
   * for it, so it may fit where others of its class do not.
   */
  refuse(pod: V1Pod, refusedBy: ReadonlySet<string>, isNominated = false): void {
    const entry = this.#entries.get(uidOf(pod));
    if (entry?.place !== "in-cycle") return;
    entry.sequence = this.#sequence++;
    if (isNominated) this.#leaveGroup(entry);
    if (entry.heard !== this.#heard) return this.#retry(entry, EVENTS.failed);
    this.#onIncoming("unschedulable", EVENTS.failed);
    entry.place = "unschedulable";
    this.#groups.join(entry, refusedBy, isNominated ? entry.uid : "");
    this.#unschedulable.add(entry);
    this.#planFlush();
  }

  /** Deciding or binding failed for a reason that lies not in the Pod: try again after its backoff. */
  retryLater(pod: V1Pod): void {
    const entry = this.#entries.get(uidOf(pod));
    if (entry?.place !== "in-cycle") return;
    entry.sequence = this.#sequence++;
    this.#wait(entry, "failed", EVENTS.failed);
  }

  /** A Pod that waits for a change may find a node without one. */
  tryAgain(pod: V1Pod): void {
    const entry = this.#entries.get(uidOf(pod));
    if (entry?.place === "in-cycle") this.#heard++;
    if (entry?.place !== "unschedulable") return;
    this.#leaveGroup(entry);
    this.#retry(entry, EVENTS.podUpdated);
  }

  /** Wakes the Pods that a change may help. */
  wake(change: ClusterChange): void {
    this.#heard++;
    for (const entry of this.#groups.helped(change)) this.#retry(entry, eventOf(change));
  }

  /** Plugins may tell Pods apart that they could not before, or the other way round. */
  reclassify(): void {
    for (const entry of [...this.#entries.values()])
      this.#change(entry, entry.pod, this.#classes.of(entry.pod));
  }

  /** Cancels all timers. */
  close(): void {
    this.#backoffTimer?.timer.cancel();
    this.#flushTimer?.cancel();
    this.#entries.clear();
    this.#groups.clear();
    this.#unschedulable.clear();
    this.#onActive = () => {};
  }

  #change(entry: Entry, pod: V1Pod, podClass: PodClass): void {
    entry.pod = pod;
    if (entry.podClass === podClass) return;
    const { place } = entry;
    this.#leaveGroup(entry);
    entry.podClass = podClass;
    if (place === "unschedulable") this.#retry(entry, EVENTS.podUpdated);
    // Heard of something, so that a refusal that did not know of it does not count.
    else if (place === "in-cycle") this.#heard++;
  }

  #leaveGroup(entry: Entry): void {
    this.#unschedulable.delete(entry);
    const next = this.#groups.leave(entry);
    if (next) this.#retry(next, entry.event);
  }

  /** Makes a Pod active when its backoff, counted from its last try, is over. */
  #retry(entry: Entry, event: string): void {
    entry.event = event;
    this.#unschedulable.delete(entry);
    if (entry.readyMs <= this.#clock.monotonic()) return this.#activate(entry, event);
    this.#wait(entry, "helped", event);
    this.#onActive();
  }

  #wait(entry: Entry, place: "helped" | "failed", event: string): void {
    this.#onIncoming("backoff", event);
    entry.place = place;
    this.#backoff[place].push(entry);
    this.#planBackoff(entry.readyMs);
  }

  #activate(entry: Entry, event: string): void {
    this.#onIncoming("active", event);
    entry.place = "active";
    this.#active.push(entry);
    this.#onActive();
  }

  #planBackoff(dueMs: number): void {
    if (this.#backoffTimer && this.#backoffTimer.dueMs <= dueMs) return;
    this.#backoffTimer?.timer.cancel();
    const timer = this.#clock.after(dueMs - this.#clock.monotonic(), () => {
      this.#backoffTimer = undefined;
      this.#endBackoffs("helped");
      this.#endBackoffs("failed");
    });
    this.#backoffTimer = { timer, dueMs };
  }

  #endBackoffs(place: "helped" | "failed"): void {
    const heap = this.#backoff[place];
    const now = this.#clock.monotonic();
    for (let next = heap.peek(); next; next = heap.peek()) {
      const isHere = next.place === place;
      if (isHere && next.readyMs > now) return this.#planBackoff(next.readyMs);
      heap.pop();
      if (isHere) this.#activate(next, EVENTS.backoffOver);
    }
  }

  #planFlush(): void {
    if (this.#flushTimer) return;
    const [oldest] = this.#unschedulable;
    if (!oldest) return;
    const dueMs = oldest.triedMs + UNSCHEDULABLE_MS_MAX;
    this.#flushTimer = this.#clock.after(dueMs - this.#clock.monotonic(), () => {
      this.#flushTimer = undefined;
      this.#flush();
      this.#planFlush();
    });
  }

  #flush(): void {
    const due = this.#clock.monotonic() - UNSCHEDULABLE_MS_MAX;
    for (const entry of [...this.#unschedulable]) {
      if (entry.triedMs > due) return;
      this.#leaveGroup(entry);
      this.#retry(entry, EVENTS.timeout);
    }
  }
}

/** Entries leave a heap only by being popped; those that are elsewhere by then are passed over. */
function popPlaced(heap: Heap<Entry>, place: Place): Entry | undefined {
  for (let entry = heap.pop(); entry; entry = heap.pop()) if (entry.place === place) return entry;
  return undefined;
}

/** 1 s, doubled with each attempt, at most 10 s. */
export function backoffMs(attempts: number, settings: BackoffSettings = BACKOFF): number {
  const { initialBackoffMs, maxBackoffMs } = settings;
  return Math.min(maxBackoffMs, initialBackoffMs * 2 ** Math.max(0, attempts - 1));
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.priority !== b.priority ? a.priority > b.priority : a.sequence < b.sequence;
}

function isReadyBefore(a: Entry, b: Entry): boolean {
  const [first, second] = [a.readyMs, b.readyMs];
  return first !== second ? first < second : isBefore(a, b);
}

function uidOf(pod: V1Pod): string {
  return pod.metadata?.uid ?? "";
}
