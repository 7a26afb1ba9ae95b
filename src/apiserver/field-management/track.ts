import type { KubeObject } from "../../api/machinery/object.ts";
import { equalJson } from "../../api/machinery/equality.ts";
import {
  managedAfterUpdate,
  managedAtCreation,
} from "../../api/machinery/managed-fields/track-update.ts";
import type { ManagedFieldsEntry } from "../../api/machinery/managed-fields/managers.ts";
import type { ApiCall } from "../api-call.ts";
import type { ServerParts } from "../parts.ts";
import { managedScope, writerOf } from "./managed-scope.ts";

/** `metadata.managedFields` of an object. */
export type ManagedFields = readonly object[] | undefined;

/** Whose fields a change is: `given`: the wanted object says; `kept`: a change that nobody is recorded for. */
export type Tracking = "given" | "kept";

/** The managed fields of an object as it came, before admission and defaults of the system add to it. */
export function managedOnCreate(
  parts: ServerParts,
  call: ApiCall,
  object: KubeObject,
): ManagedFields {
  return managedAtCreation(managedScope(parts, call), object, writerOf(parts, call));
}

/** The managed fields of a wanted object, before admission changes it. */
export function managedOnUpdate(
  parts: ServerParts,
  call: ApiCall,
  tracking: Tracking | undefined,
  before: KubeObject,
  wanted: KubeObject,
): ManagedFields {
  if (tracking === "given") return wanted.metadata?.managedFields;
  if (tracking === "kept") return before.metadata?.managedFields;
  return managedAfterUpdate(managedScope(parts, call), before, wanted, writerOf(parts, call));
}

/** The object with these managed fields, whatever its preparation made of them. */
export function withManagedFields(object: KubeObject, managedFields: ManagedFields): KubeObject {
  if (object.metadata?.managedFields === managedFields) return object;
  const { managedFields: given, ...metadata } = object.metadata ?? {};
  void given;
  return { ...object, metadata: managedFields ? { ...metadata, managedFields } : metadata };
}

/**
 * True when nothing but times in the managed fields differs: then nothing is written.
 *
 * @spec k8s@1.36 apiserver endpoints/handlers/fieldmanager/equality.go IgnoreManagedFieldsTimestampsTransformer
 */
export function isOnlyLater(before: KubeObject, after: KubeObject): boolean {
  const [old, now] = [before.metadata?.managedFields, after.metadata?.managedFields];
  if (!old || !now || old === now || old.length !== now.length) return false;
  if (!now.every((entry, index) => isSameButTime(old[index]!, entry))) return false;
  return equalJson(
    { ...before, metadata: { ...before.metadata, managedFields: undefined } },
    { ...after, metadata: { ...after.metadata, managedFields: undefined } },
  );
}

function isSameButTime(a: object, b: object): boolean {
  const [left, right] = [a as ManagedFieldsEntry, b as ManagedFieldsEntry];
  return (
    left.manager === right.manager &&
    left.operation === right.operation &&
    left.apiVersion === right.apiVersion &&
    left.subresource === right.subresource &&
    equalJson(left.fieldsV1, right.fieldsV1)
  );
}
