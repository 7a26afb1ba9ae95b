import type { V1Pod, V1PodStatus } from "../../gen/types.ts";
import { isKubeletCondition } from "./conditions.ts";

/**
 * The Pod with the status that this kubelet gave it last, which the API server may not show yet; conditions of others and
 * an end that others declared are the API server's.
 */
export function withOwnStatus(pod: V1Pod, own: V1PodStatus | undefined): V1Pod {
  if (!own) return pod;
  const foreign = (pod.status?.conditions ?? []).filter(({ type }) => !isKubeletCondition(type));
  const mine = (own.conditions ?? []).filter(({ type }) => isKubeletCondition(type));
  const phase = pod.status?.phase;
  const isEnded = phase === "Failed" || phase === "Succeeded";
  return {
    ...pod,
    status: { ...own, ...(isEnded ? { phase } : {}), conditions: [...mine, ...foreign] },
  };
}
