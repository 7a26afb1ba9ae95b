import assert from "node:assert/strict";
import { it } from "node:test";
import type { Random } from "../../base/random.ts";
import { SeededRandom } from "../../base/seeded-random.ts";
import type { Store, Write } from "../store.ts";
import { changeText, inPlace, iterate, listing, readTo, type NewPlace } from "./in-store.ts";

const SEEDS = [1, 2, 3];
/** Rounds of 1 to 5 concurrent commits. Enough that every pair of operations meets on the six keys. */
const ROUNDS = 120;
const KEYS = ["/a", "/b", "/b/c", "/volatile/d", "/volatile/e", "/z"];

interface Version {
  readonly value: string;
  readonly mod: number;
  readonly create: number;
}

/** The contract in the simplest words: every snapshot whole, every change in a list. */
class Model {
  readonly snapshots: ReadonlyMap<string, Version>[] = [new Map(), new Map()];
  readonly changes: { readonly revision: number; readonly text: string }[] = [];

  get revision(): number {
    return this.snapshots.length - 1;
  }

  commit(writes: readonly Write[]): string {
    const now = this.snapshots[this.revision]!;
    const refused = writes.find(
      (write) => write.expect !== undefined && write.expect !== (now.get(write.key)?.mod ?? 0),
    );
    if (refused)
      return `conflict ${refused.key} ${now.get(refused.key)?.value} at ${this.revision}`;
    const next = new Map(now);
    const revision = this.revision + 1;
    const texts = writes.flatMap((write) => this.#apply(next, write, revision));
    if (texts.length > 0) this.snapshots.push(next);
    for (const text of texts) this.changes.push({ revision, text });
    return `committed ${this.revision}`;
  }

  listing(revision: number): string {
    return [...this.snapshots[revision]!]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, { value, mod, create }]) => `${key}=${value}@${mod}/${create}`)
      .join(" ");
  }

  #apply(next: Map<string, Version>, write: Write, revision: number): string[] {
    const old = next.get(write.key);
    const create = old?.create ?? revision;
    const tail = `@${revision}/${create}<${old?.mod ?? 0}`;
    if (write.kind === "delete") return next.delete(write.key) ? [`-${write.key}${tail}`] : [];
    const value = write.value.toString();
    next.set(write.key, { value, mod: revision, create });
    return [`+${write.key}=${value}${tail}`];
  }
}

/** Random commits, compactions and restarts on a store and on the model, compared all along. */
export function modelSuite(newPlace: NewPlace): void {
  for (const seed of SEEDS)
    it(
      `does what the model does (seed ${seed})`,
      inPlace(newPlace, async (place) => {
        const random = new SeededRandom(seed);
        const model = new Model();
        let store = await place.open();
        for (let round = 0; round < ROUNDS; round++) {
          await playRound(store, model, random);
          if (random.integer(12) === 0) await store.compact(randomRevision(store, random));
          if (random.integer(30) > 0) continue;
          await store.close();
          store = await place.open();
        }
        await compareHistory(store, model);
        await store.close();
      }),
    );
}

async function playRound(store: Store, model: Model, random: Random): Promise<void> {
  const calls = Array.from({ length: 1 + random.integer(5) }, () => {
    const writes = randomWrites(model, random);
    const expected = model.commit(writes);
    return { expected, result: store.commit(writes) };
  });
  for (const { expected, result } of calls) {
    const got = await result;
    const text =
      got.kind === "committed"
        ? `committed ${got.revision}`
        : `conflict ${got.key} ${got.current?.value.toString()} at ${got.revision}`;
    assert.equal(text, expected);
  }
  const revision = randomRevision(store, random);
  assert.equal(await listing(store, "/", revision), model.listing(revision));
}

function randomRevision(store: Store, random: Random): number {
  const oldest = Math.max(1, store.compactedRevision());
  return oldest + random.integer(store.revision() - oldest + 1);
}

function randomWrites(model: Model, random: Random): Write[] {
  const isVolatile = random.integer(3) === 0;
  const keys = KEYS.filter((key) => key.startsWith("/volatile/") === isVolatile);
  const chosen = keys.filter(() => random.integer(2) === 0);
  return (chosen.length > 0 ? chosen : keys.slice(0, 1)).map((key): Write => {
    const mod = model.snapshots[model.revision]!.get(key)?.mod ?? 0;
    const expect = [undefined, mod, mod, 0][random.integer(4)];
    const condition = expect === undefined ? {} : { expect };
    if (random.integer(3) === 0) return { kind: "delete", key, ...condition };
    return { kind: "put", key, value: Buffer.from(`v${random.integer(1000)}`), ...condition };
  });
}

async function compareHistory(store: Store, model: Model): Promise<void> {
  const oldest = Math.max(1, store.compactedRevision());
  for (let revision = oldest; revision <= model.revision; revision++)
    assert.equal(await listing(store, "/", revision), model.listing(revision));
  const from = randomRevision(store, new SeededRandom(0));
  const batches = await readTo(
    iterate(store, "/", from),
    from === store.revision() ? 0 : model.revision,
  );
  assert.deepEqual(
    batches.flatMap((batch) => batch.changes).map(changeText),
    model.changes.filter((change) => change.revision > from).map((change) => change.text),
  );
}
