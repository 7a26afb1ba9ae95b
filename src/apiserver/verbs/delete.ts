import { conflict, notFound } from "../../api/machinery/status-errors.ts";
import type { ApiCall } from "../api-call.ts";
import type { ServerParts } from "../parts.ts";
import {
  commitDelete,
  commitObject,
  CONFLICT_TRIES_MAX,
  encode,
  tooManyConflicts,
  unwritten,
} from "../registry/commit.ts";
import { shown } from "../registry/face.ts";
import { localKey } from "../registry/keys.ts";
import type { ObjectVersion } from "../registry/object-version.ts";
import { validateAdmission } from "./admit.ts";
import {
  askedIn,
  checkPreconditions,
  deletionWarning,
  planDeletion,
  type DeletionOptions,
} from "./deletion.ts";

/** `isGone`: it was removed, and the version is its last state at the deletion's revision; else it stays for now. */
export interface Deleted {
  readonly version: ObjectVersion;
  readonly isGone: boolean;
}

/**
 * Deletes the object that the call names, or marks it, as {@link planDeletion} says.
 *
 * @throws {StatusError} NotFound, Conflict (preconditions), whatever admission says.
 */
export async function deleteObject(
  parts: ServerParts,
  call: ApiCall,
  options: DeletionOptions,
): Promise<Deleted> {
  const { served, info, face } = call;
  const key = localKey(info.namespace, info.name);
  const wanted = askedIn(face.kind, call.kind, options);
  const warning = deletionWarning(call.kind, options);
  if (warning !== undefined) call.warn(warning);
  for (let attempt = 0; attempt < CONFLICT_TRIES_MAX; attempt++) {
    const old = served.cache.get(key);
    if (!old) throw notFound(call.kind, info.name);
    checkPreconditions(call.kind, old.object, options);
    validateAdmission(parts, call, "DELETE", undefined, old.object);
    const done = await deleteOnce(parts, call, wanted, old);
    if (done) return { ...done, version: shown(served, done.version) };
    if (options.ifResourceVersion !== undefined)
      throw conflict(call.kind, info.name, "Precondition failed: the object has been modified");
  }
  throw tooManyConflicts();
}

/** @returns `undefined`: the object changed meanwhile. */
async function deleteOnce(
  parts: ServerParts,
  call: ApiCall,
  options: DeletionOptions,
  old: ObjectVersion,
): Promise<Deleted | undefined> {
  const { served, resource } = call;
  const now = parts.clock.now();
  const plan = planDeletion(call.kind, resource.strategy, old.object, options, now);
  if (plan.kind === "pending") return { version: old, isGone: false };
  if (plan.kind === "mark") {
    const encoded = encode(served, plan.object);
    if (encoded.value.equals(old.value)) return { version: old, isGone: false };
    const version = call.isDryRun
      ? unwritten(old.key, plan.object, old.revision)
      : await commitObject(parts, served, old.key, encoded, old.revision);
    return version && { version, isGone: false };
  }
  if (call.isDryRun) return { version: old, isGone: true };
  const revision = await commitDelete(parts, served, old.key, old.revision);
  if (revision === undefined) return undefined;
  return { version: old.at(revision), isGone: true };
}
