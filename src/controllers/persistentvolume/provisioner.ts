import { matchesAnyTerm } from "../../api/core/node-selector-terms.ts";
import { Node } from "../../api/core/node.ts";
import { PersistentVolumeClaim, storageClassOf } from "../../api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { equalSemantic } from "../../api/machinery/equality.ts";
import { keyOf, type KubeObject, type ObjectKey } from "../../api/machinery/object.ts";
import {
  BETA_STORAGE_PROVISIONER,
  CONTENT_PROTECTION,
  PROVISIONED_BY,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
} from "../../api/storage/binding.ts";
import { MACHINE_LABEL, OWN_DRIVER } from "../../api/storage/own-volumes.ts";
import { StorageClass } from "../../api/storage/storage-class.ts";
import type { Instant } from "../../base/clock.ts";
import type { CacheChange } from "../../client/cache.ts";
import { defineController, type Plan } from "../../reconciler/controller.ts";
import { allOf, isBeingDeleted } from "../../reconciler/ownership.ts";

/** In ms: when a claim that could not be served says again why. Doubled, `describe` is empty for longer once events expire. */
const REMINDER_MS = 300_000;

export interface Observed {
  readonly claim: PersistentVolumeClaim;
  readonly storageClass: StorageClass;
  /** By name. */
  readonly nodes: readonly Node[];
}

/**
 * Makes the cluster's own volumes: an object each. The folder is made by the kubelet that first mounts it.
 *
 * It does what a driver's provisioner does elsewhere, beside the binder and told by it through the claim's annotations.
 * @spec sig-storage-lib-external-provisioner controller.go; external-provisioner pkg/controller
 */
export const volumeProvisioner = defineController<PersistentVolumeClaim, Observed>({
  name: "persistentvolume-provisioner-controller",
  eventSource: OWN_DRIVER,
  primary: PersistentVolumeClaim,
  triggers: [
    { kind: PersistentVolume, keys: ({ old, object }) => (object ? [] : claimOf(old)) },
    allOf(StorageClass, PersistentVolumeClaim),
    {
      kind: Node,
      keys: (change, cache) =>
        hasMoved(change)
          ? cache.list(PersistentVolumeClaim, { where: isOurs }).map((claim) => keyOf(claim))
          : [],
    },
  ],
  observe(cache, key) {
    const claim = cache.get(PersistentVolumeClaim, key);
    if (!claim || !isOurs(claim) || isBeingDeleted(claim)) return undefined;
    const className = storageClassOf(claim);
    const storageClass = cache.get(StorageClass, { namespace: "", name: className });
    if (storageClass?.provisioner !== OWN_DRIVER) return undefined;
    const isDelayed = storageClass.volumeBindingMode === "WaitForFirstConsumer";
    if (isDelayed && !claim.metadata?.annotations?.[SELECTED_NODE]) return undefined;
    if (cache.get(PersistentVolume, { namespace: "", name: nameFor(claim) })) return undefined;
    return { claim, storageClass, nodes: cache.list(Node) };
  },
  plan,
});

/** Whether the claim waits for a volume from here. */
function isOurs({ metadata, spec }: PersistentVolumeClaim): boolean {
  const annotations = metadata?.annotations ?? {};
  const maker = annotations[STORAGE_PROVISIONER] ?? annotations[BETA_STORAGE_PROVISIONER];
  return maker === OWN_DRIVER && !spec?.volumeName;
}

function claimOf(volume: KubeObject | undefined): readonly ObjectKey[] {
  const { namespace, name } = (volume as PersistentVolume | undefined)?.spec?.claimRef ?? {};
  return namespace !== undefined && name !== undefined ? [{ namespace, name }] : [];
}

/** A node of a machine that comes, or whose labels change, may be the first that a volume can be made on. */
function hasMoved({ old, object }: CacheChange): boolean {
  const labels = object?.metadata?.labels;
  if (labels?.[MACHINE_LABEL] === undefined) return false;
  return !equalSemantic(old?.metadata?.labels, labels);
}

/** Pure; see {@link volumeProvisioner}. */
export function plan(observed: Observed, now: Instant): Plan {
  const { claim } = observed;
  const { namespace, name } = claim.metadata ?? {};
  const selected = claim.metadata?.annotations?.[SELECTED_NODE];
  const why = whyNot(observed);
  if (why !== undefined) return failed(observed, why, now);
  const machine = machineFor(observed);
  if (machine === undefined) {
    if (!selected) {
      const detail = "error generating accessibility requirements: no available topology found";
      return failed(observed, detail, now);
    }
    // The scheduler chose a node that has gone or cannot do it, and is to choose anew.
    return { ...failed(observed, `node "${selected}" cannot have it`, now), ...unselected(claim) };
  }
  const about = `External provisioner is provisioning volume for claim "${namespace}/${name}"`;
  const object = volumeFor(observed, machine);
  return {
    writes: [{ verb: "create", kind: PersistentVolume, object, mayExist: true }],
    events: [
      { type: "Normal", reason: "Provisioning", message: about },
      {
        type: "Normal",
        reason: "ProvisioningSucceeded",
        message: `Successfully provisioned volume ${object.metadata!.name}`,
        afterWrite: 0,
      },
      {
        type: "Warning",
        reason: "ProvisioningFailed",
        message: failure(observed, "{error}"),
        afterWrite: 0,
        onFailure: true,
      },
    ],
  };
}

function nameFor({ metadata }: PersistentVolumeClaim): string {
  return `pvc-${metadata?.uid}`;
}

function whyNot({ claim }: Observed): string | undefined {
  if (claim.spec?.volumeMode === "Block") return "the driver has folders, no block devices";
  return claim.spec?.dataSource || claim.spec?.dataSourceRef
    ? "the driver makes empty volumes only, and none from a data source"
    : undefined;
}

function failure({ storageClass }: Observed, why: string): string {
  const name = storageClass.metadata?.name;
  return `failed to provision volume with StorageClass "${name}": ${why}`;
}

function failed(observed: Observed, why: string, now: Instant): Plan {
  const message = failure(observed, why);
  return {
    events: [{ type: "Warning", reason: "ProvisioningFailed", message }],
    wakeAt: now + REMINDER_MS,
  };
}

/** @spec rescheduleProvisioning */
function unselected(claim: PersistentVolumeClaim): Plan {
  const { [SELECTED_NODE]: _, ...annotations } = claim.metadata?.annotations ?? {};
  const object = { ...claim, metadata: { ...claim.metadata, annotations } };
  return { writes: [{ verb: "update", kind: PersistentVolumeClaim, object }] };
}

/** Of the chosen node; else of the first by name that the class allows. */
function machineFor({ claim, storageClass, nodes }: Observed): string | undefined {
  const selected = claim.metadata?.annotations?.[SELECTED_NODE];
  const terms = (storageClass.allowedTopologies ?? []).map(({ matchLabelExpressions = [] }) => ({
    matchExpressions: matchLabelExpressions.map((one) => ({ ...one, operator: "In" })),
  }));
  const machineOf = (node: Node): string | undefined => node.metadata?.labels?.[MACHINE_LABEL];
  const found = nodes.find(
    (node) =>
      (!selected || node.metadata?.name === selected) &&
      machineOf(node) !== undefined &&
      (terms.length === 0 || matchesAnyTerm(terms, node)),
  );
  return found && machineOf(found);
}

function volumeFor({ claim, storageClass }: Observed, machine: string): PersistentVolume {
  const { namespace = "", name = "", uid = "", resourceVersion = "" } = claim.metadata ?? {};
  const { mountOptions, reclaimPolicy = "Delete" } = storageClass;
  const storage = claim.spec?.resources?.requests?.["storage"] ?? "0";
  const term = {
    matchExpressions: [{ key: MACHINE_LABEL, operator: "In", values: [machine] }],
  };
  return {
    metadata: {
      name: nameFor(claim),
      annotations: { [PROVISIONED_BY]: OWN_DRIVER },
      ...(reclaimPolicy === "Delete" ? { finalizers: [CONTENT_PROTECTION] } : {}),
    },
    spec: {
      capacity: { storage },
      csi: { driver: OWN_DRIVER, volumeHandle: nameFor(claim) },
      accessModes: claim.spec?.accessModes ?? [],
      claimRef: {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        namespace,
        name,
        uid,
        resourceVersion,
      },
      persistentVolumeReclaimPolicy: reclaimPolicy,
      storageClassName: storageClassOf(claim),
      ...(mountOptions?.length ? { mountOptions } : {}),
      volumeMode: "Filesystem",
      nodeAffinity: { required: { nodeSelectorTerms: [term] } },
    },
  };
}
