import type { Scan } from "./event-reader.ts";

/** What watchers of one resource found in its events, by the place they began at and their predicate, until it changes. */
export class Scans {
  readonly #byPlace = new Map<number, Map<string, Scan>>();

  get(from: number, predicate: string): Scan | undefined {
    return this.#byPlace.get(from)?.get(predicate);
  }

  set(from: number, predicate: string, scan: Scan): void {
    const known = this.#byPlace.get(from);
    if (known) known.set(predicate, scan);
    else this.#byPlace.set(from, new Map([[predicate, scan]]));
  }

  clear(): void {
    if (this.#byPlace.size > 0) this.#byPlace.clear();
  }
}
