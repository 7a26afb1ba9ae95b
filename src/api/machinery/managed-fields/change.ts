import { compareTyped, excludeFields, type Comparison } from "./compare.ts";
import { difference, intersection, isEmptySet, union, type FieldSet } from "./field-set.ts";
import type { ManagedSet, Managers } from "./managers.ts";
import type { ManagedScope } from "./scope.ts";

/** What a change of an object means for its managers. */
export interface ChangeOfManagers {
  /** Without what others lost; those whose version is served no more are gone. */
  readonly managers: Managers;
  /** In the version of the request. */
  readonly comparison: Comparison;
  /** What others own of what changed, by their keys, sorted. */
  readonly conflicts: readonly (readonly [string, FieldSet])[];
}

/**
 * Compares two states of an object in the version of each manager, and takes from all but `self` what changed or went.
 *
 * @throws {NoPlace} an item of a list has no place in it.
 * @spec structured-merge-diff v6 merge/update.go update
 */
export function changeManagers(
  scope: ManagedScope,
  before: object,
  after: object,
  managers: Managers,
  self: string,
): ChangeOfManagers {
  const comparison = excludeFields(
    compareTyped(scope.type, before, after, scope.reset),
    scope.reset,
  );
  const versions = new Map<string, Comparison | undefined>([[scope.apiVersion, comparison]]);
  const next = new Map<string, ManagedSet>();
  const conflicts: [string, FieldSet][] = [];
  for (const [key, managed] of managers) {
    if (key === self) {
      next.set(key, managed);
      continue;
    }
    const { apiVersion, set } = managed;
    if (!versions.has(apiVersion))
      versions.set(apiVersion, compareIn(scope, apiVersion, before, after));
    const own = versions.get(apiVersion);
    if (!own) continue;
    const taken = intersection(set, union(own.modified, own.added));
    if (!isEmptySet(taken)) conflicts.push([key, taken]);
    const kept = difference(difference(set, taken), own.removed);
    if (!isEmptySet(kept)) next.set(key, kept === set ? managed : { ...managed, set: kept });
  }
  conflicts.sort(([a], [b]) => (a < b ? -1 : 1));
  return { managers: next, comparison, conflicts };
}

function compareIn(
  scope: ManagedScope,
  apiVersion: string,
  before: object,
  after: object,
): Comparison | undefined {
  const [old, now] = [scope.convert(before, apiVersion), scope.convert(after, apiVersion)];
  if (!old || !now) return undefined;
  return excludeFields(compareTyped(now.type, old.object, now.object, scope.reset), scope.reset);
}
