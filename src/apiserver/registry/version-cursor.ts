import type { SortedView } from "../../base/sorted-map.ts";
import type { ObjectVersion } from "./object-version.ts";
import type { Predicate } from "./predicate.ts";

/** Versions in key order, handed out step by step: whoever makes a long list of them stops when its slice is over. */
export interface VersionCursor {
  /** Looks at up to `max` more versions. @returns those that are wanted: perhaps none, although there are more. */
  next(max: number): readonly ObjectVersion[];
  /** True when `next` will return nothing any more. */
  readonly isDone: boolean;
}

/** The versions of an array. */
export class ArrayCursor implements VersionCursor {
  readonly #versions: readonly ObjectVersion[];
  #at = 0;

  constructor(versions: readonly ObjectVersion[]) {
    this.#versions = versions;
  }

  get isDone(): boolean {
    return this.#at >= this.#versions.length;
  }

  next(max: number): readonly ObjectVersion[] {
    const begin = this.#at;
    this.#at = Math.min(begin + max, this.#versions.length);
    return begin === 0 && this.isDone ? this.#versions : this.#versions.slice(begin, this.#at);
  }
}

/** What `predicate` wants of a view, from the key `from` on. A view that may change before the end must be frozen. */
export class ViewCursor implements VersionCursor {
  #view: SortedView<ObjectVersion>;
  readonly #predicate: Predicate;
  #from: string;
  isDone = false;

  constructor(view: SortedView<ObjectVersion>, predicate: Predicate, from: string) {
    this.#view = view;
    this.#predicate = predicate;
    this.#from = from;
  }

  /** Reads on in the view as it is now, whatever becomes of it. */
  freeze(): void {
    this.#view = this.#view.snapshot();
  }

  next(max: number): readonly ObjectVersion[] {
    const { matches, to } = this.#predicate;
    const step = this.#view.slice(this.#from, to, max);
    if (step.length < max) this.isDone = true;
    else this.#from = `${step.at(-1)!.key}\u0000`;
    return matches ? step.filter((version) => matches(version.object)) : step;
  }
}

/** Each version of `cursor` as `seen` shows it. */
export function mapped(
  cursor: VersionCursor,
  seen: (version: ObjectVersion) => ObjectVersion,
): VersionCursor {
  return {
    get isDone() {
      return cursor.isDone;
    },
    next: (max) => cursor.next(max).map(seen),
  };
}
