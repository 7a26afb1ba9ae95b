import type { KubeObject } from "../../api/machinery/object.ts";
import type { ServedResource } from "../resource-table.ts";
import { encodeObject, ObjectVersion, withRevision } from "./object-version.ts";

/** A stored version as the verbs see it: itself, unless the resource is a second face of another kind's objects. */
export function shown(served: ServedResource, stored: ObjectVersion): ObjectVersion {
  const face = served.resource.storedAs;
  if (!face) return stored;
  return stored.shape(served.apiVersion, () => {
    const { key, revision } = stored;
    const object = face.fromStored(stored.object);
    const ordered = withRevision(object, String(revision), served.schema);
    return new ObjectVersion(key, revision, encodeObject(ordered), ordered);
  });
}

/** The inverse of {@link shown}, for an object that is about to be stored. */
export function storedForm(served: ServedResource, object: KubeObject): KubeObject {
  return served.resource.storedAs?.toStored(object) ?? object;
}

/** What the verbs gave, in the apiVersion that the client asked for. */
export function faced(face: ServedResource, version: ObjectVersion): ObjectVersion {
  if (!face.older) return version;
  return version.shape(face.apiVersion, () => {
    const { key, revision } = version;
    const text = revision === 0 ? undefined : version.meta.resourceVersion;
    const ordered = withRevision(facedObject(face, version.object), text, face.schema);
    return new ObjectVersion(key, revision, encodeObject(ordered), ordered);
  });
}

/** Like {@link faced}, for an object without a version. */
export function facedObject(face: ServedResource, object: KubeObject): KubeObject {
  const { older, kind, apiVersion } = face;
  if (!older) return object;
  const converted = older.fromHub?.(object) ?? object;
  return { ...converted, kind: kind.kind, apiVersion };
}

/** The inverse: what a client sent, with the defaults of its apiVersion, as the verbs take it. */
export function hubObject({ older, hub }: ServedResource, object: KubeObject): KubeObject {
  const converted = older?.toHub?.(object) ?? object;
  const { apiVersion } = hub;
  const { kind } = hub.kind;
  const isNamed = converted.kind === kind && converted.apiVersion === apiVersion;
  return isNamed ? converted : { ...converted, kind, apiVersion };
}
