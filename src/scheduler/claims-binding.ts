import { BOUND_BY_CONTROLLER, SELECTED_NODE } from "../api/storage/binding.ts";
import type { V1Node, V1PersistentVolume, V1PersistentVolumeClaim, V1Pod } from "../gen/types.ts";
import { claimKey, isFullyBound, type Claims } from "./claims.ts";
import { isPossibleOn, sortedClaims, volumesOnNode } from "./claims-match.ts";
import { claimsOfPod } from "./claims-of-pod.ts";

/** What is to be written and then waited for, before a Pod may be bound to its node. */
export interface VolumePlan {
  readonly node: string;
  /** Volumes that now name their claims. */
  readonly volumes: readonly V1PersistentVolume[];
  /** Claims of these volumes. */
  readonly boundClaims: readonly V1PersistentVolumeClaim[];
  /** Claims that now name the node. */
  readonly claims: readonly V1PersistentVolumeClaim[];
}

/**
 * What the claims of a Pod need on the node that was chosen for it; `undefined`: nothing. A problem: the node does not do any
 * more, for claims and volumes may change between the choice and now.
 *
 * @spec k8s@1.36 plugins/volumebinding/binder.go AssumePodVolumes
 */
export function planVolumes(
  pod: V1Pod,
  node: V1Node,
  claims: Claims,
): VolumePlan | { readonly problem: string } | undefined {
  const wanted = claimsOfPod(pod.spec ?? { containers: [] }, pod);
  if (!wanted) return undefined;
  const sorted = sortedClaims(wanted, claims);
  const found = volumesOnNode(sorted, node, claims);
  const name = node.metadata?.name ?? "";
  if (typeof found === "number" || sorted.unbound.length > 0)
    return { problem: `node "${name}" can have the pod's volumes no more` };
  if (sorted.waiting.length === 0) return undefined;
  return {
    node: name,
    volumes: found.bindings.map(({ volume, claim }) => withClaim(volume, claim)),
    boundClaims: found.bindings.map(({ claim }) => claim),
    claims: found.provisions.map((claim) => withNode(claim, name)),
  };
}

/** @spec component-helpers/storage/volume GetBindVolumeToClaim */
function withClaim(volume: V1PersistentVolume, claim: V1PersistentVolumeClaim): V1PersistentVolume {
  const { metadata, spec } = volume;
  const { namespace, name, uid, resourceVersion } = claim.metadata ?? {};
  const isPrebound = spec?.claimRef !== undefined;
  return {
    ...volume,
    metadata: isPrebound ? { ...metadata } : annotated(metadata, BOUND_BY_CONTROLLER, "yes"),
    spec: {
      ...spec,
      claimRef: {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        ...(namespace && { namespace }),
        ...(name && { name }),
        ...(uid && { uid }),
        ...(resourceVersion && { resourceVersion }),
      },
    },
  };
}

function withNode(claim: V1PersistentVolumeClaim, node: string): V1PersistentVolumeClaim {
  return { ...claim, metadata: annotated(claim.metadata, SELECTED_NODE, node) };
}

function annotated<T extends { readonly annotations?: Readonly<Record<string, string>> }>(
  metadata: T | undefined,
  name: string,
  value: string,
): T {
  return { ...metadata, annotations: { ...metadata?.annotations, [name]: value } } as T;
}

/** Counts a plan as carried out, so that no volume is given twice. */
export function assumeVolumes({ volumes, claims: chosen }: VolumePlan, claims: Claims): void {
  for (const volume of volumes) claims.assumeVolume(volume);
  for (const claim of chosen) claims.assumeClaim(claim);
}

/** The plan does not come about. */
export function forgetVolumes({ volumes, claims: chosen }: VolumePlan, claims: Claims): void {
  for (const { metadata } of volumes) claims.restoreVolume(metadata?.name ?? "");
  for (const claim of chosen) claims.restoreClaim(claimKey(claim));
}

/** How far a plan that was written has come: a text says why it cannot come about any more. */
export type BindingState = "bound" | "waiting" | { readonly problem: string };

/**
 * Whether all that was written has come about, by what the server says.
 *
 * `written`: the revision of each volume and claim that was written; what is known of it is no news before that.
 * @spec k8s@1.36 plugins/volumebinding/binder.go checkBindings
 */
export function bindingState(
  plan: VolumePlan,
  written: ReadonlyMap<string, number>,
  node: V1Node | undefined,
  claims: Claims,
): BindingState {
  if (!node) return { problem: `failed to get node "${plan.node}": node "${plan.node}" not found` };
  let isWaiting = false;
  for (const [index, { metadata }] of plan.volumes.entries()) {
    const state = volumeState(
      metadata?.name ?? "",
      plan.boundClaims[index]!,
      written,
      node,
      claims,
    );
    if (typeof state === "object") return state;
    isWaiting ||= state === "waiting";
  }
  for (const claim of plan.claims) {
    const state = claimState(claimKey(claim), written, node, claims);
    if (typeof state === "object") return state;
    isWaiting ||= state === "waiting";
  }
  return isWaiting ? "waiting" : "bound";
}

function volumeState(
  name: string,
  claim: V1PersistentVolumeClaim,
  written: ReadonlyMap<string, number>,
  node: V1Node,
  claims: Claims,
): BindingState {
  const volume = claims.knownVolume(name);
  if (!volume)
    return { problem: `failed to check binding: could not find v1.PersistentVolume "${name}"` };
  if (!isNews(name, volume, written)) return "waiting";
  if (!isPossibleOn(volume, node)) return wrongNode(name, node);
  if (!volume.spec?.claimRef?.uid) return { problem: `ClaimRef got reset for pv "${name}"` };
  const known = claims.knownClaim(claimKey(claim));
  if (!known) return missing("binding", claimKey(claim));
  return isFullyBound(known) ? "bound" : "waiting";
}

function claimState(
  key: string,
  written: ReadonlyMap<string, number>,
  node: V1Node,
  claims: Claims,
): BindingState {
  const claim = claims.knownClaim(key);
  if (!claim) return missing("provisioning pvc", key);
  if (!isNews(key, claim, written)) return "waiting";
  const { name = "", annotations } = claim.metadata ?? {};
  if (!annotations) return { problem: `selectedNode annotation reset for PVC "${name}"` };
  if (annotations[SELECTED_NODE] !== node.metadata?.name)
    return { problem: `provisioning failed for PVC "${name}"` };
  const { volumeName } = claim.spec ?? {};
  const volume = volumeName ? claims.knownVolume(volumeName) : undefined;
  // The volume may come after the claim that names it.
  if (volumeName && !volume) return "waiting";
  if (volume && !isPossibleOn(volume, node)) return wrongNode(volumeName!, node);
  return isFullyBound(claim) ? "bound" : "waiting";
}

function missing(what: string, key: string): BindingState {
  return { problem: `failed to check ${what}: could not find v1.PersistentVolumeClaim "${key}"` };
}

function wrongNode(volume: string, { metadata }: V1Node): BindingState {
  const name = metadata?.name ?? "";
  return {
    problem: `pv "${volume}" node affinity doesn't match node "${name}": no matching NodeSelectorTerms`,
  };
}

/** True unless it is older than what we wrote: all revisions are of one line. */
function isNews(
  key: string,
  { metadata }: V1PersistentVolume | V1PersistentVolumeClaim,
  written: ReadonlyMap<string, number>,
): boolean {
  return Number(metadata?.resourceVersion) >= (written.get(key) ?? 0);
}
