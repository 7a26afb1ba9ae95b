import { Unreachable, type Network } from "../../../src/base/network.ts";
import { sleep, type Clock } from "../../../src/base/clock.ts";
import type { Random } from "../../../src/base/random.ts";

/** How bad a {@link SimNetwork} is; each may be changed at any time. Chances in percent. */
export interface NetworkFaults {
  delayMsMax: number;
  /** The call is lost before it is delivered. */
  lostCallPercent: number;
  /** The callee has run, and its answer is lost. */
  lostAnswerPercent: number;
  /** The call is delivered twice. */
  repeatPercent: number;
}

/** A network that nothing ails. */
export const SOUND_NETWORK: NetworkFaults = {
  delayMsMax: 5,
  lostCallPercent: 0,
  lostAnswerPercent: 0,
  repeatPercent: 0,
};

/** Silence after which a party gives a connection up, in ms: what the HTTP client's pings take. */
const STREAM_SILENCE_MS = 45_000;

/** Resolves when the streams of one link break. */
interface Streams {
  readonly broken: Promise<void>;
  break(): void;
}

/**
 * A network in virtual time that delays, loses and repeats calls by chance, and can be cut between two parties.
 *
 * Besides calls it has streams, whose pieces travel in order: one breaks when it is used while its link is cut, when the
 * link stays cut for long, or when it is told to.
 */
export class SimNetwork implements Network {
  readonly faults: NetworkFaults = { ...SOUND_NETWORK };
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #cuts = new Set<string>();
  readonly #streams = new Map<string, Streams>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** From now on nothing passes between the two, in either direction, calls on their way included. */
  cut(one: string, other: string): void {
    const between = link(one, other);
    if (this.#cuts.has(between)) return;
    this.#cuts.add(between);
    const streams = this.#streams.get(between);
    this.#clock.after(STREAM_SILENCE_MS, () => {
      if (this.#cuts.has(between) && this.#streams.get(between) === streams) streams?.break();
    });
  }

  heal(one: string, other: string): void {
    this.#cuts.delete(link(one, other));
  }

  /** Breaks the streams that are open between the two; calls and new streams are not touched. */
  breakStreams(one: string, other: string): void {
    this.#streams.get(link(one, other))?.break();
  }

  /** Resolves when the streams that are open now between the two break. */
  broken(one: string, other: string): Promise<void> {
    const between = link(one, other);
    const known = this.#streams.get(between);
    if (known) return known.broken;
    let resolve!: () => void;
    const broken = new Promise<void>((done) => (resolve = done));
    this.#streams.set(between, {
      broken,
      break: () => {
        this.#streams.delete(between);
        resolve();
      },
    });
    return broken;
  }

  /** One piece of a stream is on its way. @throws {Unreachable} the link is cut: the stream is over. */
  travel(from: string, to: string): Promise<void> {
    return this.#travel(from, to, 0);
  }

  async carry<T>(from: string, to: string, deliver: () => Promise<T>): Promise<T> {
    const { faults } = this;
    await this.#travel(from, to, faults.lostCallPercent);
    if (this.#happens(faults.repeatPercent)) await deliver().catch(() => {});
    // A refusal travels like any answer.
    const answer = await deliver().then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error;
      },
    );
    await this.#travel(to, from, faults.lostAnswerPercent);
    return answer();
  }

  async #travel(from: string, to: string, lostPercent: number): Promise<void> {
    const isLost = this.#happens(lostPercent);
    await sleep(this.#clock, this.#random.integer(this.faults.delayMsMax + 1));
    if (isLost || this.#cuts.has(link(from, to)))
      throw new Unreachable(`${to} did not hear ${from}`);
  }

  #happens(percent: number): boolean {
    return this.#random.integer(100) < percent;
  }
}

function link(one: string, other: string): string {
  return [one, other].sort().join(" ");
}
