import { equalJson } from "../equality.ts";
import type { KubeObject } from "../object.ts";
import { changeManagers } from "./change.ts";
import { createdFields } from "./created-fields.ts";
import { difference, isEmptySet, recursiveDifference, union, type FieldSet } from "./field-set.ts";
import { NoPlace } from "./list-item.ts";
import {
  cappedManagers,
  isReset,
  managedEntry,
  managerKey,
  NO_MANAGERS,
  readManagers,
  withSet,
  writeManagers,
  type ManagedFieldsEntry,
  type Managers,
} from "./managers.ts";
import { STRIPPED, type ManagedScope } from "./scope.ts";

/** Who writes, and when. */
export interface Writer {
  readonly manager: string;
  /** RFC 3339 in seconds. */
  readonly time: string;
}

/** The set that stands for the request while its changes are found; a name that no request can have. */
const SELF = "";

/**
 * The `managedFields` of an object that is being created: all it says belongs to `writer`, beside what a client put there itself.
 *
 * @returns `undefined`: the object says nothing that anybody could own.
 * @spec k8s@1.36 managedfields/internal/fieldmanager.go Update
 */
export function managedAtCreation(
  scope: ManagedScope,
  object: KubeObject,
  writer: Writer,
): readonly ManagedFieldsEntry[] | undefined {
  const given = object.metadata?.managedFields;
  if (given && given.length > 0 && !isReset(given)) {
    const managers = readManagers(given);
    if (managers && managers.size > 0) return trackedFromList(scope, object, managers, writer);
  }
  const fields = created(scope, object);
  if (!fields) return undefined;
  return ownedByOne(scope, fields, writer);
}

/** The list that was made last for a set of fields, and for whom. */
interface MadeList {
  readonly scope: ManagedScope;
  readonly writer: Writer;
  readonly list: readonly [ManagedFieldsEntry];
}

const lastLists = new WeakMap<FieldSet, MadeList>();

/** Objects of one shape that are created in one second have one list. */
function ownedByOne(
  scope: ManagedScope,
  fields: FieldSet,
  writer: Writer,
): readonly [ManagedFieldsEntry] {
  const last = lastLists.get(fields);
  const { manager, time } = writer;
  if (last?.scope === scope && last.writer.manager === manager && last.writer.time === time)
    return last.list;
  const { apiVersion, subresource } = scope;
  const id = { manager, operation: "Update", apiVersion, subresource } as const;
  const list = [managedEntry(id, fields, time)] as const;
  lastLists.set(fields, { scope, writer, list });
  return list;
}

/** What a client's list says of a new object, beside what the client itself sets. */
function trackedFromList(
  scope: ManagedScope,
  object: KubeObject,
  managers: Managers,
  writer: Writer,
): readonly ManagedFieldsEntry[] | undefined {
  try {
    const nothing = { apiVersion: scope.apiVersion, metadata: {} };
    return trackChange(scope, nothing, object, managers, writer);
  } catch (error) {
    if (error instanceof NoPlace) return undefined;
    throw error;
  }
}

function created({ type, reset }: ManagedScope, object: object): FieldSet | undefined {
  try {
    return createdFields(type, object, skippedAtCreation(reset));
  } catch (error) {
    if (error instanceof NoPlace) return undefined;
    throw error;
  }
}

const skippedSets = new WeakMap<FieldSet, FieldSet>();

/** Of a new object `metadata` itself is nobody's in any case: Go always shows it. */
function skippedAtCreation(reset: FieldSet): FieldSet {
  let skipped = skippedSets.get(reset);
  if (!skipped) {
    const { "f:metadata": metadata, ...others } = STRIPPED;
    const { ".": self, ...below } = metadata!;
    void self;
    skipped = union({ ...others, "f:metadata": below }, reset);
    skippedSets.set(reset, skipped);
  }
  return skipped;
}

/**
 * The `managedFields` of an object that was changed from `before` to `after` by anything but an apply.
 *
 * Flow: whose managers count (the client's own list where it sent one to the object itself, else those of `before`) → what
 * changed → others lose it, `writer` gets it → at most ten updaters. Nothing changed: nobody's time changes.
 * @returns `before`'s own list when all stays; `undefined` for none: of an object that is not tracked, until it is applied to.
 * @spec k8s@1.36 managedfields/internal/fieldmanager.go decodeLiveOrNew, skipnonapplied.go, managedfieldsupdater.go
 */
export function managedAfterUpdate(
  scope: ManagedScope,
  before: KubeObject,
  after: KubeObject,
  writer: Writer,
): readonly ManagedFieldsEntry[] | undefined {
  const old = before.metadata?.managedFields as readonly ManagedFieldsEntry[] | undefined;
  const given = after.metadata?.managedFields;
  const managers = countingManagers(scope, old, given);
  if (managers.size === 0) return undefined;
  try {
    return sameOr(old, trackChange(scope, before, after, managers, writer));
  } catch (error) {
    // Objects that break the rules of their lists keep the managers they have.
    if (error instanceof NoPlace) return old;
    throw error;
  }
}

function countingManagers(
  scope: ManagedScope,
  old: readonly ManagedFieldsEntry[] | undefined,
  given: readonly object[] | undefined,
): Managers {
  const live = (): Managers => readManagers(old) ?? NO_MANAGERS;
  if (scope.subresource !== "" || given === undefined || given === old) return live();
  if (isReset(given)) return NO_MANAGERS;
  if (equalJson(given, old)) return live();
  const managers = readManagers(given);
  return managers && managers.size > 0 ? managers : live();
}

function sameOr(
  old: readonly ManagedFieldsEntry[] | undefined,
  entries: readonly ManagedFieldsEntry[],
): readonly ManagedFieldsEntry[] | undefined {
  if (entries.length === 0) return undefined;
  const isSame =
    old?.length === entries.length && entries.every((entry, index) => entry === old[index]);
  return isSame ? old : entries;
}

function trackChange(
  scope: ManagedScope,
  before: object,
  after: object,
  managers: Managers,
  writer: Writer,
): readonly ManagedFieldsEntry[] {
  const change = changeManagers(scope, before, after, managers, SELF);
  const { added, modified, removed } = change.comparison;
  const own = difference(
    recursiveDifference(difference(union(modified, added), removed), scope.reset),
    STRIPPED,
  );
  if (isEmptySet(own)) return writeManagers(cappedManagers(change.managers));
  const { apiVersion, subresource } = scope;
  const id = { manager: writer.manager, operation: "Update", apiVersion, subresource } as const;
  const key = managerKey(id);
  const previous = change.managers.get(key)?.set;
  const set = previous ? union(previous, own) : own;
  const next = withSet(change.managers, key, { ...id, set, time: writer.time });
  return writeManagers(cappedManagers(next));
}
