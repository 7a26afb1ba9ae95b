import { isSmall } from "./is-small.ts";

/**
 * A map that keeps the entries used last and forgets the others.
 *
 * Why two generations and not a list: one lookup and at most one insert per use, and no order to keep.
 * @bounds `entriesMax` to twice as many entries.
 */
export class Recent<K, V extends NonNullable<unknown>> {
  readonly #entriesMax: number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get(key: K): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: K, value: V): void {
    if (this.#young.size >= this.#entriesMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  delete(key: K): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}

/**
 * `make`, remembering what it made of the objects it was last asked about. `make` must be pure, its objects never changed.
 *
 * @bounds remembers small objects alone: `entriesMax` large ones would fill the memory.
 */
export function remembered<K extends object, V extends NonNullable<unknown>>(
  entriesMax: number,
  make: (key: K) => V,
): (key: K) => V {
  const recent = new Recent<K, V>(entriesMax);
  return (key) => {
    let made = recent.get(key);
    if (made !== undefined) return made;
    made = make(key);
    if (isSmall(key)) recent.set(key, made);
    return made;
  };
}

/** Like {@link remembered}, but only of objects that come a second time: those that never do push nothing out. @bounds as there */
export function rememberedOnReturn<K extends object, V extends NonNullable<unknown>>(
  entriesMax: number,
  make: (key: K) => V,
): (key: K) => V {
  const recent = new Recent<K, V>(entriesMax);
  const once = new Recent<K, true>(entriesMax);
  return (key) => {
    const known = recent.get(key);
    if (known !== undefined) return known;
    const made = make(key);
    if (!isSmall(key)) return made;
    if (once.get(key)) recent.set(key, made);
    else once.set(key, true);
    return made;
  };
}
