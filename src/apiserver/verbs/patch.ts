import { applyJsonPatch, applyMergePatch } from "../../api/machinery/patches.ts";
import type { ApiCall } from "../api-call.ts";
import { conformed } from "../bodies/decode.ts";
import type { ServerParts } from "../parts.ts";
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
    wanted: (old) =>
      conformed(parts, call, call.served, applyPatch(parts, call, type, old!.object, patch)),
    isPatch: true,
    ...(rules && { rules }),
  });
  return version;
}

function applyPatch(
  parts: ServerParts,
  call: ApiCall,
  type: PatchType,
  target: unknown,
  patch: unknown,
): unknown {
  void parts;
  void call;
  return type === "json" ? applyJsonPatch(target, patch) : applyMergePatch(target, patch);
}
