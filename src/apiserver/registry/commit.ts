import { internalError, requestEntityTooLarge } from "../../api/machinery/status-errors.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { VALUE_BYTES_MAX, type CommitResult, type Revision } from "../../store/store.ts";
import type { ServerParts } from "../parts.ts";
import type { ServedResource } from "../resource-table.ts";
import { storedForm } from "./face.ts";
import { shareMeta } from "./shared-meta.ts";
import { encodeObject, ObjectVersion, withRevision } from "./object-version.ts";

/** An object and its bytes, made before the store says which revision they get. */
export interface EncodedObject {
  readonly object: KubeObject;
  readonly value: Buffer;
}

/** Another object's new value that is committed with the object, or not at all. */
export interface AlsoWritten {
  /** Of the store. */
  readonly key: string;
  readonly value: Buffer;
  readonly expect: Revision;
}

/** An object of `served` as it will be stored. */
export function encodedForm(served: ServedResource, object: KubeObject): EncodedObject {
  return encode(served, storedForm(served, object));
}

/** An object in its stored form: in the order of the wire, without a revision, and its value. */
export function encode(served: ServedResource, stored: KubeObject): EncodedObject {
  const ordered = withRevision(stored, "", served.storedSchema);
  shareMeta(ordered.metadata as unknown as Record<string, unknown>);
  return { object: ordered, value: encodeObject(ordered, served.resource.sharedField?.name) };
}

/** The version that `encoded` is at `revision`. The object is ours alone until now, so it takes its revision in place. */
export function versionAt(key: string, encoded: EncodedObject, revision: Revision): ObjectVersion {
  (encoded.object.metadata as { resourceVersion: string }).resourceVersion = String(revision);
  return new ObjectVersion(key, revision, encoded.value, encoded.object);
}

/** A version that was not written: the answer to a dry run. `revision` 0: it has none. */
export function unwritten(key: string, object: KubeObject, revision: Revision): ObjectVersion {
  const resourceVersion = revision === 0 ? undefined : String(revision);
  const shown = withRevision(object, resourceVersion);
  return new ObjectVersion(key, revision, encodeObject(shown), shown);
}

/**
 * Writes one object, and `also` in the same transaction. `expect`: the revision its key must have; 0: it must not exist.
 *
 * @returns the version once the cache has it; `undefined`: a key had another revision, which the cache has now.
 */
export async function commitObject(
  parts: ServerParts,
  served: ServedResource,
  key: string,
  encoded: EncodedObject,
  expect: Revision,
  also: readonly AlsoWritten[] = [],
): Promise<ObjectVersion | undefined> {
  const { value } = encoded;
  if (value.length > VALUE_BYTES_MAX) throw requestEntityTooLarge(`limit is ${VALUE_BYTES_MAX}`);
  const storeKey = served.prefix + key;
  let version: ObjectVersion | undefined;
  parts.cache.expect(value, (revision) => (version = versionAt(key, encoded, revision)));
  try {
    const result = await parts.store.commit([
      { kind: "put", key: storeKey, value, expect },
      ...also.map((write) => ({ kind: "put" as const, ...write })),
    ]);
    await caughtUp(parts, result);
    if (result.kind === "conflict") return undefined;
    return version ?? versionAt(key, encoded, result.revision);
  } finally {
    if (!version) parts.cache.forget(value);
  }
}

/**
 * Removes one object whose revision must be `expect`.
 *
 * @returns the revision of the deletion; `undefined`: the key had another revision, which the cache has now.
 */
export async function commitDelete(
  parts: ServerParts,
  served: ServedResource,
  key: string,
  expect: Revision,
): Promise<Revision | undefined> {
  const write = { kind: "delete", key: served.prefix + key, expect } as const;
  const result = await parts.store.commit([write]);
  await caughtUp(parts, result);
  return result.kind === "committed" ? result.revision : undefined;
}

/** Whoever hears the answer must find the cache at least as new. */
async function caughtUp(parts: ServerParts, result: CommitResult): Promise<void> {
  const reached = parts.cache.reached(result.revision);
  if (reached) await reached;
}

/** Tries of one write whose object changes under it; more means that something writes without pause. */
export const CONFLICT_TRIES_MAX = 100;

/** After {@link CONFLICT_TRIES_MAX}. */
export function tooManyConflicts(): Error {
  return internalError("the object changes too fast: giving up after many tries");
}
