import { PersistentVolumeClaim, storageClassOf } from "../../api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { Pod } from "../../api/core/pod.ts";
import { formatKey, parseKey } from "../../api/machinery/object.ts";
import { defaultClassOf, isDefaultClass, StorageClass } from "../../api/storage/storage-class.ts";
import type { Instant } from "../../base/clock.ts";
import type { Cache, CacheChange } from "../../client/cache.ts";
import { claimKeysOf, ClaimUsers } from "../../reconciler/claim-users.ts";
import { isPodTerminal } from "../../reconciler/pod-state.ts";
import type { Decision, Loop } from "../../reconciler/runner.ts";
import { fixedKinds } from "../../reconciler/served-kinds.ts";
import { BondIndex } from "./bond-index.ts";
import { isForFirstPod, planClaim } from "./claim-plan.ts";
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
  return {
    name: "persistentvolume-binder-controller",
    eventSource: "persistentvolume-controller",
    kinds: fixedKinds([PersistentVolumeClaim, PersistentVolume, StorageClass, Pod]),
    keysOf(change) {
      if (change.kind === Pod) users.apply(change as CacheChange<Pod>);
      return keysOf(index, cache, change);
    },
    decide: (key, now) =>
      key.startsWith(CLAIM)
        ? decideClaim(index, users, cache, key.slice(CLAIM.length), now)
        : decideVolume(cache, key.slice(VOLUME.length)),
  };
}

function keysOf(index: BondIndex, cache: Cache, change: CacheChange): readonly string[] {
  switch (change.kind) {
    case PersistentVolumeClaim:
      return keysOfClaim(index, change as CacheChange<PersistentVolumeClaim>);
    case PersistentVolume:
      return keysOfVolume(index, cache, change as CacheChange<PersistentVolume>);
    case StorageClass:
      return keysOfClass(index, change as CacheChange<StorageClass>);
    default:
      return keysOfPod(index, cache, change as CacheChange<Pod>);
  }
}

function keysOfClaim(
  index: BondIndex,
  { key, old, object }: CacheChange<PersistentVolumeClaim>,
): readonly string[] {
  const text = formatKey(key);
  index.setClaim(text, object);
  const volumes = [old?.spec?.volumeName, object?.spec?.volumeName, ...index.volumesNaming(text)];
  const named = new Set(volumes.filter((name) => name !== undefined && name !== ""));
  return [CLAIM + text, ...[...named].map((name) => VOLUME + name)];
}

/** A volume that may be had concerns all claims of its class that wait, unless those wait for the scheduler to choose. */
function keysOfVolume(
  index: BondIndex,
  cache: Cache,
  { key, old, object }: CacheChange<PersistentVolume>,
): readonly string[] {
  index.setVolume(key.name, object);
  const references = [old?.spec?.claimRef, object?.spec?.claimRef];
  const claims = new Set([
    ...references.flatMap((one) => (one ? [`${one.namespace}/${one.name}`] : [])),
    ...index.claimsNaming(key.name),
    ...(object ? takersOf(index, cache, object) : NONE),
  ]);
  return [VOLUME + key.name, ...[...claims].map((claim) => CLAIM + claim)];
}

function takersOf(index: BondIndex, cache: Cache, volume: PersistentVolume): readonly string[] {
  if (volume.spec?.claimRef || volume.status?.phase !== "Available") return NONE;
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

/** That a volume has gone is believed only from a cache that has seen all there was when the claim was written. */
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
  const taken = plan.writes?.find((write) => write.kind === PersistentVolume);
  index.promise(text, taken?.verb === "update" ? taken.object.metadata?.name : undefined);
  const primary = { kind: PersistentVolumeClaim, object: claim, observesGeneration: false };
  const revision = Number(claim.metadata?.resourceVersion ?? 0);
  const isMissing = volumeName && !volume;
  return { plan, primary, ...(isMissing && { needs: new Map([[PersistentVolume, revision]]) }) };
}

/** That a claim has gone is believed only from a cache that has seen all there was when the volume was written. */
function decideVolume(cache: Cache, name: string): Decision | undefined {
  const volume = cache.get(PersistentVolume, { namespace: "", name });
  if (!volume) return undefined;
  const { namespace = "", name: claimName = "", uid } = volume.spec?.claimRef ?? {};
  const found = cache.get(PersistentVolumeClaim, { namespace, name: claimName });
  const claim = found?.metadata?.uid === uid ? found : undefined;
  const revision = Number(volume.metadata?.resourceVersion ?? 0);
  return {
    plan: planVolume({ volume, claim }),
    primary: { kind: PersistentVolume, object: volume, observesGeneration: false },
    ...(uid && !claim && { needs: new Map([[PersistentVolumeClaim, revision]]) }),
  };
}
