import { isStatusError } from "../../api/machinery/status-error.ts";
import type { ApiCall } from "../api-call.ts";
import type { ServerParts } from "../parts.ts";
import type { ObjectVersion } from "../registry/object-version.ts";
import type { Predicate } from "../registry/predicate.ts";
import type { ResourceCache } from "../registry/resource-cache.ts";
import { ViewCursor } from "../registry/version-cursor.ts";
import { turnsOf } from "../../base/turns.ts";
import { deleteObject } from "./delete.ts";
import { askedIn, type DeletionOptions } from "./deletion.ts";

/** Deletes under way at a time: enough for one group commit; more would only queue. */
const WORKERS = 64;

/**
 * Deletes everything that `predicate` selects now, each object as a delete of its own.
 *
 * @returns what was deleted or marked. Objects that vanish meanwhile are left out.
 * @throws {StatusError} the first refusal; the deletes before it stand.
 * @spec k8s@1.36 registry/generic/registry/store.go DeleteCollection
 */
export async function deleteCollection(
  parts: ServerParts,
  call: ApiCall,
  options: DeletionOptions,
  predicate: Predicate,
): Promise<readonly ObjectVersion[]> {
  const { served } = call;
  const wanted = askedIn(call.face.kind, call.kind, options);
  const versions = await selectedNow(parts, served.cache, predicate);
  const deleted: ObjectVersion[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let version = versions[next++]; version; version = versions[next++]) {
      const slice = turnsOf(parts.clock).slice();
      if (slice.isOver) await slice.next();
      const { name = "", namespace = "" } = version.meta;
      const one = call.about(served, { name, namespace, verb: "delete" });
      try {
        deleted.push((await deleteObject(parts, one, wanted)).version);
      } catch (error) {
        if (!isStatusError(error, "NotFound")) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return deleted;
}

/** Objects looked at between two looks at the clock. */
const STEP = 256;

/** What `predicate` selects of the present, found without holding up others. */
async function selectedNow(
  parts: ServerParts,
  { versions }: ResourceCache,
  predicate: Predicate,
): Promise<readonly ObjectVersion[]> {
  const cursor = new ViewCursor(versions, predicate, predicate.from);
  cursor.freeze();
  const slice = turnsOf(parts.clock).slice();
  const found: ObjectVersion[] = [];
  while (!cursor.isDone) {
    found.push(...cursor.next(STEP));
    if (slice.isOver) await slice.next();
  }
  return found;
}
