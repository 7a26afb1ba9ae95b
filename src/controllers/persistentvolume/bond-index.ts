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

  /** `undefined`: it is gone. */
  setClaim(key: string, claim: PersistentVolumeClaim | undefined): void {
    const name = claim?.spec?.volumeName;
    const isWaiting = claim && !name && claim.metadata?.annotations?.[BIND_COMPLETED] === undefined;
    this.#waiting.put(key, isWaiting ? [storageClassOf(claim)] : NONE, key);
    this.#naming.put(key, name ? [name] : NONE, key);
    if (!claim) this.promise(key, undefined);
  }

  /** `undefined`: it is gone. */
  setVolume(name: string, volume: PersistentVolume | undefined): void {
    const reference = volume?.spec?.claimRef;
    this.#free.put(name, volume && !reference ? [storageClassOf(volume)] : NONE, name);
    this.#reserved.put(name, reference ? [`${reference.namespace}/${reference.name}`] : NONE, name);
    const claim = this.#promised.get(name);
    if (claim !== undefined) this.promise(claim, undefined);
  }

  /** The claim is to get the volume, and no other meanwhile: claims are decided side by side. `undefined`: none. */
  promise(claim: string, volume: string | undefined): void {
    const before = this.#promises.get(claim);
    if (before !== undefined) {
      this.#promises.delete(claim);
      this.#promised.delete(before);
    }
    if (volume === undefined) return;
    this.#promises.set(claim, volume);
    this.#promised.set(volume, claim);
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
