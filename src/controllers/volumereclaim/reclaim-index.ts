import { MACHINE_LABEL, OWN_DRIVER, removalTexts } from "../../api/storage/own-volumes.ts";
import type { Node } from "../../api/core/node.ts";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import type { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import { Groups } from "../../base/groups.ts";
import { SortedMap } from "../../base/sorted-map.ts";
import { readinessOf } from "../../reconciler/node-state.ts";

/** Where a volume waits that no node could remove: it may be on any machine, as far as its terms say. */
const ANYWHERE = "";
/** Nodes of one machine that are looked at for a removal: the next ones are for when the first has no room. Doubling doubles what a decision reads. */
const MACHINE_NODES_MAX = 4;

/**
 * What of nodes, volumes and attachments decides about removals, folded from their changes; and which volumes wait for a node.
 *
 * Without it each change of a node would be a walk over all volumes, and each volume one over all nodes.
 */
export class ReclaimIndex {
  /** Names of nodes, by the volumes that they are asked to remove or have removed. */
  readonly #asked = new Groups();
  /** Names of nodes, by what their status says they have. */
  readonly #holders = new Groups();
  /** Names of nodes that are ready: `/NODE` of each, and `MACHINE/NODE`. */
  readonly #ready = new SortedMap<string>();
  /** Names of volumes of the cluster's driver, by their handles. */
  readonly #volumes = new Groups();
  readonly #attachments = new Groups();
  /** Names of volumes, by the node that has no room to be asked, or by the machine that has no node to ask. */
  readonly #crowded = new Groups();
  readonly #homeless = new Groups();

  /** As a watch tells it. */
  setNode(name: string, old: Node | undefined, node: Node | undefined): void {
    this.#asked.put(name, [...removalTexts(node).keys()], name);
    this.#holders.put(name, heldBy(node), name);
    for (const key of old ? readyKeys(name, old) : []) this.#ready.delete(key);
    for (const key of node ? readyKeys(name, node) : []) this.#ready.set(key, name);
  }

  /** `undefined`: it is gone. What it waited for is known until it is decided. */
  setVolume(name: string, volume: PersistentVolume | undefined): void {
    const { csi } = volume?.spec ?? {};
    this.#volumes.put(name, csi?.driver === OWN_DRIVER ? [csi.volumeHandle] : [], name);
  }

  /** `undefined`: it is gone. */
  setAttachment(name: string, attachment: VolumeAttachment | undefined): void {
    const volume = attachment?.spec.source.persistentVolumeName;
    this.#attachments.put(name, volume === undefined ? [] : [volume], name);
  }

  askedFor(volume: string): readonly string[] {
    return this.#asked.of(volume);
  }

  /** Nodes whose status says that they have it. */
  holdersOf(attachedName: string): readonly string[] {
    return this.#holders.of(attachedName);
  }

  /** Of a volume of the cluster's driver. */
  handleOf(volume: string): string | undefined {
    return this.#volumes.groupsOf(volume)[0];
  }

  volumesWith(handle: string): readonly string[] {
    return this.#volumes.of(handle);
  }

  isAttached(volume: string): boolean {
    return this.#attachments.has(volume);
  }

  /** By name; all that could be on the machine of the volume. Of one whose terms name a machine, some are enough. */
  readyFor(volume: PersistentVolume): readonly string[] {
    const machine = machineOf(volume);
    const limit = machine === ANYWHERE ? Infinity : MACHINE_NODES_MAX;
    return this.#ready.slice(`${machine}/`, `${machine}0`, limit);
  }

  /** What the volume waits for; `undefined`: for no node. */
  wait(name: string, reason: Waiting | undefined, volume?: PersistentVolume): void {
    this.#crowded.put(name, reason?.kind === "room" ? [reason.node] : [], name);
    const isHomeless = reason?.kind === "node" && volume;
    this.#homeless.put(name, isHomeless ? [machineOf(volume)] : [], name);
  }

  /** The first so many volumes that wait until a node has room. */
  waitingForRoom(node: string, count: number): readonly string[] {
    return this.#crowded.firstOf(node, count);
  }

  /** The node that a volume waits for. */
  crowdOf(volume: string): string | undefined {
    return this.#crowded.groupsOf(volume)[0];
  }

  /** Volumes that wait for a node such as this one. */
  waitingForNode(node: Node): readonly string[] {
    const machine = node.metadata?.labels?.[MACHINE_LABEL];
    const here = machine === undefined ? [] : this.#homeless.of(machine);
    return [...here, ...this.#homeless.of(ANYWHERE)];
  }
}

/** Why a volume that is to be removed is not: the node that would do it has enough to do, or there is none. */
export type Waiting = { readonly kind: "room"; readonly node: string } | { readonly kind: "node" };

/** What a node's status says it has. */
export function heldBy(node: Node | undefined): readonly string[] {
  const { volumesInUse = [], volumesAttached = [] } = node?.status ?? {};
  if (volumesInUse.length + volumesAttached.length === 0) return [];
  return [...new Set([...volumesInUse, ...volumesAttached.map(({ name }) => name)])];
}

function readyKeys(name: string, node: Node): readonly string[] {
  if (readinessOf(node) !== "True") return [];
  const machine = node.metadata?.labels?.[MACHINE_LABEL];
  return [`${ANYWHERE}/${name}`, ...(machine ? [`${machine}/${name}`] : [])];
}

/** The machine that a volume says it is on, as the cluster says it of its own; else {@link ANYWHERE}. */
function machineOf({ spec }: PersistentVolume): string {
  const [term, ...others] = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const [one, ...more] = term?.matchExpressions ?? [];
  const isPlain = others.length + more.length + (term?.matchFields?.length ?? 0) === 0;
  const isMachine = one?.key === MACHINE_LABEL && one.operator === "In" && one.values?.length === 1;
  return isPlain && isMachine ? one.values![0]! : ANYWHERE;
}
