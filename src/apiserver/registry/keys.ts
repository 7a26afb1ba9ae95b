/** Where all API objects live in the store. */
export const REGISTRY_PREFIX = "/registry/";

/** A key between all names and none: greater than every key of a resource, since names are ASCII. */
export const KEYS_END = "\uffff";

/** `/registry/GROUP/PLURAL/`: the prefix of all objects of one resource; `core` stands for the group without a name. */
export function resourcePrefix(group: string, plural: string): string {
  return `${REGISTRY_PREFIX}${group === "" ? "core" : group}/${plural}/`;
}

/** `NAMESPACE/NAME`, or `NAME` for a cluster-scoped object: the key within its resource. */
export function localKey(namespace: string, name: string): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

/** The range of local keys of one namespace; "" is all. `/` is followed by `0` in ASCII. */
export function namespaceRange(namespace: string): readonly [from: string, to: string] {
  return namespace === "" ? ["", KEYS_END] : [`${namespace}/`, `${namespace}0`];
}

/** The length of the resource's prefix of a store key; -1: no object's key. */
export function prefixLengthOf(key: string): number {
  const group = key.indexOf("/", REGISTRY_PREFIX.length);
  return group < 0 ? -1 : key.indexOf("/", group + 1) + 1 || -1;
}
