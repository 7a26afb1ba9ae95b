import { storageClassOf } from "../../api/core/persistent-volume-claim.ts";
import { equalJson } from "../../api/machinery/equality.ts";
import type { V1Node, V1PersistentVolume } from "../../gen/types.ts";
import { isDelayed } from "../claims-match.ts";
import { claimsOfPod, type PodClaims } from "../claims-of-pod.ts";
import type { ClusterChange, ClusterFacts, Plugin, Topology } from "../framework.ts";
import { isAbout } from "./volume-binding.ts";
import { volumeTopology } from "./volume-topology.ts";

const WRONG_ZONE = { reasons: ["node(s) had no available volume zone"], isUnresolvable: true };

/** The label of a place, as it is and as it was called once. @spec volume_zone.go topologyLabels, translateToGALabel */
const PLACES: ReadonlyMap<string, string> = new Map([
  ["failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"],
  ["failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"],
  ["topology.kubernetes.io/zone", "topology.kubernetes.io/zone"],
  ["topology.kubernetes.io/region", "topology.kubernetes.io/region"],
]);

/** Where a volume is, by its labels. */
interface Place {
  readonly label: string;
  readonly values: readonly string[];
}

/** Volumes whose labels say in which zones they are: older ones, that name no nodes. @spec k8s@1.36 plugins/volumezone */
export const volumeZone: Plugin<PodClaims> = {
  name: "VolumeZone",
  read: claimsOfPod,
  gate: (input, cluster) => {
    for (const { name } of input.claims) {
      const problem = problemOf(input.namespace, name, cluster);
      if (problem !== undefined) return problem;
    }
    return undefined;
  },
  topology: (input, { claims }): Topology => {
    const places = input.claims.flatMap(({ name }) => {
      const claim = claims.claim(input.namespace, name);
      const volume = claims.volume(claim?.spec?.volumeName ?? "");
      return volume ? placesOf(volume) : [];
    });
    return volumeTopology(claims, ({ node }) => (isIn(node, places) ? undefined : WRONG_ZONE));
  },
  canHelp,
};

/** @spec volume_zone.go isSchedulableAfter… */
function canHelp(change: ClusterChange, input: PodClaims): boolean {
  if (change.kind === "node") return change.difference?.labels !== false;
  if (change.kind !== "storage") return false;
  switch (change.resource) {
    case "PersistentVolumeClaim":
      return isAbout(change, input);
    case "PersistentVolume":
      return (
        change.object !== undefined && (!change.old || placesAreOther(change.old, change.object))
      );
    case "StorageClass":
      return !change.old && change.object?.volumeBindingMode === "WaitForFirstConsumer";
    default:
      return false;
  }
}

/** @spec volume_zone.go getPVbyPod */
function problemOf(namespace: string, name: string, { claims }: ClusterFacts): string | undefined {
  const claim = claims.claim(namespace, name);
  if (!claim) return `persistentvolumeclaim "${name}" not found`;
  const { volumeName } = claim.spec ?? {};
  if (volumeName)
    return claims.volume(volumeName) ? undefined : `persistentvolume "${volumeName}" not found`;
  const className = storageClassOf(claim);
  if (className === "") return "PersistentVolumeClaim had no pv name and storageClass name";
  if (!claims.storageClass(className))
    return `storageclass.storage.k8s.io "${className}" not found`;
  return isDelayed(claim, claims) ? undefined : "PersistentVolume had no name";
}

function placesOf({ metadata }: V1PersistentVolume): readonly Place[] {
  return [...PLACES.keys()].flatMap((label) => {
    const text = metadata?.labels?.[label];
    if (text === undefined) return [];
    const values = text.split("__").map((value) => value.trim());
    return values.includes("") ? [] : [{ label, values }];
  });
}

function placesAreOther(a: V1PersistentVolume, b: V1PersistentVolume): boolean {
  return !equalJson(placesOf(a), placesOf(b));
}

/** A node that says nowhere where it is does for all. */
function isIn({ metadata }: V1Node, places: readonly Place[]): boolean {
  const labels = metadata?.labels ?? {};
  if (places.length === 0 || ![...PLACES.keys()].some((label) => label in labels)) return true;
  return places.every(({ label, values }) => {
    const value = labels[label] ?? labels[PLACES.get(label) ?? ""];
    return value !== undefined && values.includes(value);
  });
}
