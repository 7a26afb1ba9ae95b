import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pod.ts";
import { formatKey, parseKey } from "../../api/machinery/object.ts";
import { CLAIM_PROTECTION } from "../../api/storage/binding.ts";
import type { Cache, CacheChange } from "../../client/cache.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { ClaimUsers, claimKeysOf } from "../../reconciler/claim-users.ts";
import { hasFinalizer, withFinalizer } from "../../reconciler/finalizers.ts";
import { isBeingDeleted, isControlledBy } from "../../reconciler/ownership.ts";
import type { Loop } from "../../reconciler/runner.ts";
import { fixedKinds } from "../../reconciler/served-kinds.ts";

const NONE: readonly never[] = [];

/**
 * Keeps a claim that is being deleted until no Pod on a node uses it, ended Pods included.
 *
 * A Pod without a node does not count: no kubelet starts one whose claim is going. That none uses it is believed only from a cache that has
 * seen all Pods from before the deletion.
 * @spec k8s@1.36 pkg/controller/volume/pvcprotection/pvc_protection_controller.go
 */
export function pvcProtectionLoop(cache: Cache): Loop {
  /** Claims that are going and are kept: all that a change of a Pod can concern. */
  const kept = new Set<string>();
  const users = new ClaimUsers();
  return {
    name: "persistentvolumeclaim-protection-controller",
    kinds: fixedKinds([PersistentVolumeClaim, Pod]),
    keysOf(change) {
      if (change.kind === Pod) {
        users.apply(change as CacheChange<Pod>);
        return keysOfPod(kept, change as CacheChange<Pod>);
      }
      const text = formatKey(change.key);
      const { object } = change;
      if (object && isBeingDeleted(object) && hasFinalizer(object, CLAIM_PROTECTION))
        kept.add(text);
      else kept.delete(text);
      return object ? [text] : NONE;
    },
    decide(text) {
      const key = parseKey(text);
      const claim = cache.get(PersistentVolumeClaim, key);
      if (!claim) return undefined;
      const isUser = (pod: Pod): boolean =>
        (pod.spec?.nodeName ?? "") !== "" &&
        (isControlledBy(claim, pod) ? !isShutDown(pod) : namesClaim(pod, key.name));
      const isUsed = (): boolean => users.of(text).some(isUser);
      const revision = Number(claim.metadata?.resourceVersion ?? 0);
      return {
        plan: plan(claim, isUsed),
        ...(isBeingDeleted(claim) && { needs: new Map([[Pod, revision]]) }),
      };
    },
  };
}

function keysOfPod(
  kept: ReadonlySet<string>,
  { old, object }: CacheChange<Pod>,
): readonly string[] {
  const pod = object ?? old;
  if (kept.size === 0 || !pod) return NONE;
  return claimKeysOf(pod).filter((claim) => kept.has(claim));
}

/** One of its volumes is this claim; else the claim is that of an ephemeral one. */
function namesClaim({ spec }: Pod, claimName: string): boolean {
  return spec?.volumes?.some((one) => one.persistentVolumeClaim?.claimName === claimName) ?? false;
}

/**
 * Its kubelet has done with it, and only finalizers hold it: perhaps that of foreground deletion, which waits for the claims that the Pod owns.
 * Upstream asks this only of the claims of ephemeral volumes; a Pod of a StatefulSet that owns its claim (`whenScaled: Delete`) and is deleted
 * in the foreground waits there for ever.
 *
 * @spec k8s@1.36 pvc_protection_controller.go podUsesPVC, podIsShutDown
 */
function isShutDown(pod: Pod): boolean {
  return isBeingDeleted(pod) && pod.metadata?.deletionGracePeriodSeconds === 0;
}

/** Pure. Claims from before the finalizer get it. */
export function plan(claim: PersistentVolumeClaim, isUsed: () => boolean): Plan {
  const isKept = hasFinalizer(claim, CLAIM_PROTECTION);
  if (isBeingDeleted(claim) !== isKept) return {};
  if (isKept && isUsed()) return {};
  const object = withFinalizer(claim, CLAIM_PROTECTION, !isKept);
  return { writes: [{ verb: "update", kind: PersistentVolumeClaim, object }] };
}
