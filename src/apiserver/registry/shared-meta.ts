import { Recent } from "../../base/recent.ts";

/** Members of metadata that many objects have alike: a template's labels, the owner of a ReplicaSet's Pods. */
export const SHARED_META: ReadonlySet<string> = new Set([
  "labels",
  "ownerReferences",
  "finalizers",
]);

/** Values that are remembered: those of the templates at work now. Doubling costs some 200 kB where nothing is alike. */
const VALUES_MAX = 512;
/** Values with longer texts are not looked for: a template's labels have some 100 characters. Doubling doubles what is held where nothing is alike. */
const TEXT_LENGTH_MAX = 1024;
/** Namespaces whose names are remembered. Doubling costs some 20 kB. */
const NAMESPACES_MAX = 512;

const values = new Recent<string, object>(VALUES_MAX);
const texts = new WeakMap<object, string>();
const namespaces = new Recent<string, string>(NAMESPACES_MAX);

/**
 * `metadata` with one value for all that are alike. It is the caller's own, and changed in place; what it holds is not.
 *
 * Why: the garbage collector visits whatever an object has of its own, again and again for as long as it is there.
 */
export function shareMeta(metadata: Record<string, unknown>): void {
  const { namespace } = metadata;
  if (typeof namespace === "string") metadata["namespace"] = sharedNamespace(namespace);
  for (const field of SHARED_META) {
    const value = metadata[field];
    if (typeof value === "object" && value !== null) metadata[field] = sharedValue(value);
  }
}

/** The JSON of a value, known already if it is shared. */
export function sharedMetaText(value: object): string {
  return texts.get(value) ?? JSON.stringify(value);
}

function sharedNamespace(name: string): string {
  const known = namespaces.get(name);
  if (known === undefined) namespaces.set(name, name);
  return known ?? name;
}

function sharedValue(value: object): object {
  if (texts.has(value)) return value;
  const text = JSON.stringify(value);
  if (text.length > TEXT_LENGTH_MAX) return value;
  const known = values.get(text);
  if (known !== undefined) return known;
  values.set(text, value);
  texts.set(value, text);
  return value;
}
