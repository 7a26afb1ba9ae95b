import type { V1Node, V1PersistentVolume } from "../../gen/types.ts";

/** The driver of the cluster's own volumes. */
export const OWN_DRIVER = "volumes.skiff.dev";

/** Tells nodes that share the cluster's own volumes from others. */
export const MACHINE_LABEL = "topology.skiff.dev/machine";

/** Begins an annotation of a Node that asks its kubelet to remove a volume's folder; the volume's name follows. */
export const REMOVAL_PREFIX = "removal.volumes.skiff.dev/";

/** Begins the name of a folder that is being removed: it is no volume any more. */
export const REMOVED = ".removed-";

/** What a handle may be: the name of one folder, and not a hidden one; with {@link REMOVED} before it still a name. @spec NAME_MAX, 255 bytes */
const HANDLE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,245}$/;

/** Why a handle cannot name a volume of the cluster; `undefined`: it can. */
export function handleProblem(handle: string): string | undefined {
  if (HANDLE.test(handle)) return undefined;
  return (
    `the volume handle ${JSON.stringify(handle)} cannot name a folder: expected letters, digits, '-', '_' and '.', ` +
    "beginning with a letter or digit"
  );
}

/** Why one of the cluster's own volumes can never be mounted; `undefined`: it can, or it is another driver's. */
export function ownVolumeProblem({ spec }: V1PersistentVolume): string | undefined {
  if (spec?.csi?.driver !== OWN_DRIVER) return undefined;
  return handleProblem(spec.csi.volumeHandle);
}

/** A folder that a node is to remove, or has removed. */
export interface Removal {
  /** Name of the PersistentVolume. */
  readonly volume: string;
  readonly handle: string;
  readonly isDone: boolean;
}

/** The annotation that says so. */
export function formatRemoval({ handle, isDone }: Omit<Removal, "volume">): string {
  return `${isDone ? "done" : "wanted"}:${handle}`;
}

/** What the annotations of a Node about removals say, by volume, as they are written: {@link removalOf} reads one. */
export function removalTexts(node: V1Node | undefined): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const [key, text] of Object.entries(node?.metadata?.annotations ?? {}))
    if (key.startsWith(REMOVAL_PREFIX)) texts.set(key.slice(REMOVAL_PREFIX.length), text);
  return texts;
}

/** What a Node is asked, or has done, about a volume; `undefined`: nothing, or its annotation says nothing of that kind. */
export function removalOf(node: V1Node | undefined, volume: string): Removal | undefined {
  const text = node?.metadata?.annotations?.[`${REMOVAL_PREFIX}${volume}`] ?? "";
  const [, state, handle] = /^(wanted|done):(.+)$/.exec(text) ?? [];
  return handle === undefined ? undefined : { volume, handle, isDone: state === "done" };
}

/** What a Node is asked to remove, and has removed; what is no such annotation is left out. */
export function removalsOf(node: V1Node | undefined): readonly Removal[] {
  return [...removalTexts(node).keys()].flatMap((volume) => removalOf(node, volume) ?? []);
}
