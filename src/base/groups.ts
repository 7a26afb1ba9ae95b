/**
 * Things by texts that they have: each has a name of its own, and is in any number of groups.
 *
 * Why it remembers the groups of each: who folds changes need not know how a thing was before, and a change costs the groups of one
 * thing, not a look at all.
 */
export class Groups<T = string> {
  readonly #groupsOf = new Map<string, readonly string[]>();
  readonly #members = new Map<string, Map<string, T>>();

  /** The thing of that name is in these groups now, and in no others. */
  put(name: string, groups: readonly string[], thing: T): void {
    const before = this.groupsOf(name);
    const isSame =
      before.length === groups.length && before.every((group, at) => group === groups[at]);
    if (isSame) {
      for (const group of groups) this.#members.get(group)!.set(name, thing);
      return;
    }
    this.remove(name);
    if (groups.length === 0) return;
    this.#groupsOf.set(name, groups);
    for (const group of groups) {
      const members = this.#members.get(group);
      if (members) members.set(name, thing);
      else this.#members.set(group, new Map([[name, thing]]));
    }
  }

  remove(name: string): void {
    for (const group of this.groupsOf(name)) {
      const members = this.#members.get(group);
      if (members?.delete(name) && members.size === 0) this.#members.delete(group);
    }
    this.#groupsOf.delete(name);
  }

  /** As they came. */
  of(group: string): readonly T[] {
    return [...(this.#members.get(group)?.values() ?? [])];
  }

  /** The first so many of {@link of}. */
  firstOf(group: string, count: number): readonly T[] {
    const first: T[] = [];
    for (const thing of this.#members.get(group)?.values() ?? []) {
      if (first.length >= count) break;
      first.push(thing);
    }
    return first;
  }

  /** How many there are in a group. */
  count(group: string): number {
    return this.#members.get(group)?.size ?? 0;
  }

  has(group: string): boolean {
    return this.#members.has(group);
  }

  groupsOf(name: string): readonly string[] {
    return this.#groupsOf.get(name) ?? NONE;
  }

  /** All that have members. */
  groups(): Iterable<string> {
    return this.#members.keys();
  }

  get isEmpty(): boolean {
    return this.#groupsOf.size === 0;
  }
}

const NONE: readonly string[] = [];
