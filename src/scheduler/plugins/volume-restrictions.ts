import {
  areConflicting,
  claimsOfPod,
  disksOfPod,
  placedVolumesOf,
  type Disk,
  type PodClaims,
} from "../claims-of-pod.ts";
import { OTHERS, UNCHANGED } from "../domains.ts";
import type { ClusterChange, ClusterFacts, Plugin, Topology } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { isAbout } from "./volume-binding.ts";

const DISK_TAKEN = { reasons: ["node(s) had no available disk"], isUnresolvable: false };
const CLAIM_TAKEN = {
  reasons: [
    "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
  ],
  isUnresolvable: false,
};

/** Claims by name, not those made for the Pod: nobody else mounts these. */
interface RestrictedVolumes {
  readonly claims: PodClaims | null;
  readonly disks: readonly Disk[];
}

/** Volumes that only one Pod, or one node, may have. @spec k8s@1.36 plugins/volumerestrictions */
export const volumeRestrictions: Plugin<RestrictedVolumes> = {
  name: "VolumeRestrictions",
  read(spec, pod) {
    const disks = disksOfPod(spec);
    const found = claimsOfPod(spec, pod);
    const named = found?.claims.filter(({ isEphemeral }) => !isEphemeral) ?? [];
    if (disks.length === 0 && named.length === 0) return undefined;
    const { namespace = "" } = pod.metadata ?? {};
    return { disks, claims: named.length > 0 ? { namespace, claims: named, pod: null } : null };
  },
  gate: ({ claims: wanted }, { claims }) => {
    const missing = wanted?.claims.find(({ name }) => !claims.claim(wanted.namespace, name));
    return missing && `persistentvolumeclaim "${missing.name}" not found`;
  },
  filter: ({ disks }) =>
    disks.length === 0 ? undefined : (node) => (areTaken(disks, node) ? DISK_TAKEN : undefined),
  topology: ({ claims }, cluster) => (claims ? exclusiveClaims(claims, cluster) : undefined),
  canHelp,
};

function areTaken(wanted: readonly Disk[], { volumePods }: NodeInfo): boolean {
  for (const { volumes } of volumePods)
    if (volumes?.disks.some((used) => wanted.some((one) => areConflicting(one, used)))) return true;
  return false;
}

/**
 * While some Pod has a claim that is for one Pod, no node does for another.
 *
 * `undefined`: none of the claims is such a one.
 */
function exclusiveClaims(
  { namespace, claims: listed }: PodClaims,
  { claims }: ClusterFacts,
): Topology | undefined {
  const exclusive = new Set(
    listed.flatMap(({ name }) => {
      const modes = claims.claim(namespace, name)?.spec?.accessModes ?? [];
      return modes.includes("ReadWriteOncePod") ? [`${namespace}/${name}`] : [];
    }),
  );
  // What a claim allows never changes, but it may be another claim of that name.
  const { version } = claims;
  const isStale = (): boolean => claims.version !== version;
  if (exclusive.size === 0) return { look: () => UNCHANGED, isStale };
  const uses = new Map<number, number>();
  let total = 0;
  return {
    look(slot, node) {
      const before = uses.get(slot) ?? 0;
      const now = node ? usesOn(node, exclusive) : 0;
      if (now === before) return UNCHANGED;
      const wasTaken = total > 0;
      total += now - before;
      uses.set(slot, now);
      return wasTaken === total > 0 ? UNCHANGED : OTHERS;
    },
    test: () => (total > 0 ? CLAIM_TAKEN : undefined),
    isStale,
  };
}

function usesOn({ volumePods }: NodeInfo, exclusive: ReadonlySet<string>): number {
  let uses = 0;
  for (const { volumes } of volumePods)
    for (const key of volumes?.claims ?? []) if (exclusive.has(key)) uses++;
  return uses;
}

/** @spec volume_restrictions.go isSchedulableAfter… */
function canHelp(change: ClusterChange, { claims, disks }: RestrictedVolumes): boolean {
  switch (change.kind) {
    case "node":
      return !change.old;
    case "storage":
      return claims !== null && !change.old && isAbout(change, claims);
    case "pod-freed": {
      const freed = placedVolumesOf(change.pod);
      const isFree = (key: string): boolean => freed?.claims.includes(key) ?? false;
      return (
        (claims?.claims.some(({ name }) => isFree(`${claims.namespace}/${name}`)) ?? false) ||
        (freed?.disks.some((one) => disks.some((disk) => areConflicting(disk, one))) ?? false)
      );
    }
    default:
      return false;
  }
}
