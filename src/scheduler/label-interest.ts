import type { AffinityTerms } from "./affinity-terms.ts";
import { allTerms } from "./affinity-terms.ts";

/** Keys that are told apart. With more, all labels count: Pods then are of more classes than need be, and nothing else. */
const KEYS_MAX = 10_000;

/**
 * Which labels of a Pod somebody's affinity terms look at.
 *
 * Why: terms of placed Pods select by labels of Pods that come later. Were all labels part of a Pod's class, no two Pods of a
 * StatefulSet would be of one; a term reads only the labels that its selector names. Only grows; `version` tells when.
 */
export class LabelInterest {
  readonly #keys = new Set<string>();
  readonly #seen = new WeakSet<AffinityTerms>();
  #hasTerms = false;
  #version = 0;

  get version(): number {
    return this.#version;
  }

  /** A Pod with these terms is placed. */
  add(terms: AffinityTerms): void {
    if (this.#seen.has(terms)) return;
    this.#seen.add(terms);
    const size = this.#keys.size;
    for (const { selector } of allTerms(terms))
      for (const { key } of selector.requirements) if (size <= KEYS_MAX) this.#keys.add(key);
    if (this.#hasTerms && this.#keys.size === size) return;
    this.#hasTerms = true;
    this.#version++;
  }

  /** The labels that terms can tell Pods apart by, in order of their keys; `undefined`: there are no terms. */
  relevant(
    labels: Readonly<Record<string, string>> = {},
  ): Readonly<Record<string, string>> | undefined {
    if (!this.#hasTerms) return undefined;
    const keys = Object.keys(labels).filter(
      (key) => this.#keys.size > KEYS_MAX || this.#keys.has(key),
    );
    return Object.fromEntries(keys.sort().map((key) => [key, labels[key]!]));
  }
}
