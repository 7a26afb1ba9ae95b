import type { KubeObject } from "../../api/machinery/object.ts";
import type { ServedResource } from "../resource-table.ts";
import { encodeObject, ObjectVersion, withRevision } from "./object-version.ts";

/** A stored version as `served` shows it: itself, unless the resource is a second face of another kind's objects. */
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
