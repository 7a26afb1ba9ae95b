import { Groups } from "../../base/groups.ts";
import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { storageClassOf } from "../../api/core/persistent-volume-claim.ts";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { BIND_COMPLETED } from "../../api/storage/binding.ts";

const NONE: readonly never[] = [];

/**
 * Who could want whom: claims and volumes as `NAMESPACE/NAME` and `NAME`, folded from their changes.
 *
 * Without it, each change of a volume would be a walk over all claims, and each claim over all volumes.
 */
export class BondIndex {
  readonly #waiting = new Groups();
  readonly #naming = new Groups();
  readonly #free = new Groups();
  readonly #reserved = new Groups();
  /** Volumes that a claim was promised, until the volume changes; and the same the other way round. */
  readonly #promised = new Map<string, string>();
  readonly #promises = new Map<string, string>();

  /** `undefined`: it is gone. @returns the volume that was promised to it, and is open to others again */
  setClaim(key: string, claim: PersistentVolumeClaim | undefined): string | undefined {
    const name = claim?.spec?.volumeName;
    const isWaiting = claim && !name && claim.metadata?.annotations?.[BIND_COMPLETED] === undefined;
    this.#waiting.put(key, isWaiting ? [storageClassOf(claim)] : NONE, key);
    this.#naming.put(key, name ? [name] : NONE, key);
    return claim ? undefined : this.promise(key, undefined);
  }

  /** `undefined`: it is gone. @returns the claim that it was promised to, which is to look again */
  setVolume(name: string, volume: PersistentVolume | undefined): string | undefined {
    const reference = volume?.spec?.claimRef;
    this.#free.put(name, volume && !reference ? [storageClassOf(volume)] : NONE, name);
    this.#reserved.put(name, reference ? [`${reference.namespace}/${reference.name}`] : NONE, name);
    const claim = this.#promised.get(name);
    if (claim !== undefined) this.promise(claim, undefined);
    return claim;
  }

  /**
   * The claim is to get the volume, and no other meanwhile: claims are decided side by side. `undefined`: none.
   *
   * @returns the volume that it was promised before, and is open to others again
   */
  promise(claim: string, volume: string | undefined): string | undefined {
    const before = this.#promises.get(claim);
    if (before === volume) return undefined;
    if (before !== undefined) {
      this.#promises.delete(claim);
      this.#promised.delete(before);
    }
    if (volume !== undefined) {
      this.#promises.set(claim, volume);
      this.#promised.set(volume, claim);
    }
    return before;
  }

  get hasWaiting(): boolean {
    return !this.#waiting.isEmpty;
  }

  /** Claims of a class that have no volume and name none. */
  waitingClaims(className: string): readonly string[] {
    return this.#waiting.of(className);
  }

  /** Claims that name a volume. */
  claimsNaming(volume: string): readonly string[] {
    return this.#naming.of(volume);
  }

  /** Volumes that name a claim. */
  volumesNaming(claim: string): readonly string[] {
    return this.#reserved.of(claim);
  }

  /** Volumes that a claim of a class might get. */
  candidates(claim: string, className: string): readonly string[] {
    const isOpen = (volume: string): boolean => (this.#promised.get(volume) ?? claim) === claim;
    return [...this.#free.of(className).filter(isOpen), ...this.#reserved.of(claim)];
  }
}
