import { openSync, readSync } from "node:fs";
import { Session, type Profiler } from "node:inspector";
import { PerformanceObserver, type PerformanceEntry } from "node:perf_hooks";

/** Microseconds between two samples. Half of it makes the profiler itself a part of what is measured. */
const SAMPLE_US = 200;
/** Turns shorter than this are nobody's fault, in ms. */
const TURN_MS_MIN = 8;
/** Most turns of a phase that are explained. */
const TURNS_MAX = 3;
/** Share of a turn below which a function is left out. */
const SHARE_MIN = 0.08;

type Profile = Profiler.Profile;
/** In ms of `performance.now()`. */
interface Span {
  readonly beginMs: number;
  readonly endMs: number;
}
interface Turn extends Span {
  /** For which this thread wanted a processor, and others had it. */
  readonly preemptedMs: number;
}
interface Collection extends Span {
  readonly kind: number;
}

/** Says of this thread how long it ran, and how long it wanted a processor that others had, in ns. */
const schedule = openSync("/proc/thread-self/schedstat", "r");
const scheduleText = Buffer.alloc(100);

/** How long this thread has waited for a processor that others had, in ms, in all. */
function preemptedMs(): number {
  const length = readSync(schedule, scheduleText, 0, scheduleText.length, 0);
  return Number(scheduleText.toString("latin1", 0, length).split(" ")[1]) / 1e6;
}

const KINDS: Readonly<Record<number, string>> = {
  1: "minor",
  4: "major",
  8: "incremental",
  16: "weak callbacks",
};

/**
 * Tells what filled the longest turns of the event loop: the collections of garbage in them, and the functions.
 *
 * A chain of immediates marks the turns; samples of V8's profiler between two marks belong to that turn.
 */
export class TurnProfile {
  readonly #session = new Session();
  readonly #collections: Collection[] = [];
  readonly #observer = new PerformanceObserver((list) => this.#note(list.getEntries()));
  #turns: Turn[] = [];
  #isOn = false;
  #originUs = 0;

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.setSamplingInterval", { interval: SAMPLE_US });
    this.#observer.observe({ entryTypes: ["gc"] });
  }

  start(): void {
    this.#turns = [];
    this.#collections.length = 0;
    this.#originUs = Number(process.hrtime.bigint() / 1000n) - performance.now() * 1000;
    this.#session.post("Profiler.start");
    this.#isOn = true;
    let beginMs = performance.now();
    let waitedMs = preemptedMs();
    const mark = (): void => {
      const endMs = performance.now();
      const waited = preemptedMs();
      if (endMs - beginMs >= TURN_MS_MIN)
        this.#turns.push({ beginMs, endMs, preemptedMs: waited - waitedMs });
      beginMs = endMs;
      waitedMs = waited;
      if (this.#isOn) setImmediate(mark);
    };
    setImmediate(mark);
  }

  /** Lines of text about the longest turns since {@link start}. */
  async stop(): Promise<readonly string[]> {
    this.#isOn = false;
    const profile = await new Promise<Profile>((resolve, reject) =>
      this.#session.post("Profiler.stop", (error, result) =>
        error ? reject(error) : resolve(result.profile),
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    const inside = (turn: Span): Collection[] =>
      this.#collections.filter((one) => one.endMs > turn.beginMs && one.beginMs < turn.endMs);
    const spent = (turn: Turn): number => turn.endMs - turn.beginMs - turn.preemptedMs;
    const own = (turn: Turn): number =>
      Math.max(0, spent(turn) - inside(turn).reduce((ms, one) => ms + one.endMs - one.beginMs, 0));
    const lines: string[] = [];
    const withoutCollections = [...this.#turns].sort((a, b) => own(b) - own(a));
    const longest = withoutCollections[0];
    const over = (ms: number, of: (turn: Turn) => number): number =>
      this.#turns.filter((turn) => of(turn) >= ms).length;
    lines.push(
      `  longest turn without its collections: ${(longest ? own(longest) : 0).toFixed(1)} ms; ` +
        `turns over 20 ms: ${over(20, spent)}, without collections ${over(20, own)}; over 10 ms: ${over(10, spent)}, ${over(10, own)}`,
    );
    const all = [...this.#turns].sort((a, b) => spent(b) - spent(a));
    const shown = new Set([...withoutCollections.slice(0, TURNS_MAX), ...all.slice(0, 1)]);
    for (const turn of shown) {
      const collected = inside(turn).map(
        ({ kind, beginMs, endMs }) => `${KINDS[kind] ?? kind} ${(endMs - beginMs).toFixed(1)}`,
      );
      lines.push(
        `  turn of ${spent(turn).toFixed(1)} ms, own ${own(turn).toFixed(1)}, preempted for ${turn.preemptedMs.toFixed(1)}; ` +
          `collections: ${collected.join(", ") || "none"}`,
      );
      lines.push(...this.#explain(profile, turn));
    }
    return lines;
  }

  #explain(profile: Profile, turn: Span): string[] {
    const parents = new Map<number, number>();
    for (const { id, children } of profile.nodes)
      for (const child of children ?? []) parents.set(child, id);
    const total = new Map<number, number>();
    let atUs = profile.startTime;
    profile.samples?.forEach((sample, index) => {
      const deltaUs = profile.timeDeltas![index]!;
      atUs += deltaUs;
      const ms = (atUs - this.#originUs) / 1000;
      if (ms < turn.beginMs || ms > turn.endMs) return;
      for (let id: number | undefined = sample; id !== undefined; id = parents.get(id))
        total.set(id, (total.get(id) ?? 0) + deltaUs / 1000);
    });
    const byId = new Map(profile.nodes.map((node) => [node.id, node]));
    const least = (turn.endMs - turn.beginMs) * SHARE_MIN;
    const lines: string[] = [];
    const show = (id: number, depth: number): void => {
      const ms = total.get(id) ?? 0;
      if (ms < least) return;
      const { callFrame, children } = byId.get(id)!;
      const place = `${callFrame.url.split("/").at(-1)}:${callFrame.lineNumber + 1}`;
      lines.push(
        `  ${"  ".repeat(Math.min(depth, 30))}${ms.toFixed(1)} ${callFrame.functionName || "(anonymous)"} ${place}`,
      );
      const heaviest = [...(children ?? [])].sort(
        (a, b) => (total.get(b) ?? 0) - (total.get(a) ?? 0),
      );
      for (const child of heaviest) show(child, depth + 1);
    };
    show(profile.nodes[0]!.id, 0);
    return lines;
  }

  #note(entries: readonly PerformanceEntry[]): void {
    for (const { startTime, duration, detail } of entries as (PerformanceEntry & {
      detail: { kind: number };
    })[])
      this.#collections.push({
        kind: detail.kind,
        beginMs: startTime,
        endMs: startTime + duration,
      });
  }
}
