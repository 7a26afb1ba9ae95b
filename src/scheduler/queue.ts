import type { Clock, Timer } from "../base/clock.ts";
import { Heap } from "../base/heap.ts";
import type { V1Pod } from "../gen/types.ts";
import type { ClusterChange, Plugin } from "./framework.ts";

/** @spec k8s@1.36 scheduling_queue.go: initial and greatest backoff of a Pod that did not fit */
const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 10_000;
/** A Pod that nothing woke is tried again after this long, in case a change went unseen. @spec scheduling_queue.go */
const UNSCHEDULABLE_MS_MAX = 5 * 60_000;

interface Entry {
  pod: V1Pod;
  readonly key: string;
  /** Order of arrival; Pods of one priority are taken first come, first served. */
  readonly sequence: number;
  attempts: number;
  place: "active" | "waiting" | "unschedulable" | "in-cycle" | "gone";
  /** Plugins that refused it last time. */
  refusedBy: ReadonlySet<string>;
  /** On the monotonic clock: a wall clock set back must not make a Pod wait for hours. */
  triedMs: number;
  /** Changed while in its cycle, by something that can help: try again without waiting for another change. */
  wasHelped: boolean;
  timer: Timer | undefined;
}

/**
 * The Pods that wait for a node, and what wakes them.
 *
 * Flow: `add` → active → `pop` (in its cycle) → `done`, or `refuse` → unschedulable → a change that can help, or five minutes
 * → waits out its backoff → active. Guarantee: a change that arrives while a Pod is in its cycle is not lost on it.
 */
export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #plugins: ReadonlyMap<string, Plugin>;
  readonly #entries = new Map<string, Entry>();
  readonly #active = new Heap<Entry>(isBefore);
  #sequence = 0;
  #onActive: () => void;

  /** `onActive`: called when a Pod becomes ready to be popped. */
  constructor(clock: Clock, plugins: readonly Plugin[], onActive: () => void) {
    this.#clock = clock;
    this.#plugins = new Map(plugins.map((plugin) => [plugin.name, plugin]));
    this.#onActive = onActive;
  }

  /** How many Pods wait in any state. */
  get size(): number {
    return this.#entries.size;
  }

  /** A new Pod, or a new version of one that waits. A changed spec or label may help it: it becomes active. */
  add(pod: V1Pod): void {
    const key = uidOf(pod);
    const known = this.#entries.get(key);
    if (!known) {
      const entry: Entry = {
        pod,
        key,
        sequence: this.#sequence++,
        attempts: 0,
        place: "waiting",
        refusedBy: new Set(),
        triedMs: 0,
        wasHelped: false,
        timer: undefined,
      };
      this.#entries.set(key, entry);
      this.#activate(entry);
      return;
    }
    const isChanged = known.pod.spec !== pod.spec && specOf(known.pod) !== specOf(pod);
    known.pod = pod;
    if (isChanged && known.place === "unschedulable") this.#retry(known);
    else if (isChanged && known.place === "in-cycle") known.wasHelped = true;
  }

  /** The Pod was bound, deleted, or is no longer ours. */
  remove(pod: V1Pod): void {
    const entry = this.#entries.get(uidOf(pod));
    if (!entry) return;
    entry.timer?.cancel();
    entry.place = "gone";
    this.#entries.delete(entry.key);
  }

  /** The next Pod to decide on: highest priority, then longest in the queue. */
  pop(): V1Pod | undefined {
    for (;;) {
      const entry = this.#active.pop();
      if (!entry) return undefined;
      if (entry.place !== "active") continue;
      entry.place = "in-cycle";
      entry.attempts++;
      entry.wasHelped = false;
      entry.triedMs = this.#clock.monotonic();
      return entry.pod;
    }
  }

  /** The popped Pod fits nowhere now; `refusedBy` names the plugins. Empty: any change may help. */
  refuse(pod: V1Pod, refusedBy: ReadonlySet<string>): void {
    const entry = this.#entries.get(uidOf(pod));
    if (entry?.place !== "in-cycle") return;
    entry.refusedBy = refusedBy;
    entry.place = "unschedulable";
    if (entry.wasHelped) return this.#retry(entry);
    entry.timer = this.#clock.after(UNSCHEDULABLE_MS_MAX, () => this.#retry(entry));
  }

  /** Deciding or binding failed for a reason that lies not in the Pod: try again after its backoff. */
  retryLater(pod: V1Pod): void {
    const entry = this.#entries.get(uidOf(pod));
    if (entry?.place === "in-cycle") this.#retry(entry);
  }

  /** Wakes the Pods that a change may help. */
  wake(change: ClusterChange): void {
    for (const entry of this.#entries.values()) {
      if (entry.place === "unschedulable" && this.#mayHelp(entry, change)) this.#retry(entry);
      else if (entry.place === "in-cycle") entry.wasHelped = true;
    }
  }

  /** Cancels all timers. */
  close(): void {
    for (const entry of this.#entries.values()) entry.timer?.cancel();
    this.#entries.clear();
    this.#onActive = () => {};
  }

  #mayHelp({ refusedBy, pod }: Entry, change: ClusterChange): boolean {
    if (refusedBy.size === 0) return true;
    for (const name of refusedBy)
      if (this.#plugins.get(name)?.canHelp?.(change, pod) ?? true) return true;
    return false;
  }

  /** Makes a Pod active when its backoff, counted from its last try, is over. */
  #retry(entry: Entry): void {
    entry.timer?.cancel();
    entry.place = "waiting";
    const restMs = entry.triedMs + backoffMs(entry.attempts) - this.#clock.monotonic();
    if (restMs <= 0) this.#activate(entry);
    else entry.timer = this.#clock.after(restMs, () => this.#activate(entry));
  }

  #activate(entry: Entry): void {
    entry.timer = undefined;
    entry.place = "active";
    this.#active.push(entry);
    this.#onActive();
  }
}

/** 1 s, doubled with each attempt, at most 10 s. */
export function backoffMs(attempts: number): number {
  return Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.max(0, attempts - 1));
}

function isBefore(a: Entry, b: Entry): boolean {
  const difference = (a.pod.spec?.priority ?? 0) - (b.pod.spec?.priority ?? 0);
  return difference !== 0 ? difference > 0 : a.sequence < b.sequence;
}

function uidOf(pod: V1Pod): string {
  return pod.metadata?.uid ?? "";
}

/** The parts of a Pod whose change may let it fit. */
function specOf(pod: V1Pod): string {
  return JSON.stringify([pod.spec, pod.metadata?.labels]);
}
