import assert from "node:assert/strict";
import { prefixEnd, type Change, type Store, type WatchBatch, type Write } from "../store.ts";
import type { StorePlace } from "../store-suite.ts";

export type NewPlace = () => Promise<StorePlace>;

/** Adds a test whose body gets an empty store. */
export type AddTest = (name: string, body: (store: Store) => Promise<void>) => void;

/** A test's body with an empty store, which is closed and removed afterwards. */
export function inStore(
  newPlace: NewPlace,
  test: (store: Store) => Promise<void>,
): () => Promise<void> {
  return () =>
    inPlace(newPlace, async (place) => {
      const store = await place.open();
      await test(store).finally(() => store.close());
    })();
}

/** A test's body with a place, which is removed afterwards. */
export function inPlace(
  newPlace: NewPlace,
  test: (place: StorePlace) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const place = await newPlace();
    await test(place).finally(() => place.remove());
  };
}

/** `put("a=1")`, `put("a=1 if 3")`: a write with an optional expectation. */
export function put(text: string): Write {
  const [, key, value, expect] = /^(.+?)=(\S*)(?: if (\d+))?$/.exec(text)!;
  const write = { kind: "put", key: key!, value: Buffer.from(value!) } as const;
  return expect === undefined ? write : { ...write, expect: Number(expect) };
}

/** `remove("a")`, `remove("a if 3")`. */
export function remove(text: string): Write {
  const [key, expect] = text.split(" if ");
  const write = { kind: "delete", key: key! } as const;
  return expect === undefined ? write : { ...write, expect: Number(expect) };
}

/** Commits, and is sure that it was committed. @returns its revision. */
export async function committed(store: Store, ...writes: Write[]): Promise<number> {
  const result = await store.commit(writes);
  assert.equal(result.kind, "committed");
  return result.revision;
}

/** All below `prefix` as `key=value@mod/create`, blanks between. */
export async function listing(store: Store, prefix = "/", revision?: number): Promise<string> {
  const { records } = await store.range({
    from: prefix,
    to: prefixEnd(prefix),
    ...(revision !== undefined && { revision }),
  });
  return records
    .map((r) => `${r.key}=${r.value.toString()}@${r.modRevision}/${r.createRevision}`)
    .join(" ");
}

/** `+key=value@revision/create<previous` or `-key@…`. */
export function changeText(change: Change): string {
  const value = change.kind === "put" ? `=${change.value!.toString()}` : "";
  const sign = change.kind === "put" ? "+" : "-";
  const { key, revision, createRevision, previousRevision } = change;
  return `${sign}${key}${value}@${revision}/${createRevision}<${previousRevision}`;
}

/** The changes of `prefix` after `from`, up to the store's newest revision. */
export async function changesSince(store: Store, prefix: string, from: number): Promise<string[]> {
  const batches = await readTo(iterate(store, prefix, from), store.revision());
  return batches.flatMap((batch) => batch.changes).map(changeText);
}

/** A watch's iterator. */
export function iterate(store: Store, prefix: string, from: number): AsyncIterator<WatchBatch> {
  return store.watch(prefix, from)[Symbol.asyncIterator]();
}

/** Reads batches until one reaches `revision`, then ends the watch. */
export async function readTo(
  watch: AsyncIterator<WatchBatch>,
  revision: number,
): Promise<WatchBatch[]> {
  const batches: WatchBatch[] = [];
  while ((batches.at(-1)?.revision ?? 0) < revision) {
    const { done, value } = await watch.next();
    assert.ok(!done, "the watch ended early");
    batches.push(value as WatchBatch);
  }
  await watch.return?.();
  return batches;
}
