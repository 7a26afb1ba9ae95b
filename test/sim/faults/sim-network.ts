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

/** A network in virtual time that delays, loses and repeats calls by chance, and can be cut between two parties. */
export class SimNetwork implements Network {
  readonly faults: NetworkFaults = {
    delayMsMax: 5,
    lostCallPercent: 0,
    lostAnswerPercent: 0,
    repeatPercent: 0,
  };
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #cuts = new Set<string>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** From now on nothing passes between the two, in either direction, calls on their way included. */
  cut(one: string, other: string): void {
    this.#cuts.add(link(one, other));
  }

  heal(one: string, other: string): void {
    this.#cuts.delete(link(one, other));
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
