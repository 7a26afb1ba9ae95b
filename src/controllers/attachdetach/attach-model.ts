import type { Pod } from "../../api/core/pod.ts";
import { claimNamesOf } from "../../api/storage/binding.ts";
import type { VolumeAttachment } from "../../api/storage/volume-attachment.ts";

/** Objects by a text that they have, and by their name. */
class Grouped<T> {
  readonly #groups = new Map<string, Map<string, T>>();

  put(group: string, name: string, object: T): void {
    const found = this.#groups.get(group);
    if (found) found.set(name, object);
    else this.#groups.set(group, new Map([[name, object]]));
  }

  remove(group: string, name: string): void {
    const found = this.#groups.get(group);
    if (found?.delete(name) && found.size === 0) this.#groups.delete(group);
  }

  of(group: string): readonly T[] {
    return [...(this.#groups.get(group)?.values() ?? [])];
  }

  has(group: string): boolean {
    return this.#groups.has(group);
  }

  groups(): Iterable<string> {
    return this.#groups.keys();
  }
}

/**
 * Which Pods with claims are on which nodes, and which volumes are attached to them: folded from changes, so that no question
 * costs a look at all Pods.
 */
export class AttachModel {
  readonly #podsByNode = new Grouped<Pod>();
  readonly #podsByClaim = new Grouped<Pod>();
  readonly #attachmentsByNode = new Grouped<VolumeAttachment>();
  readonly #attachmentsByVolume = new Grouped<VolumeAttachment>();

  /** `old` and `pod` as a watch tells them. Pods without a node or without claims are nobody's here. */
  setPod(key: string, old: Pod | undefined, pod: Pod | undefined): void {
    if (old?.spec?.nodeName) {
      this.#podsByNode.remove(old.spec.nodeName, key);
      for (const claim of claimKeysOf(old)) this.#podsByClaim.remove(claim, key);
    }
    if (!pod?.spec?.nodeName) return;
    this.#podsByNode.put(pod.spec.nodeName, key, pod);
    for (const claim of claimKeysOf(pod)) this.#podsByClaim.put(claim, key, pod);
  }

  setAttachment(
    name: string,
    old: VolumeAttachment | undefined,
    attachment: VolumeAttachment | undefined,
  ): void {
    if (old) {
      this.#attachmentsByNode.remove(old.spec.nodeName, name);
      this.#attachmentsByVolume.remove(volumeOf(old), name);
    }
    if (!attachment) return;
    this.#attachmentsByNode.put(attachment.spec.nodeName, name, attachment);
    this.#attachmentsByVolume.put(volumeOf(attachment), name, attachment);
  }

  podsOn(node: string): readonly Pod[] {
    return this.#podsByNode.of(node);
  }

  /** `claim`: `NAMESPACE/NAME`. */
  podsWith(claim: string): readonly Pod[] {
    return this.#podsByClaim.of(claim);
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

/** Whether a Pod mounts claims: nearly none does. */
export function hasClaims({ spec }: Pod): boolean {
  return spec?.volumes?.some((one) => one.persistentVolumeClaim ?? one.ephemeral) ?? false;
}

/** `NAMESPACE/NAME` of the claims of a Pod, those of its ephemeral volumes too. */
export function claimKeysOf(pod: Pod): readonly string[] {
  return claimNamesOf(pod).map((name) => `${pod.metadata?.namespace ?? ""}/${name}`);
}

function volumeOf({ spec }: VolumeAttachment): string {
  return spec.source.persistentVolumeName ?? "";
}
