import { podLimits } from "../../api/core/pod-requests.ts";
import type { V1Pod } from "../../gen/types.ts";
import { wholeOf } from "../runtime/amount.ts";
import { allContainers } from "../runtime/pod-spec.ts";

const STORAGE = "ephemeral-storage";

/** Bytes that one Pod has on the node's disk. */
export interface StorageUse {
  /** By volume name, of emptyDirs. */
  readonly volumes: ReadonlyMap<string, number>;
  /** By container name: its writable layer and its logs. */
  readonly containers: ReadonlyMap<string, number>;
  /** Files of the kubelet that containers may write: /etc/hosts and last words. @spec CVE-2020-8557 */
  readonly files: number;
}

/** True when something of the Pod has a limit, so that its use must be measured. */
export function hasStorageLimits(pod: V1Pod): boolean {
  return (
    (pod.spec?.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined) ||
    allContainers(pod).some(({ resources }) => resources?.limits?.[STORAGE] !== undefined)
  );
}

/**
 * Why a Pod must go for what it has written; `undefined`: it may stay.
 *
 * @spec k8s@1.36 pkg/kubelet/eviction/eviction_manager.go localStorageEviction
 */
export function storageProblem(pod: V1Pod, use: StorageUse): string | undefined {
  for (const { name, emptyDir } of pod.spec?.volumes ?? []) {
    const limit = wholeOf(emptyDir?.sizeLimit);
    if (limit > 0 && (use.volumes.get(name) ?? 0) > limit)
      return `Usage of EmptyDir volume ${JSON.stringify(name)} exceeds the limit ${JSON.stringify(emptyDir?.sizeLimit)}. `;
  }
  return podProblem(pod, use) ?? containerProblem(pod, use);
}

/** The containers' limits together, where each has one. */
function podProblem(pod: V1Pod, { volumes, containers, files }: StorageUse): string | undefined {
  const limited = (pod.spec?.containers ?? []).map(({ resources }) => resources?.limits);
  if (limited.some((limits) => limits?.[STORAGE] === undefined)) return undefined;
  const limit = podLimits(pod).get(STORAGE) ?? 0;
  const used = [...volumes.values(), ...containers.values()].reduce((a, b) => a + b, files);
  if (limit === 0 || used <= limit) return undefined;
  return `Pod ephemeral local storage usage exceeds the total limit of containers ${limit}. `;
}

function containerProblem(pod: V1Pod, { containers }: StorageUse): string | undefined {
  for (const { name, resources } of allContainers(pod)) {
    const text = resources?.limits?.[STORAGE];
    const limit = wholeOf(text);
    if (limit > 0 && (containers.get(name) ?? 0) > limit)
      return `Container ${name} exceeded its local ephemeral storage limit ${JSON.stringify(text)}. `;
  }
  return undefined;
}
