import type { V1Container, V1ObjectMeta, V1PodSpec } from "../../../gen/types.ts";

/** A Pod, or the template of some. */
export interface CheckedPod {
  readonly metadata?: Pick<V1ObjectMeta, "annotations">;
  readonly spec?: V1PodSpec;
}

/** What a check found: `reason (detail)`. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

/** One rule of a level. */
export interface Check {
  /** Upstream's ID: checks of a level are named in its order. */
  readonly id: string;
  /** First minor version of Kubernetes whose level has this rule. */
  readonly since: number;
  /** Of a restricted check: the baseline check that it takes the place of. */
  readonly replaces?: string;
  run(pod: CheckedPod, minor: number): Violation | undefined;
}

/** All containers of a Pod; ephemeral ones have what checks look at. */
export function containersOf({ spec }: CheckedPod): readonly V1Container[] {
  return [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
}

/** `a`, `b` as `"a", "b"`. */
export function quoted(items: readonly string[]): string {
  return items.map((item) => JSON.stringify(item)).join(", ");
}

/** `container "a"`, `containers "a", "b"` */
export function named(noun: string, items: readonly string[]): string {
  return `${plural(noun, items.length)} ${quoted(items)}`;
}

/** `noun` in the number of `count`. */
export function plural(noun: string, count: number): string {
  return count === 1 ? noun : `${noun}s`;
}

/** `pod and containers "a", "b"`: who sets a field that must not be set; "" for nobody. */
export function setters(isPod: boolean, containers: readonly string[]): string {
  return [
    ...(isPod ? ["pod"] : []),
    ...(containers.length > 0 ? [named("container", containers)] : []),
  ].join(" and ");
}

/** Sorted, each once. */
export function sorted(items: readonly string[]): readonly string[] {
  return [...new Set(items)].sort();
}
