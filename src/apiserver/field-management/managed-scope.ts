import type { KubeObject } from "../../api/machinery/object.ts";
import { applyType, DEDUCED, type Atom } from "../../api/machinery/managed-fields/apply-type.ts";
import type { ManagedScope, TypedObject } from "../../api/machinery/managed-fields/scope.ts";
import type { Writer } from "../../api/machinery/managed-fields/track-update.ts";
import { formatTime } from "../../base/clock.ts";
import type { ApiCall } from "../api-call.ts";
import type { ServerParts } from "../parts.ts";
import type { ServedResource } from "../resource-table.ts";
import { resetFields } from "./reset-fields.ts";

const scopes = new WeakMap<ServedResource, Map<string, ManagedScope>>();

/** The endpoint of a call, as the rules of managed fields see it; made once for each. */
export function managedScope(parts: ServerParts, call: ApiCall): ManagedScope {
  const { served, info } = call;
  let known = scopes.get(served);
  if (!known) scopes.set(served, (known = new Map()));
  let scope = known.get(info.subresource);
  if (!scope) known.set(info.subresource, (scope = scopeOf(parts, served, info.subresource)));
  return scope;
}

function scopeOf(parts: ServerParts, served: ServedResource, subresource: string): ManagedScope {
  return {
    apiVersion: served.apiVersion,
    type: typeOf(parts, served),
    subresource,
    reset: resetFields(served, subresource),
    convert: (object, apiVersion) => converted(parts, served, object, apiVersion),
  };
}

const typeOf = (parts: ServerParts, served: ServedResource): Atom =>
  served.schema ? applyType(parts.schemas, served.schema) : DEDUCED;

/** An object of any version of a resource, in another. */
function converted(
  parts: ServerParts,
  served: ServedResource,
  object: KubeObject,
  apiVersion: string,
): TypedObject | undefined {
  const from = versionOf(parts, served, object.apiVersion ?? served.apiVersion);
  const to = versionOf(parts, served, apiVersion);
  if (!from || !to) return undefined;
  if (from === to) return { type: typeOf(parts, to), object };
  const stored = from.resource.storedAs?.toStored(object) ?? object;
  const face = to.resource.storedAs?.fromStored(stored) ?? stored;
  return { type: typeOf(parts, to), object: { ...face, apiVersion } };
}

/** Versions of one resource keep their objects in one place. */
function versionOf(
  parts: ServerParts,
  served: ServedResource,
  apiVersion: string,
): ServedResource | undefined {
  if (apiVersion === served.apiVersion) return served;
  return parts.resources
    .all()
    .find((other) => other.cache === served.cache && other.apiVersion === apiVersion);
}

/** Who the call is recorded as, and its time. */
export function writerOf(parts: ServerParts, call: ApiCall): Writer {
  return { manager: call.flags.fieldManager, time: formatTime(parts.clock.now()) };
}
