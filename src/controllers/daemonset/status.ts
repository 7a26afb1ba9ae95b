import type { DaemonSet } from "../../api/apps/daemon-set.ts";
import { isPodAvailable, isPodReady } from "../../reconciler/pod-state.ts";
import { isUpdated } from "./daemon-pod.ts";
import type { World } from "./placing.ts";

/**
 * Counts of nodes; of a node with several Pods the first counts. What upstream leaves out when it is zero is left out.
 *
 * @spec k8s@1.36 pkg/controller/daemon updateDaemonSetStatus
 */
export function statusOf({ set, hash, places, now }: World): NonNullable<DaemonSet["status"]> {
  const known = places.filter(({ isKnown }) => isKnown);
  const wanted = known.filter(({ fit }) => fit.shouldRun);
  const first = wanted.flatMap(({ pods }) => pods.slice(0, 1));
  const ready = first.filter(isPodReady);
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const available = ready.filter((pod) => isPodAvailable(pod, minReadySeconds, now)).length;
  const updated = first.filter((pod) => isUpdated(pod, hash)).length;
  const { collisionCount, conditions } = set.status ?? {};
  return {
    currentNumberScheduled: first.length,
    numberMisscheduled: known.filter(({ fit, pods }) => !fit.shouldRun && pods.length > 0).length,
    desiredNumberScheduled: wanted.length,
    numberReady: ready.length,
    ...(updated && { updatedNumberScheduled: updated }),
    ...(available && { numberAvailable: available }),
    ...(wanted.length > available && { numberUnavailable: wanted.length - available }),
    ...(collisionCount !== undefined && { collisionCount }),
    ...(conditions && { conditions }),
  };
}
