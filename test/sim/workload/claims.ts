import { PersistentVolume } from "../../../src/api/core/persistent-volume.ts";
import { sleep, type Clock } from "../../../src/base/clock.ts";
import type { Client } from "../../../src/client/client.ts";
import type { KubeObject } from "../../../src/api/machinery/object.ts";
import type {
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1StatefulSetSpec,
} from "../../../src/gen/types.ts";
import { placeOf, type Scene } from "./step.ts";

/** The class of volumes that the cluster does not make itself. */
const VENDOR = "vendor";

/** Between two looks of the provisioner, in ms. */
const LOOK_MS = 3000;

/** What a StatefulSet's Pods keep, and what becomes of it. */
export function anyClaims(
  scene: Scene,
): Pick<V1StatefulSetSpec, "volumeClaimTemplates" | "persistentVolumeClaimRetentionPolicy"> {
  if (!scene.isLucky(40)) return {};
  const whenDeleted = scene.oneOf("Retain", "Delete");
  const whenScaled = scene.oneOf("Retain", "Delete");
  return {
    volumeClaimTemplates: [
      {
        metadata: { name: "data" },
        spec: {
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: "1Gi" } },
          storageClassName: VENDOR,
        },
      },
    ],
    ...(scene.isLucky(80) && { persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } }),
  };
}

/**
 * Stands outside of the cluster, as a storage vendor's provisioner does: makes each claim a volume of its own, to which the cluster binds it, and takes
 * volumes away whose claims are gone. What fails it does again; it never ends.
 */
export async function provision(
  client: Client,
  clock: Clock,
  present: (resource: string) => readonly KubeObject[],
): Promise<never> {
  for (;;) {
    await sleep(clock, LOOK_MS);
    const claims = present("persistentvolumeclaims") as readonly V1PersistentVolumeClaim[];
    const uids = new Set(claims.map(({ metadata }) => metadata?.uid));
    const volumes = present("persistentvolumes") as readonly V1PersistentVolume[];
    await Promise.allSettled([
      ...claims.filter(isWaiting).map((claim) => make(client, claim)),
      ...volumes
        .filter(({ spec }) => !uids.has(spec?.claimRef?.uid))
        .map((volume) => client.delete(PersistentVolume, placeOf(volume))),
    ]);
  }
}

function isWaiting({ metadata, status }: V1PersistentVolumeClaim): boolean {
  return metadata?.deletionTimestamp === undefined && status?.phase !== "Bound";
}

async function make(client: Client, claim: V1PersistentVolumeClaim): Promise<void> {
  const { name = "", namespace = "", uid = "" } = claim.metadata ?? {};
  const { accessModes = [], resources } = claim.spec ?? {};
  const capacity = { ...resources?.requests };
  const claimRef = { kind: "PersistentVolumeClaim", apiVersion: "v1", name, namespace, uid };
  const hostPath = { path: `/volumes/${uid}` };
  await client.create(PersistentVolume, {
    metadata: { name: `volume-${uid}` },
    spec: { capacity, accessModes, claimRef, hostPath, storageClassName: VENDOR },
  });
}
