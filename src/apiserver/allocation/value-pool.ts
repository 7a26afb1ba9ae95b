import type { Random } from "../../base/random.ts";

/** Tries of a random value before the pool is searched from a random point. */
const GUESSES = 16;

/**
 * The whole numbers of one range, each given to at most one owner.
 *
 * Guarantee: a value is taken as long as an object in the cache has it, or a write that would give it is under way.
 * Dynamic values come from the upper part while it has any, so that the lower part stays free for those who ask for one.
 * @spec k8s@1.36 KEP-3070 (addresses), KEP-3668 (node ports)
 */
export class ValuePool {
  readonly first: number;
  readonly last: number;
  readonly #dynamicFirst: number;
  readonly #random: Random;
  /** How many objects have a value: more than one only while a broken state is repaired. */
  readonly #held = new Map<number, number>();
  readonly #reserved = new Set<number>();

  /** `reserveFirst`: how many of the lowest values are given only on request while there are others. */
  constructor(first: number, last: number, reserveFirst: number, random: Random) {
    this.first = first;
    this.last = last;
    this.#dynamicFirst = first + reserveFirst;
    this.#random = random;
  }

  contains(value: number): boolean {
    return value >= this.first && value <= this.last;
  }

  isFree(value: number): boolean {
    return !this.#held.has(value) && !this.#reserved.has(value);
  }

  /** @returns false: taken. */
  reserve(value: number): boolean {
    if (!this.isFree(value)) return false;
    this.#reserved.add(value);
    return true;
  }

  /** @returns `undefined`: all are taken. */
  reserveAny(): number | undefined {
    const value =
      this.#search(this.#dynamicFirst, this.last) ??
      this.#search(this.first, this.#dynamicFirst - 1);
    if (value !== undefined) this.#reserved.add(value);
    return value;
  }

  /** The write that reserved `value` is over. */
  unreserve(value: number): void {
    this.#reserved.delete(value);
  }

  /** The cache has an object with `value`. */
  hold(value: number): void {
    this.#held.set(value, (this.#held.get(value) ?? 0) + 1);
  }

  /** An object with `value` is gone from the cache. */
  letGo(value: number): void {
    const count = this.#held.get(value) ?? 0;
    if (count > 1) this.#held.set(value, count - 1);
    else this.#held.delete(value);
  }

  #search(first: number, last: number): number | undefined {
    const size = last - first + 1;
    if (size <= 0) return undefined;
    for (let guess = 0; guess < GUESSES; guess++) {
      const value = first + this.#random.integer(size);
      if (this.isFree(value)) return value;
    }
    const start = this.#random.integer(size);
    for (let step = 0; step < size; step++) {
      const value = first + ((start + step) % size);
      if (this.isFree(value)) return value;
    }
    return undefined;
  }
}
