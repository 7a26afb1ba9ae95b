import { createHash } from "node:crypto";
import { Node } from "../../api/core/node.ts";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import type { Pod } from "../../api/core/pod.ts";
import { keyOf } from "../../api/machinery/object.ts";
import { equalJson } from "../../api/machinery/equality.ts";
import { formatAttachedName, parseAttachedName } from "../../api/storage/attached-name.ts";
import { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import type { Instant } from "../../base/clock.ts";
import type { V1AttachedVolume } from "../../gen/types.ts";
import type { Plan, PlannedEvent, PlannedWrite } from "../../reconciler/controller.ts";
import { readinessOf } from "../../reconciler/node-state.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";

/**
 * For so long a node that is not ready may keep a volume that nobody needs there. Doubling doubles how long its Pods' successors
 * wait; halving lets two nodes write when one was silent for three minutes.
 *
 * @spec attach_detach_controller.go ReconcilerMaxWaitForUnmountDuration
 */
export const FORCED_DETACH_MS = 6 * 60_000;

/** @spec pkg/volume/util ControllerManagedAttachAnnotation */
const MANAGED = "volumes.kubernetes.io/controller-managed-attach-detach";
const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";

/** A volume that Pods of the node mount. */
export interface WantedVolume {
  readonly volume: PersistentVolume;
  /** Those of the node. */
  readonly pods: readonly Pod[];
  /** Other nodes that have it, or are about to, and their Pods that mount it. */
  readonly elsewhere: { readonly isAttached: boolean; readonly pods: readonly Pod[] };
}

/** An attachment of the node; `volume` `undefined`: it is gone. */
export interface KnownAttachment {
  readonly attachment: VolumeAttachment;
  readonly volume: PersistentVolume | undefined;
}

/** What is remembered of a node between two looks. */
export interface Memory {
  /** When nobody needed an attachment any more, by its name. */
  readonly idleSince: ReadonlyMap<string, Instant>;
  /** Volumes of which it was said that they cannot be attached, and why. */
  readonly told: ReadonlySet<string>;
}

export const NOTHING_REMEMBERED: Memory = { idleSince: new Map(), told: new Set() };

export interface Observed {
  readonly name: string;
  /** `undefined`: it is gone. */
  readonly node: Node | undefined;
  readonly wanted: readonly WantedVolume[];
  readonly attachments: readonly KnownAttachment[];
  readonly memory: Memory;
}

export interface Decided {
  readonly plan: Plan;
  readonly memory: Memory;
  /** Names of volumes that the plan asks for. */
  readonly asked: readonly string[];
}

/**
 * What is to be attached to one node and detached from it; pure.
 *
 * 1. What its Pods need and it has: its status names it, once it is attached.
 * 2. What it has and nobody needs: when the node does not use it (or cannot be waited for), its status drops it; after that it is
 *    detached.
 * 3. What its Pods need and it has not: asked for, unless another node has it and only one may.
 * @spec k8s@1.36 attachdetach/reconciler/reconciler.go reconcile, attachDesiredVolumes
 */
export function planAttachments(observed: Observed, now: Instant): Decided {
  const { name, node } = observed;
  const isManaged = node?.metadata?.annotations?.[MANAGED] !== undefined;
  const wanted = new Map(
    (isManaged ? observed.wanted : []).map((one) => [attachmentName(one.volume, name), one]),
  );
  const draft = new Draft(observed, now);
  for (const known of observed.attachments) {
    const one = wanted.get(known.attachment.metadata?.name ?? "");
    if (isBeingDeleted(known.attachment)) continue;
    if (one) draft.keep(known.attachment, one);
    else draft.letGo(known);
  }
  const present = new Set(observed.attachments.map(({ attachment }) => attachment.metadata?.name));
  for (const [attachment, one] of wanted) if (!present.has(attachment)) draft.ask(attachment, one);
  return draft.decided();
}

/** A plan in the making. */
class Draft {
  readonly #observed: Observed;
  readonly #now: Instant;
  /** Unique names of what the node is told that it has. */
  readonly #reported = new Set<string>();
  readonly #known: ReadonlySet<string>;
  readonly #deletes: PlannedWrite[] = [];
  readonly #creates: PlannedWrite[] = [];
  readonly #events: PlannedEvent[] = [];
  readonly #idleSince = new Map<string, Instant>();
  readonly #told = new Set<string>();
  readonly #asked: string[] = [];
  #wakeAt: Instant | undefined;

  constructor(observed: Observed, now: Instant) {
    this.#observed = observed;
    this.#now = now;
    this.#known = new Set(observed.node?.status?.volumesAttached?.map(({ name }) => name));
  }

  /** Somebody needs it. */
  keep({ metadata, status }: VolumeAttachment, { volume, pods }: WantedVolume): void {
    const unique = uniqueName(volume);
    const text = JSON.stringify(volume.metadata?.name);
    if (status?.attached) {
      this.#reported.add(unique);
      if (this.#known.has(unique)) return;
      const message = `AttachVolume.Attach succeeded for volume ${text} `;
      for (const pod of pods)
        this.#tell(pod, {
          type: "Normal",
          reason: "SuccessfulAttachVolume",
          message,
          afterWrite: 0,
        });
    } else if (status?.attachError) {
      const message = `AttachVolume.Attach failed for volume ${text} : ${status.attachError.message ?? ""}`;
      this.#tellOnce(`${metadata?.name} ${message}`, pods, () => message);
    }
  }

  /** Nobody needs it. */
  letGo({ attachment, volume }: KnownAttachment): void {
    const { node, memory } = this.#observed;
    const name = attachment.metadata?.name ?? "";
    const unique = volume ? uniqueName(volume) : this.#reportedAs(name);
    const since = memory.idleSince.get(name) ?? this.#now;
    this.#idleSince.set(name, since);
    if (this.#isInUse(unique) && !this.#mayForce(since)) {
      if (attachment.status?.attached && unique !== undefined) this.#reported.add(unique);
      return;
    }
    // The node must have been told before it loses the volume: the next look detaches.
    if (node && unique !== undefined && this.#known.has(unique)) return;
    const ifUid = attachment.metadata?.uid ?? "";
    this.#deletes.push({ verb: "delete", kind: VolumeAttachment, key: keyOf(attachment), ifUid });
  }

  /** Somebody needs it, and it is not there. */
  ask(name: string, { volume, pods, elsewhere }: WantedVolume): void {
    if (elsewhere.isAttached && !isForManyNodes(volume)) {
      const text = JSON.stringify(volume.metadata?.name);
      this.#tellOnce(`${name} multi-attach`, pods, (pod) => {
        return `Multi-Attach error for volume ${text} ${takenBy(elsewhere.pods, pod)}`;
      });
      return;
    }
    this.#asked.push(volume.metadata?.name ?? "");
    this.#creates.push({
      verb: "create",
      kind: VolumeAttachment,
      mayExist: true,
      object: {
        apiVersion: "storage.k8s.io/v1",
        kind: "VolumeAttachment",
        metadata: { name },
        spec: {
          attacher: volume.spec?.csi?.driver ?? "",
          nodeName: this.#observed.name,
          source: { persistentVolumeName: volume.metadata?.name ?? "" },
        },
      } as VolumeAttachment,
    });
  }

  decided(): Decided {
    const writes = [...this.#statusWrite(), ...this.#deletes, ...this.#creates];
    return {
      plan: {
        ...(writes.length > 0 && { writes }),
        ...(this.#events.length > 0 && { events: this.#events }),
        ...(this.#wakeAt !== undefined && { wakeAt: this.#wakeAt }),
      },
      memory: { idleSince: this.#idleSince, told: this.#told },
      asked: this.#asked,
    };
  }

  /** What was there stays where it was in the list. */
  #statusWrite(): readonly PlannedWrite[] {
    const { node } = this.#observed;
    if (!node) return [];
    const old = node.status?.volumesAttached ?? [];
    const kept = old.filter(({ name }) => this.#reported.has(name));
    const names = new Set(kept.map(({ name }) => name));
    const added = [...this.#reported].filter((name) => !names.has(name));
    const list: V1AttachedVolume[] = [...kept, ...added.map((name) => ({ name, devicePath: "" }))];
    if (equalJson(list, old)) return [];
    const volumesAttached = list.length > 0 ? list : null;
    const ifUid = node.metadata?.uid ?? "";
    const patch = { status: { volumesAttached } };
    return [{ verb: "patch", kind: Node, key: keyOf(node), patch, subresource: "status", ifUid }];
  }

  /** A node that is gone cannot say that it does not. */
  #isInUse(unique: string | undefined): boolean {
    const { node } = this.#observed;
    if (!node) return true;
    return unique !== undefined && (node.status?.volumesInUse?.includes(unique) ?? false);
  }

  #mayForce(since: Instant): boolean {
    const { node } = this.#observed;
    if (node?.spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE)) return true;
    if (node && readinessOf(node) === "True") return false;
    const at = since + FORCED_DETACH_MS;
    if (this.#now >= at) return true;
    this.#wakeAt = Math.min(at, this.#wakeAt ?? at);
    return false;
  }

  /** The unique name of an attachment whose volume is gone, when the node's status has it. */
  #reportedAs(attachment: string): string | undefined {
    const { name, node } = this.#observed;
    const listed = [...this.#known, ...(node?.status?.volumesInUse ?? [])];
    return listed.find((unique) => {
      const named = parseAttachedName(unique);
      return named && attachmentNameOf(named.handle, named.driver, name) === attachment;
    });
  }

  #tellOnce(what: string, pods: readonly Pod[], message: (pod: Pod) => string): void {
    this.#told.add(what);
    if (this.#observed.memory.told.has(what)) return;
    for (const pod of pods)
      this.#tell(pod, { type: "Warning", reason: "FailedAttachVolume", message: message(pod) });
  }

  #tell(pod: Pod, event: PlannedEvent): void {
    this.#events.push({ ...event, regarding: { ...pod, apiVersion: "v1", kind: "Pod" } });
  }
}

/** Names of Pods in other namespaces are nobody's business. @spec reconciler.go reportMultiAttachError */
function takenBy(others: readonly Pod[], { metadata }: Pod): string {
  const namespace = metadata?.namespace;
  const near = others.filter((pod) => pod.metadata?.namespace === namespace);
  const far = others.length - near.length;
  if (others.length === 0)
    return "Volume is already exclusively attached to one node and can't be attached to another";
  const elsewhere = `${far} pod(s) in different namespaces`;
  if (near.length === 0) return `Volume is already used by ${elsewhere}`;
  const names = near.map((pod) => pod.metadata?.name).join(", ");
  return `Volume is already used by pod(s) ${names}${far > 0 ? ` and ${elsewhere}` : ""}`;
}

/** @spec attachdetach/util IsMultiAttachAllowed */
function isForManyNodes({ spec }: PersistentVolume): boolean {
  const modes = spec?.accessModes ?? [];
  const many = ["ReadWriteMany", "ReadOnlyMany"];
  return modes.length === 0 || modes.some((mode) => many.includes(mode));
}

/** How a node's status names a volume. */
export function uniqueName({ spec }: PersistentVolume): string {
  return formatAttachedName({
    driver: spec?.csi?.driver ?? "",
    handle: spec?.csi?.volumeHandle ?? "",
  });
}

/** @spec k8s@1.36 pkg/volume/csi/csi_attacher.go getAttachmentName */
export function attachmentName({ spec }: PersistentVolume, node: string): string {
  return attachmentNameOf(spec?.csi?.volumeHandle ?? "", spec?.csi?.driver ?? "", node);
}

function attachmentNameOf(handle: string, driver: string, node: string): string {
  return `csi-${createHash("sha256").update(`${handle}${driver}${node}`).digest("hex")}`;
}
