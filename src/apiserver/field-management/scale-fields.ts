import type { KubeObject } from "../../api/machinery/object.ts";
import { applyType } from "../../api/machinery/managed-fields/apply-type.ts";
import {
  difference,
  EMPTY_SET,
  fieldSetOf,
  hasPath,
} from "../../api/machinery/managed-fields/field-set.ts";
import {
  managerKey,
  NO_MANAGERS,
  readManagers,
  writeManagers,
  type ManagedFieldsEntry,
  type ManagedSet,
} from "../../api/machinery/managed-fields/managers.ts";
import type { ManagedScope } from "../../api/machinery/managed-fields/scope.ts";
import type { ApiCall } from "../api-call.ts";
import type { ServerParts } from "../parts.ts";
import type { ManagedFields } from "./track.ts";

/** Where the replica count stands, in a Scale and in every kind that has one. */
const REPLICAS = ["f:spec", "f:replicas"] as const;
const REPLICAS_SET = fieldSetOf(REPLICAS);
const SCALE_VERSION = "autoscaling/v1";

/** The `scale` endpoint as the rules of managed fields see it. */
export function scaleScope(parts: ServerParts): ManagedScope {
  const type = applyType(parts.schemas, parts.schemas.root("autoscaling", "v1", "Scale")!);
  return {
    apiVersion: SCALE_VERSION,
    type,
    subresource: "scale",
    reset: EMPTY_SET,
    convert: (object, apiVersion) => (apiVersion === SCALE_VERSION ? { type, object } : undefined),
  };
}

/**
 * The managers of a Scale: those who own the replica count of the object behind it.
 *
 * @spec k8s@1.36 managedfields/scalehandler.go ToSubresource
 */
export function scaleManagers(object: KubeObject): readonly ManagedFieldsEntry[] {
  const owners = new Map<string, ManagedSet>();
  for (const managed of readManagers(object.metadata?.managedFields)?.values() ?? []) {
    if (!hasPath(managed.set, REPLICAS)) continue;
    const { manager, operation, subresource, time } = managed;
    const id = { manager, operation, apiVersion: SCALE_VERSION, subresource };
    owners.set(managerKey(id), { ...id, set: REPLICAS_SET, time });
  }
  return writeManagers(owners);
}

/**
 * The managers of the object behind a Scale, after those of the Scale became `entries`.
 *
 * @spec k8s@1.36 managedfields/scalehandler.go ToParent
 */
export function parentManagers(
  call: ApiCall,
  object: KubeObject,
  entries: ManagedFields,
): ManagedFields {
  const before = readManagers(object.metadata?.managedFields) ?? NO_MANAGERS;
  if (before.size === 0) return object.metadata?.managedFields;
  const owners = new Map([...(readManagers(entries) ?? NO_MANAGERS)]);
  const next = new Map<string, ManagedSet>();
  for (const [key, managed] of before) {
    const id = managerKey({ ...managed, apiVersion: SCALE_VERSION });
    const isOwner = hasPath(managed.set, REPLICAS);
    if (isOwner && !owners.has(id)) {
      next.set(key, { ...managed, set: difference(managed.set, REPLICAS_SET) });
      continue;
    }
    next.set(key, isOwner ? { ...managed, time: owners.get(id)!.time } : managed);
    if (isOwner) owners.delete(id);
  }
  for (const { manager, operation, subresource, time } of owners.values()) {
    const id = { manager, operation, apiVersion: call.served.apiVersion, subresource };
    next.set(managerKey(id), { ...id, set: REPLICAS_SET, time });
  }
  return writeManagers(next);
}
