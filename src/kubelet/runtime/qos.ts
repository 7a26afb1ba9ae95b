import type { V1Container, V1Pod } from "../../gen/types.ts";
import { amountOf, wholeOf } from "./amount.ts";
import { appContainers, initContainers, isSidecar } from "./pod-spec.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const COUNTED = ["cpu", "memory"] as const;

/** @spec k8s@1.36 pkg/apis/core/v1/helper/qos ComputePodQOS */
export function qosClassOf(pod: V1Pod): QosClass {
  const containers = [...initContainers(pod), ...appContainers(pod)];
  const own = pod.spec?.resources;
  if (own?.requests || own?.limits) return classOf([{ name: "", resources: own }]);
  return classOf(containers);
}

function classOf(containers: readonly Pick<V1Container, "name" | "resources">[]): QosClass {
  const positive = (text: string | undefined): boolean => amountOf(text) > 0;
  const isAny = containers.some(({ resources }) =>
    COUNTED.some(
      (name) => positive(resources?.requests?.[name]) || positive(resources?.limits?.[name]),
    ),
  );
  if (!isAny) return "BestEffort";
  const isGuaranteed = containers.every(({ resources }) =>
    COUNTED.every((name) => {
      const limit = resources?.limits?.[name];
      const request = resources?.requests?.[name] ?? limit;
      return positive(limit) && amountOf(request) === amountOf(limit);
    }),
  );
  return isGuaranteed ? "Guaranteed" : "Burstable";
}

/** Below this score a process survives nearly everything. @spec pkg/kubelet/qos policy.go */
const SCORE_GUARANTEED = -997;
const SCORE_BEST_EFFORT = 1000;
/** A burstable container is killed after best effort and before guaranteed ones. */
const SCORE_BURSTABLE_MIN = 3;
const SCORE_BURSTABLE_MAX = 999;

/** Priority from which on a Pod counts as critical to the node. @spec scheduling SystemCriticalPriority */
const PRIORITY_CRITICAL = 2_000_000_000;

/**
 * Who the kernel kills first when memory runs out.
 *
 * @spec k8s@1.36 pkg/kubelet/qos/policy.go GetContainerOOMScoreAdjust
 */
export function oomScoreOf(pod: V1Pod, container: V1Container, memoryBytes: number): number {
  if ((pod.spec?.priority ?? 0) >= PRIORITY_CRITICAL) return SCORE_GUARANTEED;
  const qos = qosClassOf(pod);
  if (qos === "Guaranteed") return SCORE_GUARANTEED;
  if (qos === "BestEffort") return SCORE_BEST_EFFORT;
  const request = wholeOf(container.resources?.requests?.["memory"]);
  const score = 1000 - Math.floor((1000 * request) / memoryBytes);
  const isMain = !initContainers(pod).includes(container) || !isSidecar(container);
  const bounded = Math.max(SCORE_BURSTABLE_MIN, Math.min(score, SCORE_BURSTABLE_MAX));
  return isMain ? bounded : Math.min(bounded, leastAppScore(pod, memoryBytes));
}

/** A sidecar lives at least as long as the containers it serves. */
function leastAppScore(pod: V1Pod, memoryBytes: number): number {
  const scores = appContainers(pod).map(
    ({ resources }) =>
      1000 - Math.floor((1000 * wholeOf(resources?.requests?.["memory"])) / memoryBytes),
  );
  return Math.max(SCORE_BURSTABLE_MIN, Math.min(...scores, SCORE_BURSTABLE_MAX));
}
