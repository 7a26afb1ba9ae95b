import type { KubeObject } from "../../api/machinery/object.ts";
import { applyConfiguration } from "../../api/machinery/managed-fields/apply.ts";
import { badRequest } from "../../api/machinery/status-errors.ts";
import type { ApiCall } from "../api-call.ts";
import { conformed } from "../bodies/decode.ts";
import { managedScope, writerOf } from "../field-management/managed-scope.ts";
import { withManagedFields } from "../field-management/track.ts";
import type { ServerParts } from "../parts.ts";
import { updateObject, type ChangeRules, type Updated } from "./update.ts";

/** What an apply patch asks for. */
export interface ApplyRequest {
  /** The applied configuration, as it was sent: no defaults, unknown fields and all. */
  readonly config: KubeObject;
  /** Take fields over from other managers. */
  readonly isForced: boolean;
}

/**
 * Server-side apply: creates the object, or merges the configuration into it.
 *
 * Guarantees: an apply that changes neither the object nor its managers writes nothing.
 * @throws {StatusError} BadRequest: the configuration does not fit. Conflict: others own what it changes, or the uid or
 *         resourceVersion in it is not the object's. NotFound: a subresource of an object that is not there.
 * @spec k8s@1.36 apiserver endpoints/handlers/patch.go applyPatcher
 */
export async function applyObject(
  parts: ServerParts,
  call: ApiCall,
  { config, isForced }: ApplyRequest,
  rules?: ChangeRules,
): Promise<Updated> {
  const { served } = call;
  checkType(config, served.apiVersion, served.kind.kind);
  const scope = managedScope(parts, call);
  const options = { writer: writerOf(parts, call), isForced, subject: subjectOf(config) };
  return updateObject(parts, call, {
    isPatch: true,
    tracking: "given",
    createsMissing: rules === undefined,
    wanted: (old) => {
      const { object, managedFields } = applyConfiguration(scope, old?.object, config, options);
      return withManagedFields(conformed(parts, call, served, object), managedFields);
    },
    ...(rules && { rules }),
  });
}

/** @throws {StatusError} BadRequest: the configuration is not of the kind and version that the path names. */
export function checkType(config: KubeObject, apiVersion: string, kind: string): void {
  if (config.kind === kind && config.apiVersion === apiVersion) return;
  throw badRequest(`invalid object type: ${typeText(config)}`);
}

/** `default/web; apps/v1, Kind=Deployment` */
export function subjectOf(config: KubeObject): string {
  const { namespace, name } = config.metadata ?? {};
  return `${textOf(namespace)}/${textOf(name)}; ${typeText(config)}`;
}

/** @spec apimachinery runtime/schema GroupVersionKind.String */
function typeText(config: KubeObject): string {
  const apiVersion = textOf(config.apiVersion);
  return `${apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${textOf(config.kind)}`;
}

/** A text of a configuration whose types nobody has looked at yet. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
