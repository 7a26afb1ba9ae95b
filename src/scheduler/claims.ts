import type { V1PersistentVolumeClaim, V1StorageClass } from "../gen/types.ts";

/** What scheduling reads of a PersistentVolumeClaim. */
export interface Claim {
  /** It has no volume, and gets one without waiting for a Pod: so the Pod waits for it. */
  readonly isUnbound: boolean;
  readonly isLeaving: boolean;
  /** Name of the volume that it was bound to and that is gone. */
  readonly lostVolume: string | undefined;
}

/** All claims and how their classes bind, kept in step with the server. */
export class Claims {
  readonly #claims = new Map<string, V1PersistentVolumeClaim>();
  /** Names of the classes that wait for the first Pod. */
  readonly #waiting = new Set<string>();

  /** `undefined`: the claim is gone. */
  set(namespace: string, name: string, claim: V1PersistentVolumeClaim | undefined): void {
    const key = `${namespace}/${name}`;
    if (claim) this.#claims.set(key, claim);
    else this.#claims.delete(key);
  }

  /** `undefined`: the class is gone. */
  setClass(name: string, storageClass: V1StorageClass | undefined): void {
    if (storageClass?.volumeBindingMode === "WaitForFirstConsumer") this.#waiting.add(name);
    else this.#waiting.delete(name);
  }

  get(namespace: string, name: string): Claim | undefined {
    const claim = this.#claims.get(`${namespace}/${name}`);
    if (!claim) return undefined;
    const { volumeName, storageClassName = "" } = claim.spec ?? {};
    const isLost = claim.status?.phase === "Lost";
    return {
      isUnbound: !volumeName && !this.#waiting.has(storageClassName),
      isLeaving: claim.metadata?.deletionTimestamp !== undefined,
      lostVolume: isLost ? (volumeName ?? "") : undefined,
    };
  }
}
