import type { V1Pod, V1PodSpec, V1RBDVolumeSource, V1Volume } from "../gen/types.ts";

/** A claim that a Pod mounts: by name, or made for it alone. */
export interface PodClaim {
  readonly name: string;
  readonly isEphemeral: boolean;
}

/** What of a Pod's volumes concerns where it can be. JSON. */
export interface PodClaims {
  readonly namespace: string;
  readonly claims: readonly PodClaim[];
  /** Of Pods with ephemeral volumes, whose claims are theirs alone: no two such Pods are alike. */
  readonly pod: { readonly name: string; readonly uid: string } | null;
}

/** `undefined`: the Pod mounts no claims. */
export function claimsOfPod({ volumes }: V1PodSpec, { metadata }: V1Pod): PodClaims | undefined {
  if (!volumes) return undefined;
  let claims: PodClaim[] | undefined;
  let isPersonal = false;
  for (const { name, persistentVolumeClaim, ephemeral } of volumes) {
    if (persistentVolumeClaim)
      (claims ??= []).push({ name: persistentVolumeClaim.claimName, isEphemeral: false });
    else if (ephemeral) {
      isPersonal = true;
      (claims ??= []).push({ name: `${metadata?.name ?? ""}-${name}`, isEphemeral: true });
    }
  }
  if (!claims) return undefined;
  const pod = isPersonal ? { name: metadata?.name ?? "", uid: metadata?.uid ?? "" } : null;
  return { namespace: metadata?.namespace ?? "", claims, pod };
}

/** True when the Pod's claims bear its name: then no other Pod of its template is alike. */
export function hasOwnClaims({ volumes }: V1PodSpec): boolean {
  return volumes?.some(({ ephemeral }) => ephemeral) ?? false;
}

/** A disk that a Pod names itself, and that others cannot write to meanwhile. JSON. */
export type Disk =
  | { readonly kind: "gce" | "iscsi"; readonly id: string; readonly readOnly: boolean }
  | { readonly kind: "ebs"; readonly id: string }
  | {
      readonly kind: "rbd";
      readonly monitors: readonly string[];
      readonly pool: string;
      readonly image: string;
      readonly readOnly: boolean;
    };

/** In the order of the Pod's volumes. */
export function disksOfPod({ volumes }: V1PodSpec): readonly Disk[] {
  let disks: Disk[] | undefined;
  for (const volume of volumes ?? []) {
    const disk = diskOf(volume);
    if (disk) (disks ??= []).push(disk);
  }
  return disks ?? NONE;
}

const NONE: readonly never[] = [];

function diskOf(volume: V1Volume): Disk | undefined {
  const { gcePersistentDisk: gce, awsElasticBlockStore: ebs, iscsi, rbd } = volume;
  if (gce) return { kind: "gce", id: gce.pdName, readOnly: gce.readOnly ?? false };
  if (ebs) return { kind: "ebs", id: ebs.volumeID };
  if (iscsi) return { kind: "iscsi", id: iscsi.iqn, readOnly: iscsi.readOnly ?? false };
  return rbd && rbdOf(rbd);
}

function rbdOf({ monitors, pool = "rbd", image, readOnly = false }: V1RBDVolumeSource): Disk {
  return { kind: "rbd", monitors, pool, image, readOnly };
}

/** True when the two cannot be on one node. @spec k8s@1.36 plugins/volumerestrictions isVolumeConflict */
export function areConflicting(a: Disk, b: Disk): boolean {
  if (a.kind === "ebs") return b.kind === "ebs" && a.id === b.id;
  if (b.kind === "ebs" || (a.readOnly && b.readOnly)) return false;
  if (a.kind !== "rbd") return b.kind === a.kind && a.id === b.id;
  return (
    b.kind === "rbd" &&
    a.pool === b.pool &&
    a.image === b.image &&
    a.monitors.some((one) => b.monitors.includes(one))
  );
}

/** What a placed Pod has, for those that ask of its node. */
export interface PlacedVolumes {
  /** `NAMESPACE/NAME`. */
  readonly claims: readonly string[];
  readonly disks: readonly Disk[];
}

/** `undefined`, as for nearly all Pods: it has none of either. */
export function placedVolumesOf(pod: V1Pod): PlacedVolumes | undefined {
  const { spec } = pod;
  if (!spec?.volumes) return undefined;
  const disks = disksOfPod(spec);
  const found = claimsOfPod(spec, pod);
  if (disks.length === 0 && !found) return undefined;
  return {
    claims: found?.claims.map(({ name }) => `${found.namespace}/${name}`) ?? NONE,
    disks,
  };
}
