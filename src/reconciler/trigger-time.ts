import type { Pod } from "../api/core/pod.ts";
import type { Service } from "../api/core/service.ts";

const ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time";

type Annotations = Readonly<Record<string, string>>;

/**
 * Since when what is written is so: the first of the times at which `changed` became ready or not; of a Service that had no
 * endpoints yet, its creation. `undefined`: no Pod is the reason.
 *
 * Upstream remembers the times that it last saw; here `changed` are the Pods that what was written shows otherwise, or not at
 * all, so it is the same after a restart.
 * @spec k8s@1.36 staging/src/k8s.io/endpointslice/util TriggerTimeTracker
 */
export function triggerTimeOf(
  service: Service,
  isFirst: boolean,
  changed: readonly Pod[],
): string | undefined {
  if (isFirst) return service.metadata?.creationTimestamp;
  const times = changed.map(readySince).filter((time) => time !== undefined);
  return times.length ? times.reduce((a, b) => (a < b ? a : b)) : undefined;
}

function readySince({ status }: Pod): string | undefined {
  return status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime;
}

/** `annotations` with that time; without it where there is none. `undefined`: none are left. */
export function withTriggerTime(
  annotations: Annotations | undefined,
  time: string | undefined,
): Annotations | undefined {
  const { [ANNOTATION]: _old, ...others } = annotations ?? {};
  const all = time ? { ...others, [ANNOTATION]: time } : others;
  return Object.keys(all).length ? all : undefined;
}
