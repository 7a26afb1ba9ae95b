import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { storageClassOf } from "../../api/core/persistent-volume-claim.ts";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { labelSelectorOf, type LabelSelector } from "../../api/machinery/label-selector.ts";
import { compareQuantities, parseQuantity, type Quantity } from "../../api/machinery/quantity.ts";
import { hasOtherMode, isMeantFor } from "../../api/storage/binding.ts";
import { ownVolumeProblem } from "../../api/storage/own-volumes.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";

/**
 * The volume for a claim that names none; pure.
 *
 * 1. Volumes are looked at by their sets of access modes, those that allow least first.
 * 2. Of a set, one that is reserved for the claim; else the smallest that is free and fits, then the first by name.
 * 3. A claim that waits for its first Pod takes only what is reserved for it: the scheduler chooses.
 * @spec k8s@1.36 index.go findByClaim; component-helpers FindMatchingVolume
 */
export function bestMatch(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  isDelayed: boolean,
): PersistentVolume | undefined {
  const wanted = claim.spec?.accessModes ?? [];
  const selector = claim.spec?.selector && labelSelectorOf(claim.spec.selector);
  let best: Candidate | undefined;
  for (const volume of volumes) {
    const modes = volume.spec?.accessModes ?? [];
    if (!wanted.every((mode) => modes.includes(mode))) continue;
    const isReserved = volume.spec?.claimRef !== undefined;
    if (isReserved && !isMeantFor(volume, claim)) continue;
    if (!couldServe(volume, claim)) continue;
    if (!isReserved && (isDelayed || !isFree(volume, claim, selector))) continue;
    const candidate = { volume, isReserved, modes: rankOf(modes), size: capacityOf(volume) };
    if (!best || compare(candidate, best) < 0) best = candidate;
  }
  return best?.volume;
}

/** Why a volume that a claim names cannot be its; pure. @spec pv_controller.go checkVolumeSatisfyClaim */
export function mismatch(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): string | undefined {
  if (isBeingDeleted(volume))
    return `the volume is marked for deletion ${JSON.stringify(volume.metadata?.name)}`;
  if (compareQuantities(capacityOf(volume), requestOf(claim)) < 0)
    return "requested PV is too small";
  if (storageClassOf(volume) !== storageClassOf(claim)) return "storageClassName does not match";
  if (hasOtherMode(volume, claim)) return "incompatible volumeMode";
  const modes = volume.spec?.accessModes ?? [];
  const hasAll = (claim.spec?.accessModes ?? []).every((mode) => modes.includes(mode));
  return hasAll ? undefined : "incompatible accessMode";
}

/** What a claim asks for. */
export function requestOf({ spec }: PersistentVolumeClaim): Quantity {
  return parseQuantity(spec?.resources?.requests?.["storage"] ?? "0");
}

/** What a volume holds. */
export function capacityOf({ spec }: PersistentVolume): Quantity {
  return parseQuantity(spec?.capacity?.["storage"] ?? "0");
}

interface Candidate {
  readonly volume: PersistentVolume;
  readonly isReserved: boolean;
  readonly modes: string;
  readonly size: Quantity;
}

function compare(a: Candidate, b: Candidate): number {
  if (a.modes !== b.modes) return a.modes < b.modes ? -1 : 1;
  if (a.isReserved !== b.isReserved) return a.isReserved ? -1 : 1;
  const bySize = a.isReserved ? 0 : compareQuantities(a.size, b.size);
  return bySize || (a.volume.metadata!.name! < b.volume.metadata!.name! ? -1 : 1);
}

/** Sorts sets of modes by size; the same text for the same set. */
function rankOf(modes: readonly string[]): string {
  return `${modes.length} ${[...modes].sort().join()}`;
}

function couldServe(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const attributes = (one: PersistentVolume | PersistentVolumeClaim): string =>
    one.spec?.volumeAttributesClassName ?? "";
  return (
    compareQuantities(capacityOf(volume), requestOf(claim)) >= 0 &&
    !hasOtherMode(volume, claim) &&
    attributes(volume) === attributes(claim) &&
    !isBeingDeleted(volume) &&
    ownVolumeProblem(volume) === undefined
  );
}

function isFree(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
  selector: LabelSelector | undefined,
): boolean {
  return (
    volume.status?.phase === "Available" &&
    (!selector || selector.matches(volume.metadata?.labels)) &&
    storageClassOf(volume) === storageClassOf(claim)
  );
}
