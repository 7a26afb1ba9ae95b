import { matchesAnyTerm } from "../api/core/node-selector-terms.ts";
import { storageClassOf } from "../api/core/persistent-volume-claim.ts";
import { labelSelectorOf } from "../api/machinery/label-selector.ts";
import { quantityUnits } from "../api/machinery/quantity.ts";
import { hasOtherMode, isMeantFor, SELECTED_NODE } from "../api/storage/binding.ts";
import { ownVolumeProblem } from "../api/storage/own-volumes.ts";
import type {
  V1CSIStorageCapacity,
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1StorageClass,
  V1TopologySelectorLabelRequirement,
  V1TopologySelectorTerm,
} from "../gen/types.ts";
import { isFullyBound, type Claims } from "./claims.ts";
import type { PodClaims } from "./claims-of-pod.ts";

/** Provisioner of classes whose volumes somebody makes by hand. */
const NOBODY = "kubernetes.io/no-provisioner";

/** The claims of one Pod, by what is to be done about them. @spec k8s@1.36 plugins/volumebinding PodVolumeClaims */
export interface SortedClaims {
  readonly bound: readonly V1PersistentVolumeClaim[];
  /** They get their volumes when the Pod has a node; the smallest first. */
  readonly waiting: readonly V1PersistentVolumeClaim[];
  /** They get their volumes without the Pod, and have none. */
  readonly unbound: readonly V1PersistentVolumeClaim[];
}

/** Claims that are not there are left out. */
export function sortedClaims(
  { namespace, claims: listed }: PodClaims,
  claims: Claims,
): SortedClaims {
  const names = new Set(listed.map(({ name }) => name));
  const all = [...names].flatMap((name) => claims.claim(namespace, name) ?? []);
  const bound = all.filter(isFullyBound);
  const others = all.filter((claim) => !isFullyBound(claim));
  const waiting = others.filter((claim) => !claim.spec?.volumeName && isDelayed(claim, claims));
  const unbound = others.filter((claim) => !waiting.includes(claim));
  return { bound, waiting: waiting.sort((a, b) => requestOf(a) - requestOf(b)), unbound };
}

/** True when the class of a claim waits for the first Pod. @spec component-helpers IsDelayBindingMode */
export function isDelayed(claim: V1PersistentVolumeClaim, claims: Claims): boolean {
  return claims.storageClass(storageClassOf(claim))?.volumeBindingMode === "WaitForFirstConsumer";
}

/** What a node would do about the claims of a Pod that wait. */
export interface NodeVolumes {
  readonly bindings: readonly Binding[];
  /** Claims for which volumes are to be made there. */
  readonly provisions: readonly V1PersistentVolumeClaim[];
}

/** A volume that is there, for a claim. */
export interface Binding {
  readonly claim: V1PersistentVolumeClaim;
  readonly volume: V1PersistentVolume;
}

/** Why a node does not do: bits, in the order in which they are told. */
export const WRONG_NODE = 1;
export const NO_VOLUME = 2;
export const NO_SPACE = 4;
export const VOLUME_GONE = 8;

/**
 * What a node would do about a Pod's claims; a number: why it cannot.
 *
 * 1. Volumes of bound claims must be possible there.
 * 2. Of the others, the smallest first: the smallest free volume that fits.
 * 3. For the rest, a volume must be possible to make there.
 * @spec k8s@1.36 plugins/volumebinding/binder.go FindPodVolumes
 */
export function volumesOnNode(
  { bound, waiting }: SortedClaims,
  node: V1Node,
  claims: Claims,
): NodeVolumes | number {
  let problems = boundProblems(bound, node, claims);
  const bindings: Binding[] = [];
  const provisions: V1PersistentVolumeClaim[] = [];
  const taken = new Set<V1PersistentVolume>();
  for (const claim of waiting) {
    const selected = claim.metadata?.annotations?.[SELECTED_NODE];
    if (selected !== undefined && selected !== node.metadata?.name) return problems | NO_VOLUME;
    const volume =
      selected === undefined ? findMatchingVolume(claim, node, claims, taken) : undefined;
    if (volume) {
      taken.add(volume);
      bindings.push({ claim, volume });
    } else provisions.push(claim);
  }
  for (const claim of provisions) {
    const problem = provisionProblem(claim, node, claims);
    if (problem === 0) continue;
    problems |= problem;
    break;
  }
  return problems === 0 ? { bindings, provisions } : problems;
}

function boundProblems(
  bound: readonly V1PersistentVolumeClaim[],
  node: V1Node,
  claims: Claims,
): number {
  for (const { spec } of bound) {
    const volume = claims.volume(spec?.volumeName ?? "");
    if (!volume) return VOLUME_GONE;
    if (!isPossibleOn(volume, node)) return WRONG_NODE;
  }
  return 0;
}

/** True when a volume can be used on a node. @spec component-helpers CheckNodeAffinity */
export function isPossibleOn({ spec }: V1PersistentVolume, node: V1Node): boolean {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms;
  return terms === undefined || matchesAnyTerm(terms, node);
}

/**
 * The smallest free volume for a claim on a node; one that was set aside for the claim before all others.
 *
 * @spec k8s@1.36 component-helpers/storage/volume FindMatchingVolume, with a node
 */
function findMatchingVolume(
  claim: V1PersistentVolumeClaim,
  node: V1Node,
  claims: Claims,
  taken: ReadonlySet<V1PersistentVolume>,
): V1PersistentVolume | undefined {
  const requested = requestOf(claim);
  const {
    selector,
    accessModes = [],
    volumeAttributesClassName: attributes = "",
  } = claim.spec ?? {};
  const matches = selector && labelSelectorOf(selector);
  let smallest: V1PersistentVolume | undefined;
  for (const volume of claims.volumesOf(storageClassOf(claim))) {
    const { metadata, spec = {}, status } = volume;
    if (taken.has(volume) || (spec.claimRef && !isMeantFor(volume, claim))) continue;
    if (capacityOf(volume) < requested || hasOtherMode(volume, claim)) continue;
    if ((spec.volumeAttributesClassName ?? "") !== attributes || metadata?.deletionTimestamp)
      continue;
    if (ownVolumeProblem(volume) !== undefined) continue;
    if (spec.claimRef) return isPossibleOn(volume, node) ? volume : undefined;
    if (status?.phase !== "Available" || (matches && !matches.matches(metadata?.labels))) continue;
    if (!isPossibleOn(volume, node)) continue;
    if (accessModes.some((mode) => !spec.accessModes?.includes(mode))) continue;
    if (!smallest || capacityOf(volume) < capacityOf(smallest)) smallest = volume;
  }
  return smallest;
}

/** Why no volume can be made for the claim on the node; 0: it can. @spec binder.go checkVolumeProvisions */
function provisionProblem(claim: V1PersistentVolumeClaim, node: V1Node, claims: Claims): number {
  const storageClass = claims.storageClass(storageClassOf(claim));
  const { provisioner = "", allowedTopologies } = storageClass ?? {};
  if (!storageClass || provisioner === "" || provisioner === NOBODY) return NO_VOLUME;
  if (!matchesTopology(allowedTopologies, node)) return NO_VOLUME;
  return hasSpace(claim, storageClass, node, claims) ? 0 : NO_SPACE;
}

/** @spec component-helpers corev1 MatchTopologySelectorTerms */
function matchesTopology(
  terms: readonly V1TopologySelectorTerm[] | undefined,
  node: V1Node,
): boolean {
  if (!terms || terms.length === 0) return true;
  const labels = node.metadata?.labels ?? {};
  const holds = ({ key, values }: V1TopologySelectorLabelRequirement): boolean => {
    const label = labels[key];
    return label !== undefined && values.includes(label);
  };
  return terms.some(({ matchLabelExpressions: all = [] }) => all.length > 0 && all.every(holds));
}

/** Only of drivers that tell how much there is. @spec binder.go hasEnoughCapacity */
function hasSpace(
  claim: V1PersistentVolumeClaim,
  storageClass: V1StorageClass,
  node: V1Node,
  claims: Claims,
): boolean {
  if (claim.spec?.resources?.requests?.["storage"] === undefined) return true;
  if (!claims.driver(storageClass.provisioner)?.spec.storageCapacity) return true;
  const bytes = requestOf(claim);
  for (const capacity of claims.capacities())
    if (
      capacity.storageClassName === storageClass.metadata?.name &&
      isReachable(capacity, node) &&
      bytes <= limitOf(capacity)
    )
      return true;
  return false;
}

/** The largest volume that it is good for. @spec binder.go volumeLimit */
export function limitOf({ maximumVolumeSize, capacity }: V1CSIStorageCapacity): number {
  const text = maximumVolumeSize ?? capacity;
  return text === undefined ? 0 : quantityUnits(text);
}

/** Nobody reaches one that names no nodes. */
function isReachable({ nodeTopology }: V1CSIStorageCapacity, { metadata }: V1Node): boolean {
  return nodeTopology !== undefined && labelSelectorOf(nodeTopology).matches(metadata?.labels);
}

function requestOf({ spec }: V1PersistentVolumeClaim): number {
  return quantityUnits(spec?.resources?.requests?.["storage"] ?? 0);
}

function capacityOf({ spec }: V1PersistentVolume): number {
  return quantityUnits(spec?.capacity?.["storage"] ?? 0);
}
