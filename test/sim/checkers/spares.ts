/**
 * How many Pods something could do without at each moment, and how many were taken since: whoever takes one may have read what was
 * true a while ago, and knows what was taken after that.
 */
export class Spares {
  readonly #counts = new Map<string, { readonly atMs: number; readonly spare: number }[]>();
  readonly #taken = new Map<string, number[]>();

  /** From `atMs` on `uid` can do without `spare`. */
  note(uid: string, atMs: number, spare: number): void {
    const own = this.#counts.get(uid) ?? [];
    this.#counts.set(uid, own);
    own.push({ atMs, spare });
  }

  /** One is taken now. @returns whether it was to spare, by something that was true at `since` or later */
  take(uid: string, atMs: number, since: number): boolean {
    const taken = [...(this.#taken.get(uid) ?? []), atMs];
    this.#taken.set(uid, taken);
    const all = this.#counts.get(uid) ?? [];
    const known = all.slice(
      Math.max(
        0,
        all.findLastIndex((count) => count.atMs <= since),
      ),
    );
    return known.some(
      (count) => taken.filter((at) => at > count.atMs || at === atMs).length <= count.spare,
    );
  }
}
