import type { V1Container, V1Pod } from "../../gen/types.ts";
import type { LinuxResources } from "../../wire/cri/cri-client.ts";
import { milliOf, wholeOf } from "./amount.ts";
import { oomScoreOf } from "./qos.ts";

/** CFS period in µs: the kernel's default. Doubled, a throttled container stops for longer at a time. */
const PERIOD_MICROS = 100_000;
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

function sharesOf(millis: number): number {
  if (millis === 0) return SHARES_MIN;
  const shares = Math.floor((millis * SHARES_PER_CPU) / 1000);
  return Math.min(Math.max(shares, SHARES_MIN), SHARES_MAX);
}
