import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { sleep } from "../../src/base/clock.ts";
import { Unreachable } from "../../src/base/network.ts";
import { SeededRandom } from "../../src/base/seeded-random.ts";
import { VirtualClock } from "../../src/base/virtual-clock.ts";
import type { CommitResult, Store, Write } from "../../src/store/store.ts";
import { changeText } from "../../src/store/suite/in-store.ts";
import { runSeed } from "./run-seed.ts";
import { SimDisk } from "./faults/sim-disk.ts";
import { SimNetwork } from "./faults/sim-network.ts";
import { openSimStore } from "./store/sim-backend.ts";

const WRITERS = 4;
const WRITES_EACH = 25;
const PAUSE_MS_MAX = 20;

/** A small world in which all chance comes from one seed: writers over a bad network, watchers, cuts, compaction. */
class World {
  readonly clock = new VirtualClock();
  readonly #random: SeededRandom;
  readonly #network: SimNetwork;
  readonly #trace = createHash("sha256");
  #lines = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#network = new SimNetwork(this.clock, this.#random);
    Object.assign(this.#network.faults, {
      lostCallPercent: 5,
      lostAnswerPercent: 5,
      repeatPercent: 5,
    });
  }

  /** @returns the hash of everything that happened, and how much that was. */
  async run(): Promise<{ readonly hash: string; readonly lines: number }> {
    const store = await openSimStore(new SimDisk(this.#random), "data");
    const watchers = ["/", "/0/", "/3/"].map((prefix) => this.#watch(store, prefix));
    let isDone = false;
    const writers = Promise.all(
      Array.from({ length: WRITERS }, (_, writer) => this.#write(store, writer)),
    ).then(() => (isDone = true));
    while (!isDone) await this.clock.advance(1);
    await writers;
    await store.close();
    await Promise.all(watchers);
    return { hash: this.#trace.digest("hex"), lines: this.#lines };
  }

  #log(line: string): void {
    this.#lines++;
    this.#trace.update(`${this.clock.monotonic()} ${line}\n`);
  }

  async #watch(store: Store, prefix: string): Promise<void> {
    try {
      for await (const { revision, changes } of store.watch(prefix, 1))
        this.#log(`${prefix} ${revision} ${changes.map(changeText).join(" ")}`);
    } catch (error) {
      this.#log(`${prefix} ${(error as Error).name}`);
    }
  }

  async #write(store: Store, writer: number): Promise<void> {
    const name = `writer-${writer}`;
    for (let i = 0; i < WRITES_EACH; i++) {
      await sleep(this.clock, this.#random.integer(PAUSE_MS_MAX));
      if (this.#random.integer(10) === 0) this.#network.cut(name, "store");
      else this.#network.heal(name, "store");
      this.#log(`${name} ${await this.#send(store, name, this.#randomWrite(writer, i))}`);
      if (this.#random.integer(20) === 0) await store.compact(store.revision() - 1);
    }
  }

  async #send(store: Store, name: string, write: Write): Promise<string> {
    try {
      const deliver = (): Promise<CommitResult> => store.commit([write]);
      const { kind, revision } = await this.#network.carry(name, "store", deliver);
      return `${kind} ${revision}`;
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      return error.message;
    }
  }

  #randomWrite(writer: number, i: number): Write {
    const key = `/${this.#random.integer(WRITERS)}/k${this.#random.integer(3)}`;
    const condition = this.#random.integer(4) === 0 ? { expect: 0 } : {};
    if (this.#random.integer(4) === 0) return { kind: "delete", key };
    return { kind: "put", key, value: Buffer.from(`${writer}.${i}`), ...condition };
  }
}

describe("trace of a simulated world", () => {
  it("is a function of the seed alone", async () => {
    const first = await new World(1).run();
    const again = await new World(1).run();
    const other = await new World(2).run();
    assert.ok(first.lines > WRITERS * WRITES_EACH, "little happened");
    assert.deepEqual(again, first);
    assert.notEqual(other.hash, first.hash);
  });
});

describe("trace of a simulated cluster", () => {
  it("is a function of the seed alone, whatever ran before in this process", async () => {
    const hashes = async (): Promise<string[]> => {
      const outcomes = [];
      for (const seed of [1, 2, 3, 4]) outcomes.push((await runSeed(seed)).hash);
      return outcomes;
    };
    const first = await hashes();
    assert.deepEqual(await hashes(), first);
    assert.equal(new Set(first).size, first.length);
  });
});
