import { Node } from "../../api/core/node.ts";
import { PersistentVolumeClaim, storageClassOf } from "../../api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { equalSemantic } from "../../api/machinery/equality.ts";
import { formatKey, parseKey } from "../../api/machinery/object.ts";
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
import type { Cache, CacheChange } from "../../client/cache.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import type { Loop } from "../../reconciler/runner.ts";
import { fixedKinds } from "../../reconciler/served-kinds.ts";
import { REMINDER_MS } from "./claim-plan.ts";
import { provisionerMeter } from "./volume-metrics.ts";
import { isAllowed, machineOf, ProvisionIndex } from "./provision-index.ts";

export interface Observed {
  readonly claim: PersistentVolumeClaim;
  readonly storageClass: StorageClass;
  /** Where the volume is made: of the chosen node, else of the first by name that the class allows. */
  readonly machine: string | undefined;
}

/**
 * Makes the cluster's own volumes: an object each. The folder is made by the kubelet that first mounts it.
 *
 * It does what a driver's provisioner does elsewhere, beside the binder and told by it through the claim's annotations. Its keys are claims.
 * @spec sig-storage-lib-external-provisioner controller.go; external-provisioner pkg/controller
 */
export function volumeProvisionerLoop(cache: Cache): Loop {
  const index = new ProvisionIndex();
  return {
    name: "persistentvolume-provisioner-controller",
    eventSource: OWN_DRIVER,
    kinds: fixedKinds([PersistentVolumeClaim, PersistentVolume, StorageClass, Node]),
    meter: provisionerMeter,
    keysOf: (change) => claimsOf(index, cache, change),
    decide(text, now) {
      const observed = observe(index, cache, text);
      if (!observed) return undefined;
      const plan = planVolumeFor(observed, now);
      const primary = { kind: PersistentVolumeClaim, observesGeneration: false };
      return { plan, primary: { ...primary, object: observed.claim } };
    },
  };
}

const NONE: readonly never[] = [];

/** The claims that a change may concern. */
function claimsOf(index: ProvisionIndex, cache: Cache, change: CacheChange): readonly string[] {
  const { key, old, object } = change;
  switch (change.kind as unknown) {
    case PersistentVolumeClaim: {
      const claim = object as PersistentVolumeClaim | undefined;
      const isWaiting = claim && isOurs(claim) && !isBeingDeleted(claim);
      index.setClaim(formatKey(key), isWaiting ? storageClassOf(claim) : undefined);
      return isWaiting ? [formatKey(key)] : NONE;
    }
    case PersistentVolume:
      return object ? NONE : claimOf(old as PersistentVolume);
    case StorageClass:
      return index.waitingFor(key.name);
    default:
      return claimsFor(index, cache, change as CacheChange<Node>);
  }
}

/** A node of a machine that comes, or whose labels change, may be the first that a volume can be made on. */
function claimsFor(
  index: ProvisionIndex,
  cache: Cache,
  { key, old, object }: CacheChange<Node>,
): readonly string[] {
  if (object && old && equalSemantic(old.metadata?.labels, object.metadata?.labels)) return NONE;
  index.setNode(key.name, object);
  if (!object || machineOf(object) === undefined) return NONE;
  return index.homeless().flatMap(([name, claims]) => {
    const storageClass = cache.get(StorageClass, { namespace: "", name });
    return storageClass && isAllowed(storageClass, object) ? claims : NONE;
  });
}

function observe(index: ProvisionIndex, cache: Cache, text: string): Observed | undefined {
  const claim = cache.get(PersistentVolumeClaim, parseKey(text));
  if (!claim || !isOurs(claim) || isBeingDeleted(claim)) return undefined;
  const className = storageClassOf(claim);
  const storageClass = cache.get(StorageClass, { namespace: "", name: className });
  if (storageClass?.provisioner !== OWN_DRIVER) return undefined;
  const isDelayed = storageClass.volumeBindingMode === "WaitForFirstConsumer";
  const selected = claim.metadata?.annotations?.[SELECTED_NODE];
  if (isDelayed && !selected) return undefined;
  if (cache.get(PersistentVolume, { namespace: "", name: nameFor(claim) })) return undefined;
  if (selected) {
    index.setHome(text, className, true);
    const node = cache.get(Node, { namespace: "", name: selected });
    const machine = node && isAllowed(storageClass, node) ? machineOf(node) : undefined;
    return { claim, storageClass, machine };
  }
  const machine = index.machineFor(storageClass);
  index.setHome(text, className, machine !== undefined);
  return { claim, storageClass, machine };
}

/** Whether the claim waits for a volume from here. */
function isOurs({ metadata, spec }: PersistentVolumeClaim): boolean {
  const annotations = metadata?.annotations ?? {};
  const maker = annotations[STORAGE_PROVISIONER] ?? annotations[BETA_STORAGE_PROVISIONER];
  return maker === OWN_DRIVER && !spec?.volumeName;
}

function claimOf({ spec }: PersistentVolume): readonly string[] {
  const { namespace, name } = spec?.claimRef ?? {};
  return namespace !== undefined && name !== undefined ? [formatKey({ namespace, name })] : NONE;
}

/** Pure; see {@link volumeProvisionerLoop}. */
export function planVolumeFor(observed: Observed, now: Instant): Plan {
  const { claim, machine } = observed;
  const { namespace, name } = claim.metadata ?? {};
  const selected = claim.metadata?.annotations?.[SELECTED_NODE];
  const why = whyNot(observed);
  if (why !== undefined) return failed(observed, why, now);
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
