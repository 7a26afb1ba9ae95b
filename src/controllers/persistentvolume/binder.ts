import { PersistentVolumeClaim, storageClassOf } from "../../api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { Pod } from "../../api/core/pod.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import { formatKey, parseKey, type KubeObject } from "../../api/machinery/object.ts";
import { defaultClassOf, isDefaultClass, StorageClass } from "../../api/storage/storage-class.ts";
import type { Instant } from "../../base/clock.ts";
import type { Cache, CacheChange } from "../../client/cache.ts";
import { claimKeysOf, ClaimUsers } from "../../reconciler/claim-users.ts";
import { isPodTerminal } from "../../reconciler/pod-state.ts";
import type { Decision, Loop } from "../../reconciler/runner.ts";
import { fixedKinds } from "../../reconciler/served-kinds.ts";
import { BondIndex } from "./bond-index.ts";
import { isForFirstPod, planClaim } from "./claim-plan.ts";
import { binderMeter } from "./volume-metrics.ts";
import { planVolume } from "./volume-plan.ts";

/** Keys: `claim NAMESPACE/NAME` and `volume NAME`. */
const CLAIM = "claim ";
const VOLUME = "volume ";

const NONE: readonly never[] = [];

/**
 * Brings claims and volumes together, and says what becomes of volumes whose claims have gone.
 *
 * A bond is two references, the volume's `claimRef` and the claim's `volumeName`; the volume's is written first.
 * @invariant a volume that names a claim by its uid is given to no other.
 * @spec k8s@1.36 pkg/controller/volume/persistentvolume/pv_controller.go
 */
export function persistentVolumeBinderLoop(cache: Cache): Loop {
  const index = new BondIndex();
  const users = new ClaimUsers();
  let enqueue: (key: string) => void = () => {};
  return {
    name: "persistentvolume-binder-controller",
    eventSource: "persistentvolume-controller",
    kinds: fixedKinds([PersistentVolumeClaim, PersistentVolume, StorageClass, Pod]),
    meter: binderMeter,
    keysOf(change) {
      if (change.kind === Pod) users.apply(change as CacheChange<Pod>);
      return keysOf(index, cache, change);
    },
    decide(key, now) {
      if (!key.startsWith(CLAIM)) return decideVolume(cache, key.slice(VOLUME.length));
      const claim = key.slice(CLAIM.length);
      const decision = decideClaim(index, users, cache, claim, now);
      const writes = decision?.plan.writes ?? NONE;
      const taken = writes.find((write) => write.kind === PersistentVolume);
      const promised = taken?.verb === "update" ? taken.object.metadata?.name : undefined;
      const freed = index.promise(claim, promised);
      for (const taker of takersOf(index, cache, freed))
        if (taker !== claim) enqueue(CLAIM + taker);
      return decision;
    },
    begin: (given) => void (enqueue = given),
  };
}

function keysOf(index: BondIndex, cache: Cache, change: CacheChange): readonly string[] {
  switch (change.kind) {
    case PersistentVolumeClaim:
      return keysOfClaim(index, cache, change as CacheChange<PersistentVolumeClaim>);
    case PersistentVolume:
      return keysOfVolume(index, cache, change as CacheChange<PersistentVolume>);
    case StorageClass:
      return keysOfClass(index, change as CacheChange<StorageClass>);
    default:
      return keysOfPod(index, cache, change as CacheChange<Pod>);
  }
}

/** One that goes leaves the volume that it was promised to others. */
function keysOfClaim(
  index: BondIndex,
  cache: Cache,
  { key, old, object }: CacheChange<PersistentVolumeClaim>,
): readonly string[] {
  const text = formatKey(key);
  const freed = index.setClaim(text, object);
  const volumes = [old?.spec?.volumeName, object?.spec?.volumeName, ...index.volumesNaming(text)];
  const named = new Set(volumes.filter((name) => name !== undefined && name !== ""));
  const claims = [text, ...takersOf(index, cache, freed)];
  return [...claims.map((claim) => CLAIM + claim), ...[...named].map((name) => VOLUME + name)];
}

/** A volume that may be had concerns all claims of its class that wait, unless those wait for the scheduler to choose. */
function keysOfVolume(
  index: BondIndex,
  cache: Cache,
  { key, old, object }: CacheChange<PersistentVolume>,
): readonly string[] {
  const promisedTo = index.setVolume(key.name, object);
  const references = [old?.spec?.claimRef, object?.spec?.claimRef];
  const claims = new Set([
    ...references.flatMap((one) => (one ? [`${one.namespace}/${one.name}`] : [])),
    ...index.claimsNaming(key.name),
    ...(promisedTo === undefined ? NONE : [promisedTo]),
    ...takersOf(index, cache, key.name),
  ]);
  return [VOLUME + key.name, ...[...claims].map((claim) => CLAIM + claim)];
}

/** Claims that may have a volume now. */
function takersOf(
  index: BondIndex,
  cache: Cache,
  volumeName: string | undefined,
): readonly string[] {
  if (volumeName === undefined) return NONE;
  const volume = cache.get(PersistentVolume, { namespace: "", name: volumeName });
  if (!volume || volume.spec?.claimRef || volume.status?.phase !== "Available") return NONE;
  const name = storageClassOf(volume);
  const isChosen = isForFirstPod(cache.get(StorageClass, { namespace: "", name }));
  return isChosen ? NONE : index.waitingClaims(name);
}

/** A default class concerns those, too, that name none. */
function keysOfClass(
  index: BondIndex,
  { key, object }: CacheChange<StorageClass>,
): readonly string[] {
  const unnamed = object && isDefaultClass(object) ? index.waitingClaims("") : [];
  return [...index.waitingClaims(key.name), ...unnamed].map((claim) => CLAIM + claim);
}

/** A new Pod may be the first of a claim that waits for one. */
function keysOfPod(
  index: BondIndex,
  cache: Cache,
  { old, object }: CacheChange<Pod>,
): readonly string[] {
  if (old || !object?.spec?.volumes || object.spec.nodeName || !index.hasWaiting) return NONE;
  return claimKeysOf(object)
    .filter((claim) => !cache.get(PersistentVolumeClaim, parseKey(claim))?.spec?.volumeName)
    .map((claim) => CLAIM + claim);
}

/** That a volume has gone, or has another claim, is believed only from a cache that has seen all there was when the claim was written. */
function decideClaim(
  index: BondIndex,
  users: ClaimUsers,
  cache: Cache,
  text: string,
  now: Instant,
): Decision | undefined {
  const key = parseKey(text);
  const claim = cache.get(PersistentVolumeClaim, key);
  if (!claim) return undefined;
  const className = storageClassOf(claim);
  const volumeNamed = (name: string): PersistentVolume | undefined =>
    cache.get(PersistentVolume, { namespace: "", name });
  const isWaiting = (pod: Pod): boolean => !pod.spec?.nodeName && !isPodTerminal(pod);
  const { volumeName } = claim.spec ?? {};
  const volume = volumeNamed(volumeName ?? "");
  const storageClass = cache.get(StorageClass, { namespace: "", name: className });
  const candidates = isForFirstPod(storageClass)
    ? index.volumesNaming(text)
    : index.candidates(text, className);
  const plan = planClaim(
    {
      claim,
      volume,
      candidates: volumeName ? NONE : candidates.flatMap((name) => volumeNamed(name) ?? []),
      storageClass,
      defaultClass: defaultClassOf(cache.list(StorageClass)),
      waitingPods: () =>
        users
          .of(text)
          .filter(isWaiting)
          .map(({ metadata }) => metadata?.name ?? "")
          .sort(),
    },
    now,
  );
  const primary = { kind: PersistentVolumeClaim, object: claim, observesGeneration: false };
  const isDoubtful = volumeName && volume?.spec?.claimRef?.uid !== claim.metadata?.uid;
  return { plan, primary, ...(isDoubtful && { needs: sureOf(claim, volume) }) };
}

/** What must be known before a claim's volume is believed to be gone or another's: all from when either was written last. */
function sureOf(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume | undefined,
): ReadonlyMap<Kind, number> {
  const needs = new Map<Kind, number>([[PersistentVolume, revisionOf(claim)]]);
  return volume ? needs.set(PersistentVolumeClaim, revisionOf(volume)) : needs;
}

function revisionOf({ metadata }: KubeObject): number {
  return Number(metadata?.resourceVersion ?? 0);
}

/** That a claim has gone is believed only from a cache that has seen all there was when the volume was written. */
function decideVolume(cache: Cache, name: string): Decision | undefined {
  const volume = cache.get(PersistentVolume, { namespace: "", name });
  if (!volume) return undefined;
  const { namespace = "", name: claimName = "", uid } = volume.spec?.claimRef ?? {};
  const found = cache.get(PersistentVolumeClaim, { namespace, name: claimName });
  const claim = found?.metadata?.uid === uid ? found : undefined;
  return {
    plan: planVolume({ volume, claim }),
    primary: { kind: PersistentVolume, object: volume, observesGeneration: false },
    ...(uid && !claim && { needs: new Map([[PersistentVolumeClaim, revisionOf(volume)]]) }),
  };
}
