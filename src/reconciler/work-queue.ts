import { backoffMs, type BackoffLimits } from "../base/backoff.ts";
import type { Clock, Instant } from "../base/clock.ts";
import { turnsOf, type Slice } from "../base/turns.ts";
import { WakeUps } from "./wake-ups.ts";
import { UNMETERED, type QueueMeter, type QueueState } from "./work-queue-metrics.ts";

/**
 * How long a failing key waits. @spec controller-runtime v0.22 priorityqueue.go: 5 ms → 1000 s, doubling.
 * Doubling `firstMs` doubles how long a lost race delays convergence; doubling the ceiling, how late a repaired cause is noticed.
 */
const RETRY: BackoffLimits = { firstMs: 5, ceilingMs: 1_000_000 };

/** What came of one key. */
export interface Outcome {
  /** `again`: at once the first time, then as `backoff` does; for lost races. */
  readonly next: "done" | "again" | "backoff";
  readonly wakeAt?: Instant;
  /** The key stays busy until this resolves, while its worker takes other keys. */
  readonly held?: Promise<void>;
}

/**
 * Keys that want work: each at most once in the queue, each in at most one worker, oldest first.
 *
 * A key that is added while it is worked on (or held) comes again afterwards. Of several wake-ups of a key the
 * earliest counts, and a run cancels them: it decides anew.
 * @bounds `workersMax` keys in work.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #work: (key: string) => Promise<Outcome>;
  readonly #workersMax: number;
  readonly #meter: QueueMeter;
  /** By key since when, on the monotonic clock. */
  readonly #ready = new Map<string, number>();
  readonly #busy = new Map<string, number>();
  readonly #dirty = new Set<string>();
  readonly #wakeUps: WakeUps;
  readonly #failures = new Map<string, number>();
  #working = 0;
  #isDrainPlanned = false;
  /** Since when keys are begun in this turn of the event loop. */
  #slice: Slice | undefined;
  #isOpen = false;
  #isClosed = false;
  #idle: (() => void)[] = [];

  /** `work` must not reject. */
  constructor(
    clock: Clock,
    workersMax: number,
    work: (key: string) => Promise<Outcome>,
    meter = UNMETERED,
  ) {
    this.#meter = meter;
    this.#clock = clock;
    this.#wakeUps = new WakeUps(clock, (key) => this.add(key));
    this.#workersMax = workersMax;
    this.#work = work;
  }

  /** Keys added before are kept, and begun now. */
  start(): void {
    this.#isOpen = true;
    this.#planDrain();
  }

  add(key: string): void {
    if (this.#isClosed) return;
    if (this.#busy.has(key)) this.#dirty.add(key);
    else if (!this.#ready.has(key)) {
      this.#ready.set(key, this.#clock.monotonic());
      this.#meter.added();
      this.#planDrain();
    }
  }

  addAt(key: string, at: Instant): void {
    if (!this.#isClosed) this.#wakeUps.set(key, at);
  }

  /** Keys that wait for a worker. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Keys that are held after their work count as worked on. */
  get state(): QueueState {
    const now = this.#clock.monotonic();
    return { depth: this.depth, workingMs: [...this.#busy.values()].map((since) => now - since) };
  }

  /** Resolves when no key waits, is worked on or is held. Keys that wait for a time do not count. */
  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Begins nothing more; resolves when what was begun has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wakeUps.clear();
    this.#ready.clear();
    this.#dirty.clear();
    while (this.#working > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #isIdle(): boolean {
    return this.#ready.size === 0 && (this.#isClosed ? this.#working : this.#busy.size) === 0;
  }

  #planDrain(): void {
    if (this.#isDrainPlanned || !this.#isOpen) return;
    this.#isDrainPlanned = true;
    queueMicrotask(() => this.#drain());
  }

  #drain(): void {
    this.#isDrainPlanned = false;
    if (this.#ready.size === 0) return;
    this.#slice ??= this.#beginSlice();
    while (this.#working < this.#workersMax && this.#ready.size > 0 && !this.#slice.isOver) {
      const [next] = this.#ready;
      void this.#run(...next!);
    }
  }

  /** Thousands of keys, of many queues, must not hold up a request: what one slice leaves over is for a later turn. */
  #beginSlice(): Slice {
    const turns = turnsOf(this.#clock);
    void turns.next().then(() => {
      this.#slice = undefined;
      this.#planDrain();
    });
    return turns.slice();
  }

  async #run(key: string, since: number): Promise<void> {
    const startMs = this.#clock.monotonic();
    this.#ready.delete(key);
    this.#busy.set(key, startMs);
    this.#meter.begun(startMs - since);
    this.#wakeUps.cancel(key);
    this.#working++;
    const outcome = await this.#work(key);
    this.#working--;
    this.#meter.ended(this.#clock.monotonic() - startMs);
    this.#planDrain();
    if (this.#isClosed) return this.#notifyIdle();
    if (outcome.held) await outcome.held;
    this.#busy.delete(key);
    this.#settle(key, outcome);
    if (this.#dirty.delete(key)) this.add(key);
    this.#notifyIdle();
  }

  #settle(key: string, { next, wakeAt }: Outcome): void {
    if (wakeAt !== undefined) this.addAt(key, wakeAt);
    if (next === "done") {
      this.#failures.delete(key);
      return;
    }
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.#meter.retried();
    if (next === "again" && failures === 1) this.add(key);
    else this.addAt(key, this.#clock.now() + backoffMs(RETRY, failures));
  }

  #notifyIdle(): void {
    if (!this.#isIdle()) return;
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }
}
