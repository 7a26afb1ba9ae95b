import type { KubeObject } from "../object.ts";
import { badRequest } from "../status-errors.ts";
import { changeManagers } from "./change.ts";
import { isSame } from "./compare.ts";
import {
  conflictError,
  conflictsOutside,
  fieldConflicts,
  type FieldConflict,
} from "./conflicts.ts";
import { createdFields } from "./created-fields.ts";
import {
  difference,
  EMPTY_SET,
  isEmptySet,
  recursiveDifference,
  type FieldSet,
} from "./field-set.ts";
import { isLastAppliedManager, lastAppliedFields, withLastApplied } from "./last-applied.ts";
import { NoPlace } from "./list-item.ts";
import {
  managerKey,
  NO_MANAGERS,
  readManagers,
  withSet,
  writeManagers,
  type ManagedFieldsEntry,
  type ManagedSet,
  type Managers,
  type ManagerId,
} from "./managers.ts";
import { mergeTyped } from "./merge.ts";
import { pruned } from "./prune.ts";
import { STRIPPED, type ManagedScope } from "./scope.ts";
import type { Writer } from "./track-update.ts";
import { fieldSetOfValue, reconciled } from "./typed-sets.ts";
import { configProblem } from "./validate-config.ts";

/** What came of an apply: the object without its managers (not yet defaulted or checked), and those. */
export interface Applied {
  readonly object: KubeObject;
  readonly managedFields: readonly ManagedFieldsEntry[];
}

export interface ApplyOptions {
  readonly writer: Writer;
  /** Take fields over from others. */
  readonly isForced: boolean;
  /** `default/web; apps/v1, Kind=Deployment`: the configuration in messages. */
  readonly subject: string;
}

/** Who owns all of an object that nobody tracked before the first apply. */
const BEFORE_FIRST_APPLY = "before-first-apply";

/**
 * Merges an applied configuration into the live object; `live` is `undefined` when there is none yet.
 *
 * Flow: the configuration fits its type → merge → what the manager applied before and does not say now goes, unless others own
 * it → what changed of others' fields is a conflict, or theirs no more when forced → the manager owns what it said.
 * Guarantees: an apply that changes nothing gives back `live`'s own parts and managers.
 * @throws {StatusError} BadRequest: the configuration does not fit. Conflict: see {@link conflictError}.
 * @spec structured-merge-diff v6 merge/update.go Apply; k8s@1.36 managedfields/internal
 */
export function applyConfiguration(
  scope: ManagedScope,
  live: KubeObject | undefined,
  config: KubeObject,
  options: ApplyOptions,
): Applied {
  if (config.metadata?.managedFields !== undefined)
    throw badRequest("metadata.managedFields must be nil");
  const problem = configProblem(scope.type, config);
  if (problem !== undefined)
    throw badRequest(`failed to create typed patch object (${options.subject}): ${problem}`);
  try {
    return applied(scope, live, config, options);
  } catch (error) {
    if (error instanceof NoPlace) throw badRequest(`failed to merge config: ${error.message}`);
    throw error;
  }
}

interface Outcome {
  readonly merged: object;
  readonly managers: Managers;
  readonly isSame: boolean;
  readonly conflicts: readonly FieldConflict[];
}

function applied(
  scope: ManagedScope,
  live: KubeObject | undefined,
  config: KubeObject,
  options: ApplyOptions,
): Applied {
  const { writer } = options;
  const present = withoutManagers(live ?? {});
  const before = managersOf(scope, live, present, writer.time);
  const { apiVersion, subresource } = scope;
  const id: ManagerId = { manager: writer.manager, operation: "Apply", apiVersion, subresource };
  const outcome = mergeAs(scope, present, config, before, id);
  if (outcome.conflicts.length > 0 && !options.isForced) refuse(scope, present, outcome, writer);
  const managers = timed(outcome, before, id, writer.time);
  const object = (outcome.isSame ? present : outcome.merged) as KubeObject;
  const kept = isLastAppliedManager(writer.manager) ? withLastApplied(object, config) : object;
  return { object: kept, managedFields: writeManagers(managers) };
}

function withoutManagers(object: KubeObject): KubeObject {
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields, ...metadata } = object.metadata;
  void managedFields;
  return { ...object, metadata };
}

/** The managers of the live object; what nobody was tracked for belongs to whoever came before. */
function managersOf(
  scope: ManagedScope,
  live: KubeObject | undefined,
  present: KubeObject,
  time: string,
): Managers {
  const managers = readManagers(live?.metadata?.managedFields) ?? NO_MANAGERS;
  if (!live || managers.size > 0) return reconciledManagers(scope, present, managers);
  const { apiVersion, subresource } = scope;
  const fields = createdFields(scope.type, present, scope.reset);
  const own = fields ? difference(fields, STRIPPED) : EMPTY_SET;
  const id: ManagerId = {
    manager: BEFORE_FIRST_APPLY,
    operation: "Update",
    apiVersion,
    subresource,
  };
  return withSet(managers, managerKey(id), { ...id, set: own, time });
}

/** Managers whose sets were written when a type had other lists and maps; those of lost versions go. */
function reconciledManagers(scope: ManagedScope, live: KubeObject, managers: Managers): Managers {
  const next = new Map<string, ManagedSet>();
  for (const [key, managed] of managers) {
    const typed = scope.convert(live, managed.apiVersion);
    if (!typed) continue;
    const set = reconciled(typed.type, managed.set, typed.object);
    next.set(key, set === managed.set ? managed : { ...managed, set });
  }
  return next;
}

function mergeAs(
  scope: ManagedScope,
  live: KubeObject,
  config: KubeObject,
  managers: Managers,
  id: ManagerId,
): Outcome {
  const key = managerKey(id);
  const last = managers.get(key);
  const said = recursiveDifference(fieldSetOfValue(scope.type, config), scope.reset);
  const own: ManagedSet = {
    ...id,
    set: said,
    time: last?.time ?? "",
    ...(last?.entry && { entry: last.entry }),
  };
  const claimed = new Map(managers).set(key, own);
  const merged = mergeTyped(scope.type, live, config) as object;
  const left = last ? pruned(scope, merged, claimed, last) : merged;
  const change = changeManagers(scope, live, left, claimed, key);
  return {
    merged: left,
    managers: withSet(change.managers, key, asBefore(own, difference(said, STRIPPED), last)),
    isSame: isSame(change.comparison),
    conflicts: fieldConflicts(managers, change.conflicts),
  };
}

/** With the very set of before where it says the same, so that an unchanged entry is written as it is. */
function asBefore(own: ManagedSet, set: FieldSet, last: ManagedSet | undefined): ManagedSet {
  const isKept =
    last && isEmptySet(difference(set, last.set)) && isEmptySet(difference(last.set, set));
  return { ...own, set: isKept ? last.set : set };
}

/** @throws {StatusError} Conflict, unless kubectl takes over its own fields of client-side apply. */
function refuse(
  scope: ManagedScope,
  live: KubeObject,
  { conflicts }: Outcome,
  { manager }: Writer,
): void {
  const allowed = isLastAppliedManager(manager) ? lastAppliedFields(scope, live) : undefined;
  const left = allowed ? conflictsOutside(conflicts, allowed) : conflicts;
  if (left.length > 0) throw conflictError(left);
}

/** An apply that changed the object, or what its manager owns, is from now; one that changed nothing keeps its time. */
function timed({ managers, isSame }: Outcome, before: Managers, id: ManagerId, time: string) {
  const key = managerKey(id);
  const own = managers.get(key);
  if (!own || (isSame && own.set === before.get(key)?.set)) return managers;
  return withSet(managers, key, { ...own, time });
}
