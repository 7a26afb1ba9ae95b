import type { Head, LogEntry, Position } from "./backend.ts";
import { headOf } from "./log-entry.ts";
import { compareKeys, comparePositions } from "./order.ts";
import type { Revision } from "./store.ts";

/** Entries that are newer than what a backend holds, to be read before it. */
export class Overlay {
  /** Ascending by position. */
  readonly #entries: LogEntry[] = [];
  readonly #newest = new Map<string, LogEntry>();

  get size(): number {
    return this.#entries.length;
  }

  /** `entries`: above all that came before. */
  add(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#newest.set(entry.key, entry);
    }
  }

  head(key: string): Head | undefined {
    const entry = this.#newest.get(key);
    return entry && headOf(entry);
  }

  entry(key: string, position: Position): LogEntry | undefined {
    const newest = this.#newest.get(key);
    if (!newest) return undefined;
    if (comparePositions(newest.position, position) === 0) return newest;
    const found = this.#entries[this.#indexOf(position)];
    return found && comparePositions(found.position, position) === 0 ? found : undefined;
  }

  /** As {@link Backend.heads}. */
  *heads(from: string, to: string): Generator<readonly [string, Head], undefined> {
    const isInside = (key: string): boolean =>
      compareKeys(from, key) <= 0 && compareKeys(key, to) < 0;
    for (const key of [...this.#newest.keys()].filter(isInside).sort(compareKeys))
      yield [key, headOf(this.#newest.get(key)!)];
    return undefined;
  }

  /** As {@link Backend.entries}. */
  *entries(after: Revision, upTo: Revision): Generator<LogEntry, undefined> {
    for (let i = this.#indexOf({ revision: after + 1, sub: 0 }); i < this.#entries.length; i++) {
      const entry = this.#entries[i]!;
      if (entry.position.revision > upTo) return undefined;
      yield entry;
    }
    return undefined;
  }

  /** Of the first entry at or after `position`. */
  #indexOf(position: Position): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (comparePositions(this.#entries[middle]!.position, position) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
