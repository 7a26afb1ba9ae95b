import { applyJsonPatch } from "../../api/machinery/json-patch.ts";
import type { JsonRecord } from "../../api/machinery/json-value.ts";
import { applyMergePatch } from "../../api/machinery/merge-patch.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { unsupportedMediaType } from "../../api/machinery/status-errors.ts";
import { applyStrategicMergePatch } from "../../api/machinery/strategic-merge-patch.ts";
import type { ApiCall } from "../api-call.ts";
import { conformed } from "../bodies/decode.ts";
import type { ServerParts } from "../parts.ts";
import { faced } from "../registry/face.ts";
import type { ObjectVersion } from "../registry/object-version.ts";
import { updateObject, type ChangeRules } from "./update.ts";

/** How a patch is written. */
export type PatchType = "json" | "merge" | "strategic";

/**
 * Changes the object as `patch` says, applied anew to each state it meets until one commit succeeds.
 *
 * @throws {StatusError} as `updateObject`; Invalid or BadRequest: the patch does not apply.
 * @spec k8s@1.36 apiserver endpoints/handlers/patch.go
 */
export async function patchObject(
  parts: ServerParts,
  call: ApiCall,
  type: PatchType,
  patch: unknown,
  rules?: ChangeRules,
): Promise<ObjectVersion> {
  const { version } = await updateObject(parts, call, {
    wanted: (old) => {
      const target = faced(call.face, old!).object;
      return conformed(parts, call, call.face, applyPatch(parts, call, type, target, patch));
    },
    isPatch: true,
    ...(rules && { rules }),
  });
  return version;
}

function applyPatch(
  parts: ServerParts,
  call: ApiCall,
  type: PatchType,
  target: KubeObject,
  patch: unknown,
): unknown {
  const record = target as JsonRecord;
  const { schema } = call.face;
  if (type === "json") return applyJsonPatch(record, patch);
  if (type === "merge") return applyMergePatch(record, patch);
  // Without its type an object has no merge keys; upstream refuses such patches for custom resources too.
  if (!schema)
    throw unsupportedMediaType(["application/json-patch+json", "application/merge-patch+json"]);
  return applyStrategicMergePatch(record, patch, schema, parts.schemas);
}
