import type { Kind } from "../api/machinery/kind.ts";
import type { Cache } from "../client/cache.ts";

/**
 * Waits until caches have passed a revision: how a controller reads its own writes.
 *
 * @spec kubernetes/enhancements KEP-5647 (stale controller mitigation), by one revision line instead of per kind
 */
export class RevisionBarrier {
  readonly #cache: Cache;
  readonly #waiting = new Map<Kind, { revision: number; resolve: () => void }[]>();
  #isClosed = false;

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  /** Watches the revision of `kind`; a kind that is not followed never holds anything up. */
  follow(kind: Kind): void {
    if (this.#waiting.has(kind)) return;
    this.#waiting.set(kind, []);
    this.#cache.onRevision(kind, (revision) => this.#moved(kind, revision));
  }

  /** Resolves when each followed kind has reached its revision. `undefined`: they all have. */
  passed(revisions: ReadonlyMap<Kind, number>): Promise<void> | undefined {
    const waits = [...revisions].flatMap(([kind, revision]) => {
      const waiting = this.#waiting.get(kind);
      if (!waiting || this.#isClosed || this.#cache.revision(kind) >= revision) return [];
      return [new Promise<void>((resolve) => waiting.push({ revision, resolve }))];
    });
    return waits.length ? Promise.all(waits).then(() => {}) : undefined;
  }

  /** Lets everybody go. */
  close(): void {
    this.#isClosed = true;
    for (const kind of this.#waiting.keys()) this.#moved(kind, Infinity);
  }

  #moved(kind: Kind, revision: number): void {
    const waiting = this.#waiting.get(kind)!;
    if (waiting.length === 0) return;
    const due = waiting.filter((wait) => wait.revision <= revision);
    if (due.length === 0) return;
    this.#waiting.set(
      kind,
      waiting.filter((wait) => wait.revision > revision),
    );
    for (const wait of due) wait.resolve();
  }
}
