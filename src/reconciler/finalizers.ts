import type { KubeObject } from "../api/machinery/object.ts";

/** Whether the finalizer keeps the object. */
export function hasFinalizer({ metadata }: KubeObject, name: string): boolean {
  return metadata?.finalizers?.includes(name) ?? false;
}

/** The object with or without a finalizer, the others as they are; itself where that changes nothing. */
export function withFinalizer<T extends KubeObject>(object: T, name: string, isWanted: boolean): T {
  if (hasFinalizer(object, name) === isWanted) return object;
  const others = object.metadata?.finalizers?.filter((other) => other !== name) ?? [];
  const finalizers = isWanted ? [...others, name] : others;
  return { ...object, metadata: { ...object.metadata, finalizers } };
}
