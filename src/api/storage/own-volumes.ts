import type { V1Node } from "../../gen/types.ts";

/** The driver of the cluster's own volumes. */
export const OWN_DRIVER = "volumes.skiff.dev";

/** Tells nodes that share the cluster's own volumes from others. */
export const MACHINE_LABEL = "topology.skiff.dev/machine";

/** Begins an annotation of a Node that asks its kubelet to remove a volume's folder; the volume's name follows. */
export const REMOVAL_PREFIX = "removal.volumes.skiff.dev/";

/** How a Node's status names a volume of the cluster. @spec k8s@1.36 pkg/volume/util GetUniqueVolumeName; csi_plugin.go */
export function attachedName(handle: string): string {
  return `kubernetes.io/csi/${OWN_DRIVER}^${handle}`;
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

/** What a Node is asked to remove, and has removed; what is no such annotation is left out. */
export function removalsOf(node: V1Node | undefined): readonly Removal[] {
  return Object.entries(node?.metadata?.annotations ?? {}).flatMap(([key, text]) => {
    if (!key.startsWith(REMOVAL_PREFIX)) return [];
    const [, state, handle] = /^(wanted|done):(.+)$/.exec(text) ?? [];
    if (handle === undefined) return [];
    return { volume: key.slice(REMOVAL_PREFIX.length), handle, isDone: state === "done" };
  });
}
