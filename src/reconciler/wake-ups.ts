import type { Clock, Instant, Timer } from "../base/clock.ts";
import { Heap } from "../base/heap.ts";

/**
 * Longest wait without a look at the clock, in ms: it may be set, and machines sleep. What is due then is at most so late.
 */
const LOOK_MS_MAX = 60_000;
/** The clock was set back when it has lost more than this against the time that passed, in ms; less is how clocks are kept right. */
const SET_BACK_MS_MIN = 1000;
/** Entries that count no more are cleared away when they are more than the others, and more than these. */
const STALE_MAX = 64;

interface Entry {
  readonly at: Instant;
  readonly sequence: number;
  readonly key: string;
}

/**
 * Keys with a time at which they want work: one heap and one timer, however many they are.
 *
 * Of several times of a key the earliest counts. Keys of one time come in the order in which they were set.
 * Caveats: a key may be woken before its time. When the clock was set back all are, for what was set by the clock as it was
 * would be late by as much as it lost.
 */
export class WakeUps {
  readonly #clock: Clock;
  readonly #wake: (key: string) => void;
  readonly #due = new Map<string, Entry>();
  #heap = newHeap();
  #sequence = 0;
  /** The most that the clock was ahead of the time that passed since it was last looked at. */
  #aheadMs = -Infinity;
  #timer: { readonly at: Instant; readonly timer: Timer } | undefined;

  constructor(clock: Clock, wake: (key: string) => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  set(key: string, at: Instant): void {
    this.#aheadMs = Math.max(this.#aheadMs, this.#ahead());
    const known = this.#due.get(key);
    if (known && known.at <= at) return;
    const entry = { at, sequence: this.#sequence++, key };
    this.#due.set(key, entry);
    this.#heap.push(entry);
    if (this.#heap.size > 2 * this.#due.size + STALE_MAX) this.#clearAway();
    this.#arm();
  }

  cancel(key: string): void {
    this.#due.delete(key);
  }

  clear(): void {
    this.#due.clear();
    this.#heap = newHeap();
    this.#timer?.timer.cancel();
    this.#timer = undefined;
  }

  #ahead(): number {
    return this.#clock.now() - this.#clock.monotonic();
  }

  #clearAway(): void {
    this.#heap = newHeap();
    for (const entry of this.#due.values()) this.#heap.push(entry);
  }

  #arm(): void {
    const first = this.#first();
    if (!first || (this.#timer && this.#timer.at <= first.at)) return;
    this.#timer?.timer.cancel();
    const now = this.#clock.now();
    const at = Math.min(first.at, now + LOOK_MS_MAX);
    this.#timer = { at, timer: this.#clock.after(at - now, () => this.#fire()) };
  }

  #fire(): void {
    this.#timer = undefined;
    const aheadMs = this.#ahead();
    const wasSetBack = aheadMs < this.#aheadMs - SET_BACK_MS_MIN;
    this.#aheadMs = aheadMs;
    const due = wasSetBack ? Infinity : this.#clock.now();
    const keys: string[] = [];
    for (let first = this.#first(); first && first.at <= due; first = this.#first()) {
      this.#heap.pop();
      this.#due.delete(first.key);
      keys.push(first.key);
    }
    for (const key of keys) this.#wake(key);
    this.#arm();
  }

  /** The earliest that still counts. */
  #first(): Entry | undefined {
    for (let first = this.#heap.peek(); first; first = this.#heap.peek()) {
      if (this.#due.get(first.key) === first) return first;
      this.#heap.pop();
    }
    return undefined;
  }
}

function newHeap(): Heap<Entry> {
  return new Heap((a, b) => a.at < b.at || (a.at === b.at && a.sequence < b.sequence));
}
