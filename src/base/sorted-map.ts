import { LargeMap } from "./large-map.ts";

interface Chunk<V> {
  /** The epoch in which this chunk was made: an older one may be shared with a snapshot. */
  readonly epoch: number;
  readonly keys: string[];
  readonly values: V[];
}

/**
 * Most entries of one chunk. An insert moves half of one on average; doubling it doubles that, halving it doubles
 * the list of chunks that a lookup searches and a snapshot shares.
 */
const CHUNK_ENTRIES_MAX = 256;

/** A map in the order of its keys, as it was at one moment or (the map itself) as it is now. */
export interface SortedView<V> {
  readonly size: number;
  get(key: string): V | undefined;
  /** Up to `limit` values with `from` ≤ key < `to`, ascending. */
  slice(from: string, to: string, limit: number): V[];
  /** How many keys are in `from` ≤ key < `to`. */
  count(from: string, to: string): number;
  /** The view as it is now, for good. */
  snapshot(): SortedView<V>;
}

/**
 * A map that keeps its keys in order, with snapshots that cost nothing until the next change.
 *
 * Why chunks: an insert into one array of 150,000 keys would move them all. A snapshot shares all chunks; a change
 * copies the one chunk it touches.
 */
export class SortedMap<V> implements SortedView<V> {
  #chunks: Chunk<V>[] = [];
  /** Every entry by its key: a lookup costs a twentieth of a search among strings that begin alike. */
  readonly #byKey = new LargeMap<V>();
  #epoch = 0;
  #isListShared = false;

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): V | undefined {
    return this.#byKey.get(key);
  }

  slice(from: string, to: string, limit: number): V[] {
    return sliceOf(this.#chunks, from, to, limit);
  }

  count(from: string, to: string): number {
    return rank(this.#chunks, to) - rank(this.#chunks, from);
  }

  /** @returns the value that `key` had before. */
  set(key: string, value: V): V | undefined {
    if (this.#chunks.length === 0) this.#chunks.push({ epoch: this.#epoch, keys: [], values: [] });
    this.#byKey.set(key, value);
    const at = Math.max(0, chunkOf(this.#chunks, key));
    const chunk = this.#own(at);
    const index = lowerBound(chunk.keys, key);
    if (chunk.keys[index] === key) {
      const old = chunk.values[index];
      chunk.values[index] = value;
      return old;
    }
    chunk.keys.splice(index, 0, key);
    chunk.values.splice(index, 0, value);
    if (chunk.keys.length > CHUNK_ENTRIES_MAX) this.#split(at);
    return undefined;
  }

  /** @returns the value that `key` had. */
  delete(key: string): V | undefined {
    if (!this.#byKey.delete(key)) return undefined;
    const at = chunkOf(this.#chunks, key);
    const chunk = this.#own(at);
    const index = lowerBound(chunk.keys, key);
    chunk.keys.splice(index, 1);
    const [old] = chunk.values.splice(index, 1);
    if (chunk.keys.length === 0) this.#chunks.splice(at, 1);
    return old;
  }

  snapshot(): SortedView<V> {
    this.#epoch++;
    this.#isListShared = true;
    return new Snapshot(this.#chunks, this.size);
  }

  /** The chunk at `at`, copied first when a snapshot may hold it. */
  #own(at: number): Chunk<V> {
    if (this.#isListShared) {
      this.#chunks = this.#chunks.slice();
      this.#isListShared = false;
    }
    const chunk = this.#chunks[at]!;
    if (chunk.epoch === this.#epoch) return chunk;
    const own = { epoch: this.#epoch, keys: chunk.keys.slice(), values: chunk.values.slice() };
    this.#chunks[at] = own;
    return own;
  }

  #split(at: number): void {
    const chunk = this.#chunks[at]!;
    // Keys that only grow (generated names, times) would leave every chunk half empty if split in the middle.
    const isLast = at === this.#chunks.length - 1;
    const middle = isLast ? chunk.keys.length - 16 : chunk.keys.length >>> 1;
    const right = {
      epoch: this.#epoch,
      keys: chunk.keys.splice(middle),
      values: chunk.values.splice(middle),
    };
    this.#chunks.splice(at + 1, 0, right);
  }
}

class Snapshot<V> implements SortedView<V> {
  readonly size: number;
  readonly #chunks: readonly Chunk<V>[];

  constructor(chunks: readonly Chunk<V>[], size: number) {
    this.#chunks = chunks;
    this.size = size;
  }

  get(key: string): V | undefined {
    return lookUp(this.#chunks, key);
  }

  slice(from: string, to: string, limit: number): V[] {
    return sliceOf(this.#chunks, from, to, limit);
  }

  count(from: string, to: string): number {
    return rank(this.#chunks, to) - rank(this.#chunks, from);
  }
  snapshot(): this {
    return this;
  }
}

function lookUp<V>(chunks: readonly Chunk<V>[], key: string): V | undefined {
  const at = chunkOf(chunks, key);
  if (at < 0) return undefined;
  const chunk = chunks[at]!;
  const index = lowerBound(chunk.keys, key);
  return chunk.keys[index] === key ? chunk.values[index] : undefined;
}

function sliceOf<V>(chunks: readonly Chunk<V>[], from: string, to: string, limit: number): V[] {
  const out: V[] = [];
  for (let at = Math.max(0, chunkOf(chunks, from)); at < chunks.length; at++) {
    const { keys, values } = chunks[at]!;
    for (let index = lowerBound(keys, from); index < keys.length; index++) {
      if (out.length >= limit || keys[index]! >= to) return out;
      out.push(values[index]!);
    }
  }
  return out;
}

/** How many keys are below `key`. */
function rank<V>(chunks: readonly Chunk<V>[], key: string): number {
  const at = chunkOf(chunks, key);
  if (at < 0) return 0;
  let count = lowerBound(chunks[at]!.keys, key);
  for (let before = 0; before < at; before++) count += chunks[before]!.keys.length;
  return count;
}

/** The last chunk whose first key is ≤ `key`; -1: all are above it. */
function chunkOf<V>(chunks: readonly Chunk<V>[], key: string): number {
  let low = 0;
  let high = chunks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (chunks[middle]!.keys[0]! <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The index of the first key ≥ `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
