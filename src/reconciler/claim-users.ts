import { Groups } from "../base/groups.ts";
import type { Pod } from "../api/core/pod.ts";
import { formatKey } from "../api/machinery/object.ts";
import { claimNamesOf } from "../api/storage/binding.ts";
import type { CacheChange } from "../client/cache.ts";

/** Pods by the claims that they use, folded from changes: a question costs the users of one claim, not a look at all Pods. */
export class ClaimUsers {
  readonly #pods = new Groups<Pod>();

  /** Pods without claims, nearly all, cost a look at their volumes. */
  apply({ key, object }: CacheChange<Pod>): void {
    const text = formatKey(key);
    if (object && hasClaims(object)) this.#pods.put(text, claimKeysOf(object), object);
    else this.#pods.remove(text);
  }

  /** `claim`: `NAMESPACE/NAME`. */
  of(claim: string): readonly Pod[] {
    return this.#pods.of(claim);
  }
}

/** Whether a Pod mounts claims: nearly none does. */
export function hasClaims({ spec }: Pod): boolean {
  return spec?.volumes?.some((one) => one.persistentVolumeClaim ?? one.ephemeral) ?? false;
}

/** `NAMESPACE/NAME` of the claims of a Pod, those of its ephemeral volumes too. */
export function claimKeysOf(pod: Pod): readonly string[] {
  const namespace = pod.metadata?.namespace ?? "";
  return claimNamesOf(pod).map((name) => formatKey({ namespace, name }));
}
