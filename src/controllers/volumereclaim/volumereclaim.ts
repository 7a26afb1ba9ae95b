import { matchesAnyTerm } from "../../api/core/node-selector-terms.ts";
import { Node } from "../../api/core/node.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { equalJson } from "../../api/machinery/equality.ts";
import { keyOf, type ObjectKey } from "../../api/machinery/object.ts";
import {
  attachedName,
  formatRemoval,
  OWN_DRIVER,
  REMOVAL_PREFIX,
  removalsOf,
  type Removal,
} from "../../api/storage/own-volumes.ts";
import { CONTENT_PROTECTION, PROVISIONED_BY } from "../../api/storage/binding.ts";
import { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import type { CacheChange, CacheReader } from "../../client/cache.ts";
import { defineController, type Plan, type PlannedWrite } from "../../reconciler/controller.ts";
import { readinessOf } from "../../reconciler/node-state.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";

/** What an annotation's name may be. @spec apimachinery validation IsQualifiedName */
const ANNOTATION_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

export interface Observed {
  readonly name: string;
  /** Absent: it is gone. */
  readonly volume: PersistentVolume | undefined;
  readonly isAttached: boolean;
  /** Another volume stands for the same folder. */
  readonly isShared: boolean;
  /** All of the cluster. */
  readonly nodes: readonly Node[];
}

/**
 * Removes the cluster's own volumes that are released and not to be kept: first the folder, then the object.
 *
 * *Flow.* released, and on no node → annotation `wanted` on the first ready node of its machine → the kubelet removes the folder and says `done` →
 * the volume is deleted, its finalizer taken off → the annotation goes. The finalizer keeps the volume until then, also when a user deletes it. Only
 * what the cluster made is removed; a volume that a user deletes while no claim has it leaves its folder behind.
 * *Guarantees.* The object goes only after the folder. Each step is read from the objects, so any of them may be repeated.
 * *Caveats.* Without a ready node of its machine a volume stays as it is.
 * @spec sig-storage-lib-external-provisioner controller.go deleteVolumeOperation
 */
export const volumeReclaimController = defineController<PersistentVolume, Observed>({
  name: "volume-reclaim-controller",
  primary: PersistentVolume,
  triggers: [
    { kind: Node, keys: volumesOfNode },
    { kind: VolumeAttachment, keys: volumeOfAttachment },
    { kind: PersistentVolume, keys: sharers },
  ],
  observe(cache, { name }) {
    const volume = cache.get(PersistentVolume, { namespace: "", name });
    const nodes = cache.list(Node);
    const isAsked = nodes.some((node) => removalOf(node, name));
    if (!isAsked && !(volume && (isReclaimable(volume) || isAbandoned(volume)))) return undefined;
    const isOf = ({ spec }: VolumeAttachment): boolean => spec.source.persistentVolumeName === name;
    const isAttached = cache.list(VolumeAttachment, { where: isOf }).length > 0;
    const isShared =
      volume !== undefined && isReclaimable(volume) && othersOf(volume, cache).length > 0;
    return { name, volume, isAttached, isShared, nodes };
  },
  plan,
});

/** Pure. */
export function plan({ name, volume, isAttached, isShared, nodes }: Observed): Plan {
  const asked = nodes.filter((node) => removalOf(node, name));
  // A folder that somebody is about to remove is removed, also when the object goes before.
  if (!volume)
    return { writes: asked.filter((node) => removalOf(node, name)?.isDone).map(withdraw(name)) };
  if (isAbandoned(volume)) return { writes: [...asked.map(withdraw(name)), ...letGo(volume)] };
  if (!isReclaimable(volume) || isShared) return { writes: asked.map(withdraw(name)) };
  const handle = handleOf(volume) ?? "";
  const unique = attachedName(handle);
  if (isAttached || nodes.some((node) => has(node, unique))) return {};
  if (asked.some((node) => isRemoved(node, name, handle)))
    return { writes: isBeingDeleted(volume) ? letGo(volume) : [removeVolume(volume)] };
  if (!ANNOTATION_NAME.test(name)) return unnamable(volume);
  const able = nodes.filter((node) => isAble(volume, node));
  const strayed = asked.filter((node) => !able.includes(node)).map(withdraw(name));
  const isUnderWay = asked.some((node) => able.includes(node));
  const [first] = able.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  if (isUnderWay || !first) return { writes: strayed };
  return { writes: [...strayed, annotate(first, name, formatRemoval({ handle, isDone: false }))] };
}

function isReclaimable({ metadata, spec, status }: PersistentVolume): boolean {
  return (
    spec?.csi?.driver === OWN_DRIVER &&
    metadata?.annotations?.[PROVISIONED_BY] === OWN_DRIVER &&
    spec.persistentVolumeReclaimPolicy === "Delete" &&
    status?.phase === "Released"
  );
}

/** A user deletes it, and no claim has it, nor is about to. */
function isAbandoned(volume: PersistentVolume): boolean {
  const { spec, status } = volume;
  return (
    spec?.csi?.driver === OWN_DRIVER &&
    isBeingDeleted(volume) &&
    !spec.claimRef?.uid &&
    status?.phase !== "Bound" &&
    status?.phase !== "Released"
  );
}

/** Other volumes for the same folder. */
function othersOf(volume: PersistentVolume, cache: CacheReader): readonly PersistentVolume[] {
  const isSame = (other: PersistentVolume): boolean =>
    other.spec?.csi?.driver === OWN_DRIVER &&
    handleOf(other) === handleOf(volume) &&
    nameOf(other) !== nameOf(volume);
  return cache.list(PersistentVolume, { where: isSame });
}

/** When a hand-made volume goes, those that waited for it: nothing that the cluster makes shares a folder. */
function sharers({ old, object }: CacheChange, cache: CacheReader): readonly ObjectKey[] {
  const gone = object ? undefined : (old as PersistentVolume | undefined);
  const isOwn = gone?.spec?.csi?.driver === OWN_DRIVER;
  if (!gone || !isOwn || gone.metadata?.annotations?.[PROVISIONED_BY] === OWN_DRIVER) return [];
  return othersOf(gone, cache).map(keyOf);
}

function handleOf({ spec }: PersistentVolume): string | undefined {
  return spec?.csi?.volumeHandle;
}

function removalOf(node: Node, name: string): Removal | undefined {
  return removalsOf(node).find(({ volume }) => volume === name);
}

function isRemoved(node: Node, name: string, handle: string): boolean {
  const removal = removalOf(node, name);
  return removal?.isDone === true && removal.handle === handle;
}

function has({ status }: Node, unique: string): boolean {
  return (
    (status?.volumesInUse?.includes(unique) ?? false) ||
    (status?.volumesAttached?.some(({ name }) => name === unique) ?? false)
  );
}

/** A node that answers, on the machine that has the volume. */
function isAble({ spec }: PersistentVolume, node: Node): boolean {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms;
  return readinessOf(node) === "True" && terms !== undefined && matchesAnyTerm(terms, node);
}

function annotate(node: Node, name: string, text: string | null): PlannedWrite {
  const annotations = { [`${REMOVAL_PREFIX}${name}`]: text };
  return { verb: "patch", kind: Node, key: keyOf(node), patch: { metadata: { annotations } } };
}

function withdraw(name: string): (node: Node) => PlannedWrite {
  return (node) => annotate(node, name, null);
}

function removeVolume(volume: PersistentVolume): PlannedWrite {
  const ifUid = volume.metadata?.uid ?? "";
  return { verb: "delete", kind: PersistentVolume, key: keyOf(volume), ifUid };
}

/** Nothing holds it back any more: its folder is gone. */
function letGo(volume: PersistentVolume): readonly PlannedWrite[] {
  const finalizers = volume.metadata?.finalizers ?? [];
  if (!finalizers.includes(CONTENT_PROTECTION)) return [];
  const rest = finalizers.filter((name) => name !== CONTENT_PROTECTION);
  const object = { ...volume, metadata: { ...volume.metadata, finalizers: rest } };
  return [{ verb: "update", kind: PersistentVolume, object }];
}

/** No volume that the cluster made has such a name. */
function unnamable({ status }: PersistentVolume): Plan {
  const message = "the name of the volume is too long for a node to be asked by it";
  return {
    status: { ...status, phase: "Failed", message },
    events: [{ type: "Warning", reason: "VolumeFailedDelete", message }],
  };
}

/** Heartbeats concern nobody. */
function volumesOfNode(change: CacheChange, cache: CacheReader): readonly ObjectKey[] {
  const [old, node] = [change.old as Node | undefined, change.object as Node | undefined];
  const asked = [...removalsOf(old), ...removalsOf(node)].map(({ volume }) => volume);
  const waiting = equalJson(factsOf(old), factsOf(node))
    ? []
    : cache.list(PersistentVolume, { where: isReclaimable }).map(nameOf);
  return [...new Set([...asked, ...waiting])].map((name) => ({ namespace: "", name }));
}

/** What about a node decides whether it is asked. */
function factsOf(node: Node | undefined): unknown {
  if (!node) return undefined;
  const { volumesInUse, volumesAttached } = node.status ?? {};
  return { ready: readinessOf(node), labels: node.metadata?.labels, volumesInUse, volumesAttached };
}

function volumeOfAttachment({ old, object }: CacheChange): readonly ObjectKey[] {
  const { spec } = (object ?? old) as VolumeAttachment;
  const name = spec.source.persistentVolumeName;
  return name === undefined ? [] : [{ namespace: "", name }];
}

function nameOf({ metadata }: Node | PersistentVolume): string {
  return metadata?.name ?? "";
}
