import { isStatusError } from "../../api/machinery/status-error.ts";
import type { ApiCall } from "../api-call.ts";
import type { ServerParts } from "../parts.ts";
import { listPage } from "../registry/list-page.ts";
import type { ObjectVersion } from "../registry/object-version.ts";
import type { Predicate } from "../registry/predicate.ts";
import { deleteObject } from "./delete.ts";
import type { DeletionOptions } from "./deletion.ts";

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
  const page = listPage(served.cache.versions, parts.cache.revision, predicate, 0, undefined);
  const versions = [...page.versions];
  const deleted: ObjectVersion[] = [];
  const work = async (): Promise<void> => {
    for (let version = versions.shift(); version; version = versions.shift()) {
      const { name = "", namespace = "" } = version.meta;
      const one = call.about(served, { name, namespace, verb: "delete" });
      try {
        deleted.push((await deleteObject(parts, one, options)).version);
      } catch (error) {
        if (!isStatusError(error, "NotFound")) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return deleted;
}
