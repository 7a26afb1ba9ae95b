import type { V1Container, V1Pod } from "../../gen/types.ts";
import type { LinuxResources } from "../../wire/cri/cri-client.ts";
import { podLimits, podRequests } from "../../api/core/pod-requests.ts";
import { milliOf, wholeOf } from "./amount.ts";
import { oomScoreOf, qosClassOf } from "./qos.ts";

/** CFS period in µs: the kernel's default. Doubled, a throttled container stops for longer at a time. */
export const PERIOD_MICROS = 100_000;
/** Least quota in µs that the kernel takes. */
const QUOTA_MICROS_MIN = 1000;
const SHARES_MIN = 2;
const SHARES_MAX = 262_144;
const SHARES_PER_CPU = 1024;

/**
 * A container's requests and limits as cgroup values.
 *
 * @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_container_linux.go calculateLinuxResources; cm/helpers_linux.go
 */
export function resourcesOf(
  pod: V1Pod,
  container: V1Container,
  memoryBytes: number,
): LinuxResources {
  const { requests, limits } = container.resources ?? {};
  const limitMillis = milliOf(limits?.["cpu"]);
  const requestMillis = requests?.["cpu"] === undefined ? limitMillis : milliOf(requests["cpu"]);
  const quota = Math.floor((limitMillis * PERIOD_MICROS) / 1000);
  return {
    cpuShares: sharesOf(requestMillis),
    cpuPeriod: PERIOD_MICROS,
    cpuQuota: limitMillis === 0 ? 0 : Math.max(quota, QUOTA_MICROS_MIN),
    memoryLimitInBytes: wholeOf(limits?.["memory"]),
    oomScoreAdj: oomScoreOf(pod, container, memoryBytes),
  };
}

/** What all containers of a Pod may use together; absent: no limit. */
export interface PodCgroup {
  readonly cpuShares: number;
  /** In each period of 100 ms, in µs. */
  readonly cpuQuota?: number;
  readonly memoryBytes?: number;
}

/**
 * The limits of the Pod's own cgroup: where each container has one, their sum; init containers and overhead counted.
 *
 * @spec k8s@1.36 pkg/kubelet/cm/helpers_linux.go ResourceConfigForPod
 */
export function podCgroupOf(pod: V1Pod): PodCgroup {
  if (qosClassOf(pod) === "BestEffort") return { cpuShares: SHARES_MIN };
  const limits = podLimits(pod);
  const isLimited = (name: string): boolean =>
    (pod.spec?.containers ?? []).every(
      ({ resources }) => resources?.limits?.[name] !== undefined,
    ) && (limits.get(name) ?? 0) > 0;
  const quota = Math.floor(((limits.get("cpu") ?? 0) * PERIOD_MICROS) / 1000);
  return {
    cpuShares: sharesOf(podRequests(pod).get("cpu") ?? 0),
    ...(isLimited("cpu") ? { cpuQuota: Math.max(quota, QUOTA_MICROS_MIN) } : {}),
    ...(isLimited("memory") ? { memoryBytes: limits.get("memory") ?? 0 } : {}),
  };
}

/** The weight of cgroup v2 for shares of v1. @spec KEP-2254 */
export function weightOf(shares: number): number {
  return 1 + Math.floor(((shares - SHARES_MIN) * 9999) / (SHARES_MAX - SHARES_MIN));
}

function sharesOf(millis: number): number {
  if (millis === 0) return SHARES_MIN;
  const shares = Math.floor((millis * SHARES_PER_CPU) / 1000);
  return Math.min(Math.max(shares, SHARES_MIN), SHARES_MAX);
}
