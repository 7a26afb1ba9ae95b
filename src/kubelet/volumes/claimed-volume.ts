import { matchesAnyTerm } from "../../api/core/node-selector-terms.ts";
import { formatAttachedName } from "../../api/storage/attached-name.ts";
import { OWN_DRIVER } from "../../api/storage/own-volumes.ts";
import type {
  V1Node,
  V1NodeSelectorTerm,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1Volume,
} from "../../gen/types.ts";
import { appContainers, initContainers } from "../runtime/pod-spec.ts";

/** What a volume of a Pod is made from: a PersistentVolume, or what the Pod itself says. */
export interface VolumeSpec {
  /** The Pod's name for it. */
  readonly volume: string;
  /** How events and folders name it: the PersistentVolume, or the Pod's name for it. */
  readonly name: string;
  readonly source: VolumeSources;
  readonly isPersistent: boolean;
  readonly isReadOnly: boolean;
  readonly mountOptions: readonly string[];
  /** Where the volume can be; absent: everywhere. */
  readonly nodeTerms?: readonly V1NodeSelectorTerm[];
}

type PersistentSources = NonNullable<V1PersistentVolume["spec"]>;

/** The sources that a kubelet may have to mount. */
export interface VolumeSources {
  readonly hostPath?: PersistentSources["hostPath"];
  readonly local?: PersistentSources["local"];
  readonly nfs?: PersistentSources["nfs"];
  readonly csi?: {
    readonly driver: string;
    readonly volumeHandle?: string;
    readonly readOnly?: boolean;
  };
}

/** Whether a volume can be mounted now, as far as the API knows. */
export type VolumeVerdict =
  | { readonly kind: "known"; readonly spec: VolumeSpec }
  /** Nobody knows yet what to mount. The message is upstream's. */
  | { readonly kind: "unprocessed"; readonly volume: string; readonly message: string };

/** The claim that a volume of a Pod is: the one that it names, or that of an ephemeral volume. */
export function claimNameOf(
  pod: V1Pod,
  { name, persistentVolumeClaim, ephemeral }: V1Volume,
): string | undefined {
  if (persistentVolumeClaim) return persistentVolumeClaim.claimName;
  return ephemeral ? `${pod.metadata?.name ?? ""}-${name}` : undefined;
}

/** True for volumes that are neither files of the API nor a folder of the node: making them may take long, or never succeed. */
export function isExternal(volume: V1Volume): boolean {
  const { hostPath, emptyDir, configMap, secret, projected, downwardAPI } = volume;
  return (hostPath ?? emptyDir ?? configMap ?? secret ?? projected ?? downwardAPI) === undefined;
}

/** `kubernetes.io/csi/DRIVER^HANDLE`: what the node's status calls an attachable volume; `undefined`: it is never attached. */
export function attachedNameOf({ source, isPersistent }: VolumeSpec): string | undefined {
  const { csi } = source;
  if (!isPersistent || csi?.driver !== OWN_DRIVER) return undefined;
  return formatAttachedName({ driver: OWN_DRIVER, handle: csi.volumeHandle ?? "" });
}

/** Why a volume cannot be on this node; `undefined`: it can. @spec k8s@1.36 pkg/volume/util CheckNodeAffinity */
export function placeProblem({ name, nodeTerms }: VolumeSpec, node: V1Node): string | undefined {
  if (!nodeTerms || matchesAnyTerm(nodeTerms, node)) return undefined;
  return `MountVolume.NodeAffinity check failed for volume ${JSON.stringify(name)} : no matching NodeSelectorTerms`;
}

/** Why a claim cannot be used by this Pod; `undefined`: it can, once its volume is known to be its own. */
export function claimProblem(
  pod: V1Pod,
  volume: V1Volume,
  claim: V1PersistentVolumeClaim,
): string | undefined {
  const { namespace, name } = claim.metadata ?? {};
  const problem = unusable(claim);
  if (problem) return `error processing PVC ${namespace}/${name}: ${problem}`;
  if (!volume.ephemeral || isControlledBy(claim, pod)) return undefined;
  const user = `${pod.metadata?.namespace}/${pod.metadata?.name}`;
  return `PVC ${namespace}/${name} was not created for pod ${user} (pod is not owner)`;
}

function unusable({ metadata, status, spec }: V1PersistentVolumeClaim): string | undefined {
  if (metadata?.deletionTimestamp !== undefined) return "PVC is being deleted";
  if (status?.phase !== "Bound") return "PVC is not bound";
  return spec?.volumeName ? undefined : "PVC has empty pvc.Spec.VolumeName";
}

function isControlledBy({ metadata }: V1PersistentVolumeClaim, pod: V1Pod): boolean {
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller);
  return owner !== undefined && owner.uid === pod.metadata?.uid;
}

/**
 * What a claim of a Pod is, by its volume.
 *
 * @spec k8s@1.36 pkg/kubelet/volumemanager/populator/desired_state_of_world_populator.go createVolumeSpec, getPVSpec
 */
export function specOfClaim(
  pod: V1Pod,
  volume: V1Volume,
  claim: V1PersistentVolumeClaim,
  persistent: V1PersistentVolume,
): VolumeVerdict {
  const { name = "" } = persistent.metadata ?? {};
  const { namespace, uid } = claim.metadata ?? {};
  const owner = persistent.spec?.claimRef;
  const refuse = (message: string): VolumeVerdict => ({
    kind: "unprocessed",
    volume: volume.name,
    message: `error processing PVC ${namespace}/${claim.metadata?.name}: ${message}`,
  });
  if (!owner)
    return refuse(
      `found PV object ${name} but it has a nil pvc.Spec.ClaimRef indicating it is not yet bound to the claim`,
    );
  if (owner.uid !== uid)
    return refuse(
      `found PV object ${name} but its pvc.Spec.ClaimRef.UID ${owner.uid ?? ""} does not point to claim.UID ${uid}`,
    );
  const mode = modeProblem(pod, volume, persistent.spec?.volumeMode ?? "Filesystem");
  if (mode) return { kind: "unprocessed", volume: volume.name, message: mode };
  const source = persistent.spec ?? {};
  if (!isMountable(source)) return noPlugin(volume.name, name);
  return { kind: "known", spec: specOf(volume, persistent) };
}

function specOf(volume: V1Volume, { metadata, spec }: V1PersistentVolume): VolumeSpec {
  const { hostPath, local, nfs, csi, accessModes = [], nodeAffinity } = spec ?? {};
  const terms = nodeAffinity?.required?.nodeSelectorTerms;
  const isShown = accessModes.length > 0 && accessModes.every((mode) => mode === "ReadOnlyMany");
  return {
    volume: volume.name,
    name: metadata?.name ?? "",
    source: {
      ...(hostPath && { hostPath }),
      ...(local && { local }),
      ...(nfs && { nfs }),
      ...(csi && { csi }),
    },
    isPersistent: true,
    isReadOnly:
      volume.persistentVolumeClaim?.readOnly === true ||
      (csi?.readOnly ?? nfs?.readOnly ?? false) ||
      (csi?.driver === OWN_DRIVER && isShown),
    mountOptions: mountOptionsOf(metadata?.annotations, spec?.mountOptions),
    ...(terms && { nodeTerms: terms }),
  };
}

/** @spec core/v1 MountOptionAnnotation, from before the field was there */
function mountOptionsOf(
  annotations: Readonly<Record<string, string>> | undefined,
  options: readonly string[] | undefined,
): readonly string[] {
  const old = annotations?.["volume.beta.kubernetes.io/mount-options"];
  return options ?? old?.split(",") ?? [];
}

/** What a volume is that no claim stands for. */
export function specOfVolume(volume: V1Volume): VolumeVerdict {
  const { name, nfs, csi } = volume;
  if (!nfs && !csi) return noPlugin(name, name);
  const isReadOnly = nfs?.readOnly ?? csi?.readOnly ?? false;
  const source = { ...(nfs && { nfs }), ...(csi && { csi }) };
  const spec = { volume: name, name, source, isPersistent: false, isReadOnly, mountOptions: [] };
  return { kind: "known", spec };
}

function isMountable({ hostPath, local, nfs, csi }: VolumeSources): boolean {
  return (hostPath ?? local ?? nfs ?? csi) !== undefined;
}

/** @spec k8s@1.36 pkg/kubelet/volumemanager/cache/desired_state_of_world.go AddPodToVolume; pkg/volume/plugins.go */
function noPlugin(volume: string, name: string): VolumeVerdict {
  const message = `failed to get Plugin from volumeSpec for volume ${JSON.stringify(name)} err=no volume plugin matched`;
  return { kind: "unprocessed", volume, message };
}

function modeProblem(pod: V1Pod, { name }: V1Volume, mode: string): string | undefined {
  const containers = [...initContainers(pod), ...appContainers(pod)];
  const isMounted = containers.some((one) =>
    one.volumeMounts?.some((mount) => mount.name === name),
  );
  const isDevice = containers.some((one) =>
    one.volumeDevices?.some((device) => device.name === name),
  );
  if (isMounted && mode !== "Filesystem")
    return `volume ${name} has volumeMode ${mode}, but is specified in volumeMounts`;
  if (isDevice && mode !== "Block")
    return `volume ${name} has volumeMode ${mode}, but is specified in volumeDevices`;
  return undefined;
}
