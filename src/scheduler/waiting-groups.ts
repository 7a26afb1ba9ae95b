import type { ClusterChange } from "./framework.ts";
import type { V1Pod } from "../gen/types.ts";
import type { PodClass } from "./pod-class.ts";
import type { RefusedPods } from "./scheduler-metrics.ts";

/** What groups read of a Pod that waits. */
export interface Waiting<Self> {
  readonly pod: V1Pod;
  readonly podClass: PodClass;
  readonly priority: number;
  /** The group it waits in, or tries for. */
  group: Group<Self> | undefined;
}

/** Pods of one class and priority that the same plugins refused: what helps one helps all. In the order of their refusal. */
export interface Group<Entry> {
  readonly text: string;
  readonly podClass: PodClass;
  readonly refusedBy: ReadonlySet<string>;
  readonly members: Set<Entry>;
  /** The one that tries for all of them. Not a member. */
  scout: Entry | undefined;
  /** A Pod that is placed somewhere may help. */
  readonly heedsPlacements: boolean;
}

/**
 * Refused Pods, in groups that are tried by one of them.
 *
 * Why: where one Pod of a class does not fit, no other does. A full cluster with thousands of waiting Pods then pays one
 * decision for each change, not thousands. Whoever tries for a group and finds a node sends the next.
 */
export class WaitingGroups<Entry extends Waiting<Entry>> {
  readonly #groups = new Map<string, Group<Entry>>();
  /** Those that a Pod may help by being placed: there are many such changes, and mostly no such groups. */
  readonly #heeding = new Set<Group<Entry>>();
  readonly #numbers = new WeakMap<PodClass, number>();
  #classCount = 0;

  /** The Pod was refused. The others of the group that it tried for were refused with it. `own`: what tells it apart. */
  join(entry: Entry, refusedBy: ReadonlySet<string>, own = ""): void {
    const { podClass, priority, group: tried } = entry;
    const text = `${this.#numberOf(podClass)} ${priority} ${[...refusedBy].sort().join()} ${own}`;
    let group = this.#groups.get(text);
    if (!group) {
      const heedsPlacements = podClass.heedsPlacements(refusedBy);
      group = { text, podClass, refusedBy, members: new Set(), scout: undefined, heedsPlacements };
      if (heedsPlacements) this.#heeding.add(group);
      this.#groups.set(text, group);
    }
    if (tried?.scout === entry) tried.scout = undefined;
    if (tried && tried !== group && tried.podClass === podClass) this.#merge(tried, group);
    group.members.add(entry);
    entry.group = group;
  }

  /** Takes a Pod out. @returns the one that tries in its place, when it was the one that tried. */
  leave(entry: Entry): Entry | undefined {
    const { group } = entry;
    entry.group = undefined;
    if (!group) return undefined;
    group.members.delete(entry);
    if (group.scout !== entry) {
      this.#dropEmpty(group);
      return undefined;
    }
    group.scout = undefined;
    return this.#sendNext(group);
  }

  /** The Pods that may try now because of a change: one of each group that it may help and that nobody tries for. */
  helped(change: ClusterChange): readonly Entry[] {
    const sent: Entry[] = [];
    const isPlacement = change.kind === "pod-placed" || change.kind === "pod-changed";
    for (const group of isPlacement ? this.#heeding : this.#groups.values()) {
      if (group.scout || !group.podClass.canBeHelped(change, group.refusedBy)) continue;
      const next = this.#sendNext(group);
      if (next) sent.push(next);
    }
    return sent;
  }

  /** How many Pods each plugin holds back, by the profile that they name. */
  refused(): readonly RefusedPods[] {
    const counts = new Map<string, RefusedPods>();
    for (const { members, scout, refusedBy } of this.#groups.values())
      for (const { pod } of scout ? [scout, ...members] : members)
        for (const plugin of refusedBy) {
          const profile = pod.spec?.schedulerName ?? "";
          const key = `${plugin} ${profile}`;
          const pods = (counts.get(key)?.pods ?? 0) + 1;
          counts.set(key, { plugin, profile, pods });
        }
    return [...counts.values()];
  }

  clear(): void {
    this.#groups.clear();
    this.#heeding.clear();
  }

  #sendNext(group: Group<Entry>): Entry | undefined {
    const [next] = group.members;
    if (next) {
      group.members.delete(next);
      group.scout = next;
    }
    this.#dropEmpty(group);
    return next;
  }

  #merge(from: Group<Entry>, into: Group<Entry>): void {
    for (const member of from.members) {
      into.members.add(member);
      member.group = into;
    }
    from.members.clear();
    this.#dropEmpty(from);
  }

  #dropEmpty(group: Group<Entry>): void {
    const isEmpty = group.members.size === 0 && group.scout === undefined;
    if (!isEmpty || this.#groups.get(group.text) !== group) return;
    this.#groups.delete(group.text);
    this.#heeding.delete(group);
  }

  #numberOf(podClass: PodClass): number {
    let number = this.#numbers.get(podClass);
    if (number === undefined) this.#numbers.set(podClass, (number = this.#classCount++));
    return number;
  }
}
