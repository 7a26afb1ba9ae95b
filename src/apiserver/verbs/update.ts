import {
  badRequest,
  conflict,
  invalid as invalidObject,
  notFound,
  objectModified,
} from "../../api/machinery/status-errors.ts";
import { invalid, type FieldError } from "../../api/machinery/field-error.ts";
import type { KubeObject, ObjectMeta } from "../../api/machinery/object.ts";
import { validateObjectMetaUpdate } from "../../api/machinery/object-meta-validation.ts";
import { StatusError } from "../../api/machinery/status-error.ts";
import type { ApiCall } from "../api-call.ts";
import { authorize } from "../authorize.ts";
import {
  isOnlyLater,
  managedOnUpdate,
  withManagedFields,
  type ManagedFields,
  type Tracking,
} from "../field-management/track.ts";
import type { ServerParts } from "../parts.ts";
import {
  commitDelete,
  commitObject,
  CONFLICT_TRIES_MAX,
  encodedForm,
  tooManyConflicts,
  unwritten,
} from "../registry/commit.ts";
import { shown } from "../registry/face.ts";
import { isNamespace, specFinalizers } from "./deletion.ts";
import { localKey } from "../registry/keys.ts";
import { ObjectVersion } from "../registry/object-version.ts";
import { admitObject, chargeQuotas, validateAdmission } from "./admit.ts";
import { createObject, inNamespace } from "./create.ts";

/** How one endpoint changes an object: the main one by its strategy, `status` and other subresources by their own. */
export interface Change {
  /** The wanted object; of what is there now, for patches. Not called when there is none, except to create it. */
  wanted(old: ObjectVersion | undefined): KubeObject;
  /** Default: the kind's own preparation and validation. */
  readonly rules?: ChangeRules;
  /** The wanted object was made from the present one, so it carries its resourceVersion: a conflict is tried again. */
  readonly isPatch?: boolean;
  /** Whose fields it changes; default: the caller's. */
  readonly tracking?: Tracking;
  /** An object that is not there is created from `wanted(undefined)`, by whoever may create it. */
  readonly createsMissing?: boolean;
  /** Skip admission: the caller has asked about the subresource's own object. */
  readonly isAdmitted?: boolean;
}

/** Preparation and validation of one endpoint. */
export interface ChangeRules {
  prepareForUpdate(
    object: KubeObject,
    old: KubeObject,
    facts: { now: number; user: string },
  ): KubeObject;
  validateUpdate(object: KubeObject, old: KubeObject): readonly FieldError[];
  warnings?(object: KubeObject, old: KubeObject | undefined): readonly string[];
}

/** An update that created its object answers 201. */
export interface Updated {
  readonly version: ObjectVersion;
  readonly isCreated: boolean;
}

/**
 * Changes one object, or fails and changes nothing.
 *
 * Flow: read → wanted object → revision and uid preconditions → managed fields → admission → reserve → prepare → validate → commit with "is still
 * what was read"; then again from the start if it was not and the client named no revision.
 * Guarantees: an update that changes nothing is not written. The last finalizer of an object being deleted, removed, deletes it.
 * @spec k8s@1.36 registry/generic/registry/store.go Update; registry/rest/update.go BeforeUpdate
 */
export async function updateObject(
  parts: ServerParts,
  call: ApiCall,
  change: Change,
): Promise<Updated> {
  const { served, info } = call;
  const key = localKey(info.namespace, info.name);
  for (let attempt = 0; attempt < CONFLICT_TRIES_MAX; attempt++) {
    const old = served.cache.get(key);
    if (!old) {
      const created = await createInstead(parts, call, change);
      if (created) return created;
      continue;
    }
    const wanted = inNamespace(call, change.wanted(shown(served, old)));
    const isPinned = checkPreconditions(call, wanted, old, change);
    const pause = call.pause();
    if (pause) await pause;
    const once = (): Promise<ObjectVersion | undefined> =>
      updateOnce(parts, call, change, old, wanted);
    const version = await (parts.quotas.concerns(call, "UPDATE")
      ? parts.quotas.inTurn(info.namespace, once)
      : once());
    if (version) return { version, isCreated: false };
    if (isPinned && served.cache.get(key) !== old) throw objectModified(call.kind, call.info.name);
  }
  throw tooManyConflicts();
}

/** @returns `undefined`: by now it exists, and the change can be made to it. */
async function createInstead(
  parts: ServerParts,
  call: ApiCall,
  change: Change,
): Promise<Updated | undefined> {
  if (change.createsMissing) return createMissing(parts, call, change);
  const allows = call.resource.strategy.allowsCreateOnUpdate && !change.isPatch && !change.rules;
  if (!allows) throw notFound(call.kind, call.info.name);
  const wanted = change.wanted(undefined);
  checkName(call, wanted);
  return { version: await createObject(parts, call, wanted), isCreated: true };
}

async function createMissing(
  parts: ServerParts,
  call: ApiCall,
  change: Change,
): Promise<Updated | undefined> {
  const wanted = change.wanted(undefined);
  const { uid } = wanted.metadata ?? {};
  if (uid) {
    const text = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(call.kind, call.info.name, text);
  }
  checkName(call, wanted);
  authorize(parts, call.user, { ...call.info, verb: "create" });
  try {
    const version = await createObject(parts, call, wanted, change.tracking);
    return { version, isCreated: true };
  } catch (error) {
    if (error instanceof StatusError && error.status.reason === "AlreadyExists") return undefined;
    throw error;
  }
}

/** @returns `undefined`: the object changed meanwhile. */
async function updateOnce(
  parts: ServerParts,
  call: ApiCall,
  change: Change,
  old: ObjectVersion,
  wanted: KubeObject,
): Promise<ObjectVersion | undefined> {
  const { served } = call;
  const before = shown(served, old).object;
  const managed = managedOnUpdate(parts, call, change.tracking, before, wanted);
  const pause = call.pause();
  if (pause) await pause;
  // Admission and what follows judge by the same state of the cluster as the commit.
  if (pause && served.cache.get(old.key) !== old) return undefined;
  const metadata = carriedMeta(wanted.metadata ?? {}, before.metadata!, managed);
  const carried = { ...wanted, metadata };
  const admitted = change.isAdmitted
    ? carried
    : admitObject(parts, call, "UPDATE", carried, before);
  const allocator = change.rules
    ? undefined
    : parts.allocators.get(`${served.kind.group}/${served.kind.plural}`);
  const reservation = allocator?.begin(admitted, before, call.isDryRun);
  try {
    const ready = prepared(parts, call, change, reservation?.object ?? admitted, before);
    const object = withManagedFields(ready, managed);
    if (!change.isAdmitted) validateAdmission(parts, call, "UPDATE", object, before);
    const also = chargeQuotas(parts, call, "UPDATE", object, before);
    if (isOnlyLater(before, object)) return shown(served, old);
    const encoded = encodedForm(served, object);
    if (encoded.value.equals(old.value)) return shown(served, old);
    if (call.isDryRun) return unwritten(old.key, object, old.revision);
    if (isReadyToGo(call, object)) return await deleteNow(parts, call, old, object);
    const version = await commitObject(parts, served, old.key, encoded, old.revision, also);
    if (!version) return undefined;
    reservation?.confirm();
    return shown(served, version);
  } finally {
    reservation?.release();
  }
}

function prepared(
  parts: ServerParts,
  call: ApiCall,
  change: Change,
  admitted: KubeObject,
  before: KubeObject,
): KubeObject {
  const { kind, served } = call;
  const rules: ChangeRules = change.rules ?? call.resource.strategy;
  const facts = { now: parts.clock.now(), user: call.user.name, identity: call.user };
  const ready = rules.prepareForUpdate(admitted, before, facts);
  const object = { ...ready, kind: kind.kind, apiVersion: served.apiVersion };
  const errors = [
    ...validateObjectMetaUpdate(object, before),
    ...rules.validateUpdate(object, before),
  ];
  if (errors.length > 0)
    throw invalidObject({ group: kind.group, kind: kind.kind, name: call.info.name, errors });
  for (const text of rules.warnings?.(object, before) ?? []) call.warn(text);
  return object;
}

/**
 * What a client cannot change or leave out, taken over from the present object.
 *
 * @spec apimachinery api/validation/objectmeta.go ValidateObjectMetaAccessorUpdate; rest/update.go
 */
function carriedMeta(wanted: ObjectMeta, old: ObjectMeta, managed: ManagedFields): ObjectMeta {
  const { deletionTimestamp, deletionGracePeriodSeconds, generation, ...kept } = wanted;
  void generation;
  const grace = deletionGracePeriodSeconds ?? old.deletionGracePeriodSeconds;
  const deletion = old.deletionTimestamp ?? deletionTimestamp;
  return {
    ...kept,
    uid: wanted.uid || old.uid!,
    resourceVersion: wanted.resourceVersion || old.resourceVersion!,
    managedFields: managed as readonly object[],
    ...(old.generation !== undefined && { generation: old.generation }),
    ...(old.creationTimestamp !== undefined && { creationTimestamp: old.creationTimestamp }),
    ...(deletion !== undefined && { deletionTimestamp: deletion }),
    ...(grace !== undefined && { deletionGracePeriodSeconds: grace }),
  };
}

/** @returns true: the client named the revision it saw, so a conflict is its to solve. */
function checkPreconditions(
  call: ApiCall,
  wanted: KubeObject,
  old: ObjectVersion,
  change: Change,
): boolean {
  checkName(call, wanted);
  const { uid, resourceVersion } = wanted.metadata ?? {};
  // Of a patched object the uid is a field like others: validation refuses to change it.
  if (uid && uid !== old.meta.uid && !change.isPatch) {
    const text = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.meta.uid}`;
    throw conflict(call.kind, call.info.name, text);
  }
  if (!resourceVersion || resourceVersion === "0") {
    if (call.resource.strategy.allowsUnconditionalUpdate === false && !change.isPatch)
      throw unpinned(call);
    return false;
  }
  if (resourceVersion !== String(old.revision)) throw objectModified(call.kind, call.info.name);
  return !change.isPatch;
}

function checkName(call: ApiCall, wanted: KubeObject): void {
  const name = wanted.metadata?.name;
  if (!name) throw badRequest("the name of the object must be set: name must be provided");
  if (name === call.info.name) return;
  throw badRequest(
    `the name of the object (${name}) does not match the name on the URL (${call.info.name})`,
  );
}

function unpinned(call: ApiCall): Error {
  const { kind, info } = call;
  const error = invalid("metadata.resourceVersion", 0, "must be specified for an update");
  return invalidObject({ group: kind.group, kind: kind.kind, name: info.name, errors: [error] });
}

/** Nothing holds an object that is being deleted any more. @spec registry/store.go ShouldDeleteDuringUpdate */
function isReadyToGo(call: ApiCall, object: KubeObject): boolean {
  const { deletionTimestamp, finalizers, deletionGracePeriodSeconds } = object.metadata!;
  if (deletionTimestamp === undefined || finalizers?.length) return false;
  if (isNamespace(call.kind) && specFinalizers(object).length > 0) return false;
  return !deletionGracePeriodSeconds;
}

/** The object as the client wanted it last, at the revision of its deletion. */
async function deleteNow(
  parts: ServerParts,
  call: ApiCall,
  old: ObjectVersion,
  object: KubeObject,
): Promise<ObjectVersion | undefined> {
  const revision = await commitDelete(parts, call.served, old.key, old.revision);
  return revision === undefined ? undefined : unwritten(old.key, object, revision);
}
