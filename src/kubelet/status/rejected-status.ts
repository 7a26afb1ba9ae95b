import { formatTime, type Instant } from "../../base/clock.ts";
import type { V1Pod, V1PodStatus } from "../../gen/types.ts";
import type { Rejection } from "../plan/admission.ts";
import { qosClassOf } from "../runtime/qos.ts";

/** The status of a Pod that may not run here. @spec k8s@1.36 pkg/kubelet/kubelet.go rejectPod */
export function rejectedStatus(
  pod: V1Pod,
  { reason, message }: Rejection,
  now: Instant,
): V1PodStatus {
  const { conditions, startTime, qosClass } = pod.status ?? {};
  const generation = pod.metadata?.generation;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(conditions ? { conditions } : {}),
    phase: "Failed",
    reason,
    message: `Pod was rejected: ${message}`,
    startTime: startTime ?? formatTime(now),
    qosClass: qosClass ?? qosClassOf(pod),
  };
}
