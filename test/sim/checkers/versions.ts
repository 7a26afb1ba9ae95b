import type { KubeObject } from "../../../src/api/machinery/object.ts";
import type { Change } from "../world/history.ts";

/** What there was under each name, and when: whoever reads late may have read any of it. */
export class Versions {
  readonly #byKey = new Map<string, { readonly atMs: number; readonly object?: KubeObject }[]>();

  note({ resource, key, atMs, object }: Change): void {
    const place = `${resource} ${key}`;
    const own = this.#byKey.get(place) ?? [];
    own.push(object ? { atMs, object } : { atMs });
    this.#byKey.set(place, own);
  }

  /** What was there at `since` or later, the newest last; `undefined` for nothing. */
  of<T extends KubeObject>(
    resource: string,
    key: string,
    since: number,
  ): readonly (T | undefined)[] {
    const all = this.#byKey.get(`${resource} ${key}`) ?? [];
    const first = all.findLastIndex(({ atMs }) => atMs <= since);
    const before = first < 0 ? [undefined] : [];
    return [
      ...before,
      ...all.slice(Math.max(0, first)).map(({ object }) => object as T | undefined),
    ];
  }
}
