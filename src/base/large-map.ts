/** Entries of one map above which it is divided. Doubling doubles the longest step, half a millisecond. */
const ENTRIES_MAX = 8192;
/** Parts of a divided map: enough for a million entries without a long step. */
const PARTS = 64;

/**
 * A map that may become large and never holds the event loop to grow.
 *
 * Why: a `Map` that outgrows its table fills one of twice the size in one go, 20 ms at 130,000 entries; and all maps over the
 * same objects do so at the same moment. The parts of this one grow alone.
 * @shape a small one is one `Map`. Its order is not that of insertion.
 */
export class LargeMap<V> {
  #whole: Map<string, V> | undefined = new Map();
  #parts: Map<string, V>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    return this.#of(key).get(key);
  }

  has(key: string): boolean {
    return this.#of(key).has(key);
  }

  set(key: string, value: V): this {
    const part = this.#of(key);
    const before = part.size;
    part.set(key, value);
    this.#size += part.size - before;
    if (this.#whole && this.#size > ENTRIES_MAX) this.#divide(this.#whole);
    return this;
  }

  /** @returns whether there was one. */
  delete(key: string): boolean {
    const isThere = this.#of(key).delete(key);
    if (isThere) this.#size--;
    return isThere;
  }

  *values(): Generator<V, void> {
    if (this.#whole) yield* this.#whole.values();
    else for (const part of this.#parts) yield* part.values();
  }

  #of(key: string): Map<string, V> {
    return this.#whole ?? this.#parts[partOf(key)]!;
  }

  #divide(whole: Map<string, V>): void {
    this.#parts = Array.from({ length: PARTS }, () => new Map<string, V>());
    for (const [key, value] of whole) this.#parts[partOf(key)]!.set(key, value);
    this.#whole = undefined;
  }
}

/** Characters of a key that are looked at: the last ones, where random names differ, and some of all places. */
const LAST = 4;
const OTHERS = 8;

/** Where a divided map has `key`. */
export function partOf(key: string): number {
  const others = Math.max(0, key.length - LAST);
  const stride = Math.max(1, Math.floor(others / OTHERS));
  let sum = key.length;
  for (let at = others; at < key.length; at++) sum = (Math.imul(sum, 31) + key.charCodeAt(at)) | 0;
  for (let at = others - 1; at >= 0; at -= stride)
    sum = (Math.imul(sum, 31) + key.charCodeAt(at)) | 0;
  return (sum ^ (sum >>> 6) ^ (sum >>> 12)) & (PARTS - 1);
}
