import { storageClassOf } from "../../api/core/persistent-volume-claim.ts";
import type { V1CSINode } from "../../gen/types.ts";
import type { Claims } from "../claims.ts";
import { claimsOfPod, placedVolumesOf, type PodClaims } from "../claims-of-pod.ts";
import type { ClusterChange, Plugin, Rejection, Topology } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import { isAbout } from "./volume-binding.ts";
import { volumeTopology } from "./volume-topology.ts";

const TOO_MANY = { reasons: ["node(s) exceed max volume count"], isUnresolvable: false };

/** Drivers by the unique names of volumes. */
type CountedVolumes = Map<string, string>;

/**
 * A node has room for so many volumes of each driver, as its CSINode says.
 *
 * Counted are the volumes of its Pods, and those that are attached for Pods that have gone.
 * @spec k8s@1.36 plugins/nodevolumelimits csi.go
 */
export const nodeVolumeLimits: Plugin<PodClaims> = {
  name: "NodeVolumeLimits",
  read: claimsOfPod,
  topology: (input, { claims }): Topology => {
    const wanted: CountedVolumes = new Map();
    for (const { name } of input.claims) count(wanted, `${input.namespace}/${name}`, claims);
    return volumeTopology(claims, (node) => refusalOf(wanted, node, claims));
  },
  canHelp,
};

function refusalOf(wanted: CountedVolumes, node: NodeInfo, claims: Claims): Rejection | undefined {
  const limits = wanted.size > 0 ? limitsOf(claims.csiNode(node.name)) : NO_LIMITS;
  if (limits.size === 0) return undefined;
  const attached: CountedVolumes = new Map();
  for (const { volumes } of node.volumePods)
    for (const key of volumes?.claims ?? []) count(attached, key, claims);
  for (const { spec } of claims.attachmentsOn(node.name)) {
    const source = claims.volume(spec.source.persistentVolumeName ?? "")?.spec?.csi;
    if (source) attached.set(`${spec.attacher}/${source.volumeHandle}`, spec.attacher);
  }
  for (const [driver, limit] of limits) {
    const isOf = ([, one]: readonly [string, string]): boolean => one === driver;
    const more = [...wanted].filter(isOf).filter(([volume]) => !attached.has(volume)).length;
    if (more > 0 && [...attached].filter(isOf).length + more > limit) return TOO_MANY;
  }
  return undefined;
}

const NO_LIMITS: ReadonlyMap<string, number> = new Map();

function limitsOf(node: V1CSINode | undefined): ReadonlyMap<string, number> {
  return new Map(
    node?.spec.drivers.flatMap(({ name, allocatable }) =>
      allocatable?.count === undefined ? [] : [[name, allocatable.count] as const],
    ),
  );
}

/** Counts a claim's volume, or the one that its class will make for it. Claims that are not there count nothing. */
function count(volumes: CountedVolumes, key: string, claims: Claims): void {
  const [namespace = "", name = ""] = key.split("/");
  const claim = claims.claim(namespace, name);
  if (!claim) return;
  const volume = claims.volume(claim.spec?.volumeName ?? "");
  const csi = volume?.spec?.csi;
  if (csi) volumes.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver);
  if (volume) return;
  const provisioner = claims.storageClass(storageClassOf(claim))?.provisioner;
  // No volume has such a handle: a slash before the claim's own.
  if (provisioner) volumes.set(`${provisioner}//${key}`, provisioner);
}

/** @spec csi.go isSchedulableAfter… */
function canHelp(change: ClusterChange, input: PodClaims): boolean {
  switch (change.kind) {
    case "node":
      return !change.old;
    case "pod-freed":
      return (placedVolumesOf(change.pod)?.claims.length ?? 0) > 0;
    case "storage":
      break;
    default:
      return false;
  }
  if (change.resource === "CSINode") return givesMore(change.old, change.object);
  if (change.resource === "VolumeAttachment") return !change.object;
  return !change.old && isAbout(change, input);
}

function givesMore(old: V1CSINode | undefined, node: V1CSINode | undefined): boolean {
  if (!old || !node) return node !== undefined;
  const before = limitsOf(old);
  const now = limitsOf(node);
  return [...before].some(([driver, limit]) => (now.get(driver) ?? Infinity) > limit);
}
