import { Pod } from "../../api/core/pod.ts";
import { findCondition } from "../../api/machinery/conditions.ts";
import { formatKey, keyOf, parseKey } from "../../api/machinery/object.ts";
import { formatTime, parseTime, type Instant } from "../../base/clock.ts";
import type { Cache } from "../../client/cache.ts";
import type { V1PodCondition } from "../../gen/types.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { isPodTerminal } from "../../reconciler/pod-state.ts";
import type { Loop } from "../../reconciler/runner.ts";
import { fixedKinds } from "../../reconciler/served-kinds.ts";

/** A Pod that was to be ended and lives on for so long is not to be ended. @spec stalePodDisruptionTimeout. Doubling keeps the wrong word longer. */
const STALE_MS = 120_000;

const TARGET = "DisruptionTarget";

/**
 * Takes back the condition DisruptionTarget of Pods whose end was announced and never came.
 *
 * @spec k8s@1.36 pkg/controller/disruption/disruption.go syncStalePodDisruption
 */
export function staleTargetLoop(cache: Cache): Loop {
  return {
    name: "disruption-controller",
    kinds: fixedKinds([Pod]),
    keysOf: ({ key, object }) => (object && announcedEnd(object) ? [formatKey(key)] : []),
    decide(text, now) {
      const pod = cache.get(Pod, parseKey(text));
      return pod && { plan: plan(pod, now) };
    },
  };
}

/** Pure; see {@link staleTargetLoop}. */
export function plan(pod: Pod, now: Instant): Plan {
  const condition = announcedEnd(pod);
  if (!condition) return {};
  const since = parseTime(condition.lastTransitionTime ?? "");
  const at = Number.isNaN(since) ? now : since + STALE_MS;
  if (at > now) return { wakeAt: at };
  const { uid = "", resourceVersion } = pod.metadata ?? {};
  const lastTransitionTime = formatTime(now);
  return {
    writes: [
      {
        verb: "patch",
        kind: Pod,
        key: keyOf(pod),
        type: "strategic",
        subresource: "status",
        ifUid: uid,
        patch: {
          // Whoever changed the Pod meanwhile may mean it.
          metadata: { ...(resourceVersion !== undefined && { resourceVersion }) },
          status: { conditions: [{ type: TARGET, status: "False", lastTransitionTime }] },
        },
      },
    ],
  };
}

/** The condition of a Pod that was announced to end and has not begun to. A kubelet that ends a Pod takes its time. */
function announcedEnd(pod: Pod): V1PodCondition | undefined {
  const condition = findCondition(pod.status?.conditions, TARGET);
  if (condition?.status !== "True" || condition.reason === "TerminationByKubelet") return undefined;
  return isBeingDeleted(pod) || isPodTerminal(pod) ? undefined : condition;
}
