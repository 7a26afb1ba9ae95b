import type { V1PodSpec } from "../../gen/types.ts";
import type { ClusterFacts, Plugin } from "../framework.ts";

/** The claims that a Pod mounts: by name, or made for it. */
export interface ClaimsInput {
  readonly namespace: string;
  readonly claims: readonly string[];
}

/**
 * A Pod waits for its claims, wherever there is room.
 *
 * Only that they are there and bound (or will be once there is a Pod): on which nodes their volumes can be is not asked yet.
 * @spec k8s@1.36 plugins/volumebinding PreFilter, podHasPVCs
 */
export const volumeBinding: Plugin<ClaimsInput> = {
  name: "VolumeBinding",
  read(spec, { metadata }) {
    const claims = claimsOf(spec, metadata?.name ?? "");
    if (claims.length === 0) return undefined;
    return { namespace: metadata?.namespace ?? "", claims };
  },
  gate: ({ namespace, claims }, cluster) => {
    for (const name of claims) {
      const problem = problemOf(namespace, name, cluster);
      if (problem !== undefined) return problem;
    }
    // One that is missing is said before one that is only unbound.
    const isUnbound = claims.some((name) => cluster.claim(namespace, name)?.isUnbound);
    return isUnbound ? "pod has unbound immediate PersistentVolumeClaims" : undefined;
  },
  canHelp: (change, { namespace, claims }) =>
    change.kind === "claim" && change.namespace === namespace && claims.includes(change.name),
};

function claimsOf({ volumes = [] }: V1PodSpec, pod: string): readonly string[] {
  return volumes.flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [persistentVolumeClaim.claimName];
    return ephemeral ? [`${pod}-${name}`] : [];
  });
}

function problemOf(namespace: string, name: string, cluster: ClusterFacts): string | undefined {
  const claim = cluster.claim(namespace, name);
  if (!claim) return `persistentvolumeclaim "${name}" not found`;
  if (claim.lostVolume !== undefined)
    return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.lostVolume}"`;
  return claim.isLeaving ? `persistentvolumeclaim "${name}" is being deleted` : undefined;
}
