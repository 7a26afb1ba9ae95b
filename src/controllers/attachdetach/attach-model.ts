import type { Pod } from "../../api/core/pod.ts";
import { Groups } from "../../base/groups.ts";
import { formatKey } from "../../api/machinery/object.ts";
import type { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import type { CacheChange } from "../../client/cache.ts";
import { ClaimUsers } from "../../reconciler/claim-users.ts";

/**
 * Which Pods with claims are on which nodes, and which volumes are attached to them: folded from changes, so that no question
 * costs a look at all Pods.
 */
export class AttachModel {
  readonly #podsByNode = new Groups<Pod>();
  readonly #users = new ClaimUsers();
  readonly #attachmentsByNode = new Groups<VolumeAttachment>();
  readonly #attachmentsByVolume = new Groups<VolumeAttachment>();

  /** Of a Pod with claims. One without a node is on none. */
  setPod(change: CacheChange<Pod>): void {
    const { key, object } = change;
    const node = object?.spec?.nodeName;
    this.#users.apply(change);
    if (object && node) this.#podsByNode.put(formatKey(key), [node], object);
    else this.#podsByNode.remove(formatKey(key));
  }

  /** `undefined`: it is gone. */
  setAttachment(name: string, attachment: VolumeAttachment | undefined): void {
    if (!attachment) {
      this.#attachmentsByNode.remove(name);
      this.#attachmentsByVolume.remove(name);
      return;
    }
    this.#attachmentsByNode.put(name, [attachment.spec.nodeName], attachment);
    this.#attachmentsByVolume.put(name, [volumeOf(attachment)], attachment);
  }

  podsOn(node: string): readonly Pod[] {
    return this.#podsByNode.of(node);
  }

  /** Those on nodes. `claim`: `NAMESPACE/NAME`. */
  podsWith(claim: string): readonly Pod[] {
    return this.#users.of(claim).filter(({ spec }) => spec?.nodeName);
  }

  attachmentsOn(node: string): readonly VolumeAttachment[] {
    return this.#attachmentsByNode.of(node);
  }

  attachmentsOf(volume: string): readonly VolumeAttachment[] {
    return this.#attachmentsByVolume.of(volume);
  }

  /** False: nothing of the node concerns anybody here. */
  knows(node: string): boolean {
    return this.#podsByNode.has(node) || this.#attachmentsByNode.has(node);
  }

  nodes(): Iterable<string> {
    return this.#podsByNode.groups();
  }
}

function volumeOf({ spec }: VolumeAttachment): string {
  return spec.source.persistentVolumeName ?? "";
}
