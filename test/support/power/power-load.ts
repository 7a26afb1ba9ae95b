import { closeSync, copyFileSync, openSync, writeSync } from "node:fs";
import { SeededRandom } from "../../../src/base/seeded-random.ts";
import type { Timer } from "../../../src/base/clock.ts";
import { SystemClock } from "../../../src/base/system-clock.ts";
import { openLmdbStore } from "../../../src/store/lmdb/open-lmdb-store.ts";
import type { Store, Write } from "../../../src/store/store.ts";

/** An acknowledged commit: what became of each of its keys; null: it was deleted. */
export interface Acknowledged {
  readonly revision: number;
  readonly writes: readonly (readonly [key: string, sequence: number | null])[];
}

const DURABLE_KEYS = 24;
const VOLATILE_KEYS = 12;
const WRITERS = 8;
/** Commits of each writer in each of the two openings. */
const COMMITS_EACH = 12;
/** One commit in so many is followed by a compaction, so that pages are freed and used again. */
const COMPACT_EVERY = 10;
const VALUE_BYTES = [60, 700, 2500, 9000, 30_000];
/** Values of a burst: one group that makes both files longer by megabytes. */
const BURST = { commits: 48, bytes: 60_000 };

/** Whether a key of the load may be lost with the power. */
export function isVolatileKey(key: string): boolean {
  return key.startsWith("/volatile/");
}

/** The bytes that version `sequence` of `key` has: another version's never equal them. */
export function valueOf(key: string, sequence: number): Buffer {
  const random = new SeededRandom(sequence);
  const isBurst = key.includes("burst");
  const bytes = isBurst ? BURST.bytes : VALUE_BYTES[random.integer(VALUE_BYTES.length)]!;
  return Buffer.alloc(bytes + random.integer(50), `${key}#${sequence};`);
}

/** The child: opens, loads, closes, opens again, loads; tells `marks` of every acknowledgement as it comes. */
export async function runLoad(folder: string, marks: string, seed: number): Promise<void> {
  const load = new Load(openSync(marks, "a"), new SeededRandom(seed));
  for (const isLast of [false, true]) {
    const clock = new HastyClock();
    const store = await openLmdbStore({ folder, isVolatile: isVolatileKey, clock });
    // Compaction empties the log each time; without it, one segment fills while the other one goes to LMDB.
    await load.run(store, { compacts: !isLast });
    for (const name of ["durable", "volatile"])
      copyFileSync(`${folder}/${name}.mdb-lock`, `${marks}.${name}-lock`);
    if (isLast) await load.burst(store);
    await store.close();
  }
  load.end();
}

/** So that the log goes to LMDB, and begins anew, many times in a short load. */
class HastyClock extends SystemClock {
  override after(delayMs: number, task: () => void): Timer {
    return super.after(delayMs / 100, task);
  }
}

class Load {
  readonly #marks: number;
  readonly #random: SeededRandom;
  #sequence = 0;

  constructor(marks: number, random: SeededRandom) {
    this.#marks = marks;
    this.#random = random;
  }

  async run(store: Store, { compacts }: { readonly compacts: boolean }): Promise<void> {
    const writer = async (): Promise<void> => {
      for (let i = 0; i < COMMITS_EACH; i++) {
        await this.#commit(store, this.#randomWrites());
        if (compacts && this.#random.integer(COMPACT_EVERY) === 0)
          void store.compact(store.revision());
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, writer));
  }

  async burst(store: Store): Promise<void> {
    const keys = Array.from({ length: BURST.commits }, (_, i) =>
      i % 2 === 0 ? `/volatile/burst${i}` : `/durable/burst${i}`,
    );
    await Promise.all(keys.map((key) => this.#commit(store, [[key, ++this.#sequence]])));
  }

  end(): void {
    closeSync(this.#marks);
  }

  #randomWrites(): Acknowledged["writes"] {
    const random = this.#random;
    if (random.integer(4) === 0)
      return [[`/volatile/${random.integer(VOLATILE_KEYS)}`, this.#next()]];
    const count = random.integer(3) === 0 ? 3 : 1;
    const first = random.integer(DURABLE_KEYS);
    return Array.from({ length: count }, (_, i) => [
      `/durable/${(first + i) % DURABLE_KEYS}`,
      this.#next(),
    ]);
  }

  #next(): number | null {
    this.#sequence++;
    return this.#random.integer(6) === 0 ? null : this.#sequence;
  }

  async #commit(store: Store, writes: Acknowledged["writes"]): Promise<void> {
    const { revision } = await store.commit(
      writes.map(([key, sequence]): Write =>
        sequence === null
          ? { kind: "delete", key }
          : { kind: "put", key, value: valueOf(key, sequence) },
      ),
    );
    const acknowledged: Acknowledged = { revision, writes };
    writeSync(this.#marks, `${JSON.stringify(acknowledged)}\n`);
  }
}
