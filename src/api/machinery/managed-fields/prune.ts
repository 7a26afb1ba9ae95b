import type { TypedObject } from "./scope.ts";
import type { ManagedScope } from "./scope.ts";
import {
  difference,
  EMPTY_SET,
  intersection,
  isEmptySet,
  union,
  type FieldSet,
} from "./field-set.ts";
import type { ManagedSet, Managers } from "./managers.ts";
import { fieldSetOfValue, withNamedFields, withoutFields } from "./typed-sets.ts";

/**
 * The merged object without fields, map keys and list items that the manager applied last time, does not apply now, and
 * nobody else owns.
 *
 * @shape   `managers`: with what the manager applies now. `last`: what it applied before.
 * @spec structured-merge-diff v6 merge/update.go prune, addBackOwnedItems, addBackDanglingItems
 */
export function pruned(
  scope: ManagedScope,
  merged: object,
  managers: Managers,
  last: ManagedSet,
): object {
  if (isEmptySet(last.set)) return merged;
  const whole = scope.convert(merged, last.apiVersion);
  if (!whole) return merged;
  const lastSet = withNamedFields(whole.type, last.set);
  const removed = { ...whole, object: objectWithout(whole, lastSet) };
  const owned = addBackOwned(scope, whole, removed, managers);
  const left = addBackDangling(scope, whole, owned, last.apiVersion, lastSet);
  return scope.convert(left, scope.apiVersion)?.object ?? merged;
}

function objectWithout({ type, object }: TypedObject, fields: FieldSet): object {
  return (withoutFields(type, object, fields) ?? {}) as object;
}

/** Puts back what somebody owns. */
function addBackOwned(
  scope: ManagedScope,
  whole: TypedObject,
  removed: TypedObject,
  managers: Managers,
): TypedObject {
  const ownedIn = new Map<string, FieldSet>();
  for (const { apiVersion, set } of managers.values())
    ownedIn.set(apiVersion, union(ownedIn.get(apiVersion) ?? EMPTY_SET, set));
  let left = removed;
  for (const [apiVersion, owned] of ownedIn) {
    const full = scope.convert(whole.object, apiVersion);
    const rest = scope.convert(left.object, apiVersion);
    if (!full || !rest) continue;
    const named = (set: FieldSet): FieldSet => withNamedFields(full.type, set);
    const all = named(fieldSetOfValue(full.type, full.object));
    const kept = union(named(fieldSetOfValue(rest.type, rest.object)), named(owned));
    left = { type: full.type, object: objectWithout(full, difference(all, kept)) };
  }
  return left;
}

/** Puts back what nobody owned: only what the manager itself had goes. */
function addBackDangling(
  scope: ManagedScope,
  whole: TypedObject,
  left: TypedObject,
  apiVersion: string,
  lastSet: FieldSet,
): object {
  const rest = scope.convert(left.object, apiVersion) ?? left;
  const named = (object: object): FieldSet =>
    withNamedFields(whole.type, fieldSetOfValue(whole.type, object));
  const gone = difference(named(whole.object), named(rest.object));
  return objectWithout(whole, intersection(gone, lastSet));
}
