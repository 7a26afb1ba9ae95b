import { PersistentVolumeClaim, storageClassOf } from "../../api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { quantityProblem } from "../../api/machinery/quantity.ts";
import {
  BETA_STORAGE_PROVISIONER,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  hasClass,
  isMeantFor,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
} from "../../api/storage/binding.ts";
import { OWN_DRIVER, ownVolumeProblem } from "../../api/storage/own-volumes.ts";
import type { StorageClass } from "../../api/storage/storage-class.ts";
import type { Instant } from "../../base/clock.ts";
import type { Plan, PlannedEvent, PlannedWrite } from "../../reconciler/controller.ts";
import { bestMatch, mismatch } from "./matching.ts";
import { driverOf } from "./moved-drivers.ts";

/**
 * In ms: how long after its last event a claim that waits says again why. Upstream looks every 15 s, and its spam filter lets one event of
 * an object through each five minutes. Doubled, `describe` is empty for longer once events expire.
 */
export const REMINDER_MS = 300_000;

/** Of a volume whose file system has not grown with it: the size of that. @spec pkg/volume/util AnnPreResizeCapacity */
const SIZE_BEFORE_GROWTH = "volume.alpha.kubernetes.io/pre-resize-capacity";

export interface ClaimObserved {
  readonly claim: PersistentVolumeClaim;
  /** The one that the claim names. */
  readonly volume: PersistentVolume | undefined;
  /** Volumes that it might get: free ones of its class, and those reserved for it. */
  readonly candidates: readonly PersistentVolume[];
  readonly storageClass: StorageClass | undefined;
  readonly defaultClass: StorageClass | undefined;
  /** Pods without a node that use the claim. */
  readonly waitingPods: () => readonly string[];
}

/** One claim; pure. @spec k8s@1.36 pv_controller.go syncClaim */
export function planClaim(observed: ClaimObserved, now: Instant): Plan {
  const { metadata, spec } = observed.claim;
  if (metadata?.annotations?.[BIND_COMPLETED] !== undefined) return planBound(observed);
  return spec?.volumeName ? planNamed(observed, now) : planFree(observed, now);
}

/** @spec syncUnboundClaim, first half */
function planFree(observed: ClaimObserved, now: Instant): Plan {
  const { claim, candidates, storageClass, defaultClass, waitingPods } = observed;
  const isDelayed = isForFirstPod(storageClass);
  const volume = bestMatch(claim, candidates, isDelayed);
  if (volume) return bind(volume, claim);
  if (defaultClass && !hasClass(claim)) {
    const spec = { ...claim.spec, storageClassName: defaultClass.metadata!.name! };
    return { writes: [update({ ...claim, spec })] };
  }
  if (isDelayed && claim.metadata?.annotations?.[SELECTED_NODE] === undefined)
    return pending(claim, now, waitingFor(waitingPods()));
  if (storageClassOf(claim) !== "") return planProvisioning(claim, storageClass, now);
  const message = "no persistent volumes available for this claim and no storage class is set";
  return pending(claim, now, { type: "Normal", reason: "FailedBinding", message });
}

/** True: the scheduler chooses the volumes of its claims. */
export function isForFirstPod(storageClass: StorageClass | undefined): boolean {
  return storageClass?.volumeBindingMode === "WaitForFirstConsumer";
}

/** @spec emitEventForUnboundDelayBindingClaim */
function waitingFor(pods: readonly string[]): PlannedEvent {
  if (pods.length === 0) {
    const message = "waiting for first consumer to be created before binding";
    return { type: "Normal", reason: "WaitForFirstConsumer", message };
  }
  const message = `waiting for pod${pods.length > 1 ? "s" : ""} ${pods.join()} to be scheduled`;
  return { type: "Normal", reason: "WaitForPodScheduled", message };
}

/**
 * Names who is to make the volume. Who makes the cluster's own runs beside this controller, and says so itself.
 *
 * @spec provisionClaim, provisionClaimOperationExternal
 */
function planProvisioning(
  claim: PersistentVolumeClaim,
  storageClass: StorageClass | undefined,
  now: Instant,
): Plan {
  const failed = (message: string): Plan =>
    pending(claim, now, { type: "Warning", reason: "ProvisioningFailed", message });
  if (!storageClass)
    return failed(`storageclass.storage.k8s.io "${storageClassOf(claim)}" not found`);
  const provisioner = driverOf(storageClass.provisioner);
  if (provisioner.startsWith("kubernetes.io/"))
    return failed(`no volume plugin matched name: ${provisioner}`);
  const annotations = claim.metadata?.annotations ?? {};
  const names = { [BETA_STORAGE_PROVISIONER]: provisioner, [STORAGE_PROVISIONER]: provisioner };
  if (Object.keys(names).some((key) => annotations[key] !== provisioner))
    return { writes: [update(withAnnotations(claim, names))] };
  if (provisioner === OWN_DRIVER) return {};
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' ` +
    "or manually by the system administrator. If volume creation is delayed, please verify that " +
    "the provisioner is running and correctly registered.";
  return pending(claim, now, { type: "Normal", reason: "ExternalProvisioning", message });
}

/** @spec syncUnboundClaim, second half */
function planNamed({ claim, volume }: ClaimObserved, now: Instant): Plan {
  if (!volume) return { status: pendingStatus(claim) };
  const warn = (reason: string, message: string): Plan =>
    pending(claim, now, { type: "Warning", reason, message });
  const name = volume.metadata?.name;
  const cannot = (why: string): Plan =>
    warn("VolumeMismatch", `Cannot bind to requested volume "${name}": ${why}`);
  const problem = ownVolumeProblem(volume);
  if (problem !== undefined) return cannot(problem);
  if (!volume.spec?.claimRef) {
    const why = mismatch(volume, claim);
    if (why === undefined) return bind(volume, claim);
    return cannot(why);
  }
  if (isMeantFor(volume, claim)) return bind(volume, claim);
  return warn("FailedBinding", `volume "${name}" already bound to a different claim.`);
}

/** @spec syncBoundClaim */
function planBound({ claim, volume }: ClaimObserved): Plan {
  const lost = (reason: string, message: string): Plan => {
    if (claim.status?.phase === "Lost") return {};
    const status = { ...pendingStatus(claim), phase: "Lost" };
    return { status, events: [{ type: "Warning", reason, message }] };
  };
  const gone = (what: string): Plan =>
    lost("ClaimLost", `Bound claim has lost ${what}. Data on the volume is lost!`);
  if (!claim.spec?.volumeName) return gone("reference to PersistentVolume");
  if (!volume) return gone("its PersistentVolume");
  const uid = volume.spec?.claimRef?.uid;
  if (!volume.spec?.claimRef || uid === claim.metadata?.uid) return bind(volume, claim);
  return lost(
    "ClaimMisbound",
    "Two claims are bound to the same volume, this one is bound incorrectly",
  );
}

/** Both ends of the bond, the volume's first: who loses the race for the volume leaves the claim alone. @spec bind */
function bind(volume: PersistentVolume, claim: PersistentVolumeClaim): Plan {
  const { name = "", namespace = "", uid = "", resourceVersion = "" } = claim.metadata ?? {};
  const writes: PlannedWrite[] = [];
  if (!isMeantFor(volume, claim) || volume.spec?.claimRef?.uid !== uid) {
    const about = { apiVersion: "v1", kind: "PersistentVolumeClaim" };
    const claimRef = { ...about, namespace, name, uid, resourceVersion };
    const bound = { ...volume, spec: { ...volume.spec, claimRef } };
    const isChosen = !isMeantFor(volume, claim);
    const object = isChosen ? withAnnotations(bound, { [BOUND_BY_CONTROLLER]: "yes" }) : bound;
    writes.push({ verb: "update", kind: PersistentVolume, object });
  }
  const volumeName = volume.metadata!.name!;
  const isNamed = claim.spec?.volumeName === volumeName;
  if (!isNamed || claim.metadata?.annotations?.[BIND_COMPLETED] === undefined) {
    const named = isNamed ? claim : { ...claim, spec: { ...claim.spec, volumeName } };
    const chosen = isNamed ? {} : { [BOUND_BY_CONTROLLER]: "yes" };
    writes.push(update(withAnnotations(named, { [BIND_COMPLETED]: "yes", ...chosen })));
  }
  const statusOnFailure = (): object => claim.status ?? {};
  return { writes, status: boundStatus(claim, volume), statusOnFailure };
}

/** What a claim that becomes bound has of its volume; of one that was bound, the size may differ on purpose. @spec updateClaimStatus */
function boundStatus(
  { status }: PersistentVolumeClaim,
  { metadata, spec }: PersistentVolume,
): object {
  const accessModes = spec?.accessModes ?? [];
  const before = metadata?.annotations?.[SIZE_BEFORE_GROWTH];
  const isKnown = before !== undefined && quantityProblem(before) === undefined;
  if (status?.phase === "Bound") return { ...status, accessModes };
  const attributes = spec?.volumeAttributesClassName;
  return {
    ...status,
    phase: "Bound",
    accessModes,
    capacity: isKnown ? { storage: before } : (spec?.capacity ?? {}),
    ...(attributes ? { currentVolumeAttributesClassName: attributes } : {}),
  };
}

function pendingStatus({ status }: PersistentVolumeClaim): object {
  const { accessModes: _modes, capacity: _capacity, ...rest } = status ?? {};
  return { ...rest, phase: "Pending" };
}

function pending(claim: PersistentVolumeClaim, now: Instant, event: PlannedEvent): Plan {
  return { status: pendingStatus(claim), events: [event], wakeAt: now + REMINDER_MS };
}

function update(object: PersistentVolumeClaim): PlannedWrite {
  return { verb: "update", kind: PersistentVolumeClaim, object };
}

function withAnnotations<T extends PersistentVolumeClaim | PersistentVolume>(
  object: T,
  more: Readonly<Record<string, string>>,
): T {
  const annotations = { ...object.metadata?.annotations, ...more };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
