import { equalJson } from "../../api/machinery/equality.ts";
import { controllerUidOf, type StorageChange } from "../claims.ts";
import { limitOf, sortedClaims, volumesOnNode } from "../claims-match.ts";
import { claimsOfPod, type PodClaim, type PodClaims } from "../claims-of-pod.ts";
import type { ClusterChange, ClusterFacts, Plugin, Rejection, Topology } from "../framework.ts";
import { volumeTopology } from "./volume-topology.ts";

/** By the bits of `claims-match.ts`. @spec k8s@1.36 plugins/volumebinding/binder.go ErrReason… */
const REASONS: readonly string[] = [
  "node(s) didn't match PersistentVolume's node affinity",
  "node(s) didn't find available persistent volumes to bind",
  "node(s) did not have enough free storage",
  "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
];

/** One object for each set of reasons. No eviction makes a volume. */
const REJECTIONS: readonly Rejection[] = Array.from({ length: 1 << REASONS.length }, (_, bits) => ({
  reasons: REASONS.filter((_reason, index) => bits & (1 << index)),
  isUnresolvable: true,
}));

/**
 * A Pod waits for its claims, and goes where their volumes are or can be made.
 *
 * What then is to be bound or made is found again for the node that was chosen (`claims-binding.ts`).
 * @spec k8s@1.36 plugins/volumebinding
 */
export const volumeBinding: Plugin<PodClaims> = {
  name: "VolumeBinding",
  read: claimsOfPod,
  gate: (input, cluster) => {
    for (const claim of input.claims) {
      const problem = problemOf(input, claim, cluster);
      if (problem !== undefined) return problem;
    }
    // One that is missing is said before one that is only unbound.
    const { unbound } = sortedClaims(input, cluster.claims);
    return unbound.length > 0 ? "pod has unbound immediate PersistentVolumeClaims" : undefined;
  },
  topology: (input, { claims }): Topology => {
    const sorted = sortedClaims(input, claims);
    return volumeTopology(claims, ({ node }) => {
      const found = volumesOnNode(sorted, node, claims);
      return typeof found === "number" ? REJECTIONS[found] : undefined;
    });
  },
  canHelp: (change, input) =>
    change.kind === "storage"
      ? storageCanHelp(change, input)
      : change.kind === "node" && change.difference?.labels !== false,
};

/** @spec volume_binding.go podHasPVCs */
function problemOf(
  { namespace, pod }: PodClaims,
  { name, isEphemeral }: PodClaim,
  { claims }: ClusterFacts,
): string | undefined {
  const claim = claims.claim(namespace, name);
  if (!claim)
    return isEphemeral
      ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
      : `persistentvolumeclaim "${name}" not found`;
  if (claim.status?.phase === "Lost")
    return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName ?? ""}"`;
  if (claim.metadata?.deletionTimestamp) return `persistentvolumeclaim "${name}" is being deleted`;
  return isEphemeral && controllerUidOf(claim) !== pod?.uid
    ? `PVC ${namespace}/${name} was not created for pod ${namespace}/${pod?.name} (pod is not owner)`
    : undefined;
}

/** True when a change of a claim is about one of the Pod's. */
export function isAbout(change: ClusterChange, { namespace, claims }: PodClaims): boolean {
  return (
    change.kind === "storage" &&
    change.resource === "PersistentVolumeClaim" &&
    change.object !== undefined &&
    change.namespace === namespace &&
    claims.some(({ name }) => name === change.name)
  );
}

/** @spec volume_binding.go isSchedulableAfter… */
function storageCanHelp(change: StorageChange, input: PodClaims): boolean {
  const { object, old } = change;
  if (!object) return false;
  switch (change.resource) {
    case "PersistentVolumeClaim":
      return isAbout(change, input);
    case "PersistentVolume":
      return true;
    case "StorageClass":
      return !equalJson(change.old?.allowedTopologies, change.object?.allowedTopologies) || !old;
    case "CSINode":
      return !old;
    case "CSIDriver":
      return Boolean(change.old?.spec.storageCapacity && !change.object?.spec.storageCapacity);
    case "CSIStorageCapacity":
      return !change.old || limitOf(change.object!) > limitOf(change.old);
    case "VolumeAttachment":
      return false;
  }
}
