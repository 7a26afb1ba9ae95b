import { Node } from "../../api/core/node.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pod.ts";
import { equalJson } from "../../api/machinery/equality.ts";
import { formatKey, parseKey } from "../../api/machinery/object.ts";
import { CSIDriver } from "../../api/storage/csi-driver.ts";
import { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import type { Instant } from "../../base/clock.ts";
import { Groups } from "../../base/groups.ts";
import type { Cache, CacheChange } from "../../client/cache.ts";
import { claimKeysOf, hasClaims } from "../../reconciler/claim-users.ts";
import { readinessOf } from "../../reconciler/node-state.ts";
import { isBeingDeleted, isControlledBy } from "../../reconciler/ownership.ts";
import { isPodTerminal } from "../../reconciler/pod-state.ts";
import type { Decision, Loop } from "../../reconciler/runner.ts";
import { fixedKinds } from "../../reconciler/served-kinds.ts";
import { AttachModel } from "./attach-model.ts";
import {
  NOTHING_REMEMBERED,
  planAttachments,
  type Memory,
  type Observed,
  type WantedVolume,
} from "./plan-attachments.ts";

/** @spec pkg/volume/util KeepTerminatedPodVolumesAnnotation */
const KEEPS_VOLUMES = "volumes.kubernetes.io/keep-terminated-pod-volumes";

/**
 * Keeps volumes attached to the nodes whose Pods mount them, and to no others.
 *
 * Its keys are names of nodes: what concerns one node is decided and written one after the other, so a node is never told
 * of a volume that is being detached. Of a volume that only one node may have, what is asked for counts before it is seen.
 * @spec k8s@1.36 pkg/controller/volume/attachdetach
 */
export function attachDetachLoop(cache: Cache): Loop {
  const world = new World(cache);
  return {
    name: "persistentvolume-attach-detach-controller",
    eventSource: "attachdetach-controller",
    kinds: fixedKinds([
      Pod,
      PersistentVolumeClaim,
      PersistentVolume,
      Node,
      CSIDriver,
      VolumeAttachment,
    ]),
    keysOf: (change) => world.nodesOf(change),
    decide: (name, now) => world.decide(name, now),
    begin: (enqueue) => world.begin(enqueue),
  };
}

const NONE: readonly string[] = [];

/** What is known and remembered of all nodes. */
class World {
  readonly #cache: Cache;
  readonly #model = new AttachModel();
  readonly #memories = new Map<string, Memory>();
  /** Nodes, by the volumes that are being asked for on them. */
  readonly #asked = new Groups();
  #enqueue: (name: string) => void = () => {};

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  begin(enqueue: (name: string) => void): void {
    this.#enqueue = enqueue;
  }

  /** The nodes that a change may concern. */
  nodesOf(change: CacheChange): readonly string[] {
    const { kind, key, old, object } = change;
    switch (kind as unknown) {
      case Pod:
        return this.#onPod(change as CacheChange<Pod>);
      case Node: {
        // Heartbeats are many, and most nodes have no volumes.
        if (!this.#model.knows(key.name)) return NONE;
        const isNews = !old || !object || isOther(old as Node, object as Node);
        return isNews ? [key.name] : NONE;
      }
      case VolumeAttachment:
        return this.#onAttachment(change as CacheChange<VolumeAttachment>);
      case PersistentVolumeClaim:
        return nodesOfPods(this.#model.podsWith(formatKey(key)));
      case PersistentVolume:
        return this.#usersOf((object ?? old) as PersistentVolume);
      default:
        return [...this.#model.nodes()];
    }
  }

  decide(name: string, now: Instant): Decision {
    const before = this.#asked.groupsOf(name);
    this.#asked.remove(name);
    const { plan, memory, asked } = planAttachments(this.#observe(name), now);
    if (memory.idleSince.size + memory.told.size === 0) this.#memories.delete(name);
    else this.#memories.set(name, memory);
    this.#asked.put(name, asked, name);
    for (const volume of before) if (!asked.includes(volume)) this.#giveUp(volume, name);
    return { plan };
  }

  #onPod(change: CacheChange<Pod>): readonly string[] {
    const { old, object } = change;
    const pod = object ?? old;
    if (!pod || !hasClaims(pod)) return NONE;
    this.#model.setPod(change);
    if (!pod.spec?.nodeName) return NONE;
    const isNews = !object || !old?.spec?.nodeName || isOver(old) !== isOver(object);
    return isNews ? [pod.spec.nodeName] : NONE;
  }

  /** Who waited for a volume may have it when its attachment is gone. */
  #onAttachment({ key, old, object }: CacheChange<VolumeAttachment>): readonly string[] {
    this.#model.setAttachment(key.name, object);
    const { nodeName, source } = (object ?? old)!.spec;
    const name = source.persistentVolumeName ?? "";
    const volume = this.#cache.get(PersistentVolume, { namespace: "", name });
    return [nodeName, ...(volume && !object ? this.#usersOf(volume) : NONE)];
  }

  #usersOf(volume: PersistentVolume): readonly string[] {
    const { namespace, name } = volume.spec?.claimRef ?? {};
    const users = name ? nodesOfPods(this.#model.podsWith(`${namespace}/${name}`)) : NONE;
    const attached = this.#model.attachmentsOf(volume.metadata?.name ?? "");
    return [...users, ...attached.map(({ spec }) => spec.nodeName)];
  }

  /** Who waited for a volume that a node asked for and did not get: no attachment will tell them. */
  #giveUp(name: string, node: string): void {
    if (this.#model.attachmentsOf(name).some(({ spec }) => spec.nodeName === node)) return;
    const volume = this.#cache.get(PersistentVolume, { namespace: "", name });
    for (const other of volume ? this.#usersOf(volume) : NONE) this.#enqueue(other);
  }

  #observe(name: string): Observed {
    const node = this.#cache.get(Node, { namespace: "", name });
    const attachments = this.#model.attachmentsOn(name).flatMap((attachment) => {
      const { persistentVolumeName } = attachment.spec.source;
      if (persistentVolumeName === undefined) return [];
      const key = { namespace: "", name: persistentVolumeName };
      return { attachment, volume: this.#cache.get(PersistentVolume, key) };
    });
    const memory = this.#memories.get(name) ?? NOTHING_REMEMBERED;
    return { name, node, wanted: this.#wantedOn(name), attachments, memory };
  }

  #wantedOn(node: string): readonly WantedVolume[] {
    const pods = new Map<PersistentVolume, Pod[]>();
    for (const pod of this.#model.podsOn(node)) {
      if (!this.#needsVolumes(pod)) continue;
      for (const key of claimKeysOf(pod)) {
        const volume = this.#attachable(pod, key);
        if (!volume) continue;
        const users = pods.get(volume) ?? [];
        if (!users.includes(pod)) pods.set(volume, [...users, pod]);
      }
    }
    return [...pods].map(([volume, users]) => ({
      volume,
      pods: users,
      elsewhere: this.#elsewhere(volume, node),
    }));
  }

  /** @spec attachdetach/util DetermineVolumeAction */
  #needsVolumes(pod: Pod): boolean {
    if (!isOver(pod)) return true;
    const node = this.#cache.get(Node, { namespace: "", name: pod.spec?.nodeName ?? "" });
    return node?.metadata?.annotations?.[KEEPS_VOLUMES] === "true";
  }

  /** The volume of a claim that is bound for good, if its driver attaches. @spec attachdetach/util CreateVolumeSpec */
  #attachable(pod: Pod, claimKey: string): PersistentVolume | undefined {
    const claim = this.#cache.get(PersistentVolumeClaim, parseKey(claimKey));
    const { volumeName } = claim?.spec ?? {};
    if (!claim || claim.status?.phase !== "Bound" || !volumeName) return undefined;
    const isNamed = pod.spec?.volumes?.some(
      (one) => `${pod.metadata?.namespace}/${one.persistentVolumeClaim?.claimName}` === claimKey,
    );
    if (!isNamed && !isControlledBy(claim, pod)) return undefined;
    const volume = this.#cache.get(PersistentVolume, { namespace: "", name: volumeName });
    const { csi, claimRef } = volume?.spec ?? {};
    if (!volume || !csi || claimRef?.uid !== claim.metadata?.uid) return undefined;
    const driver = this.#cache.get(CSIDriver, { namespace: "", name: csi.driver });
    return driver?.spec.attachRequired === false ? undefined : volume;
  }

  #elsewhere(volume: PersistentVolume, node: string): WantedVolume["elsewhere"] {
    const name = volume.metadata?.name ?? "";
    const attached = this.#model.attachmentsOf(name).map(({ spec }) => spec.nodeName);
    const others = new Set([...attached, ...this.#asked.of(name)]);
    others.delete(node);
    const { claimRef } = volume.spec ?? {};
    const users = this.#model
      .podsWith(`${claimRef?.namespace}/${claimRef?.name}`)
      .filter((pod) => others.has(pod.spec?.nodeName ?? "") && this.#needsVolumes(pod));
    return { isAttached: others.size > 0, pods: users };
  }
}

function nodesOfPods(pods: readonly Pod[]): readonly string[] {
  return pods.flatMap(({ spec }) => spec?.nodeName ?? []);
}

/** Neither runs nor will. @spec pkg/volume/util IsPodTerminated */
function isOver(pod: Pod): boolean {
  if (isPodTerminal(pod)) return true;
  const statuses = pod.status?.containerStatuses ?? [];
  const isStopped = statuses.every(({ state }) => state?.terminated ?? state?.waiting);
  return isBeingDeleted(pod) && isStopped;
}

/** Heartbeats are none of our business. */
function isOther(old: Node, node: Node): boolean {
  return (
    readinessOf(old) !== readinessOf(node) ||
    !equalJson(old.status?.volumesInUse, node.status?.volumesInUse) ||
    !equalJson(old.status?.volumesAttached, node.status?.volumesAttached) ||
    !equalJson(old.spec?.taints, node.spec?.taints) ||
    !equalJson(old.metadata?.annotations, node.metadata?.annotations)
  );
}
