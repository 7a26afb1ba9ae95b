import type { V1Probe } from "../../gen/types.ts";

/** Answers in a row, and what they amounted to so far. */
export interface ProbeState {
  /** `undefined`: not decided yet. */
  readonly verdict: boolean | undefined;
  readonly last: boolean | undefined;
  readonly count: number;
}

export const freshProbe: ProbeState = { verdict: undefined, last: undefined, count: 0 };

/**
 * The state after one more answer: a verdict changes when enough answers in a row agree.
 *
 * @spec k8s@1.36 pkg/kubelet/prober/worker.go doProbe
 */
export function afterAnswer(state: ProbeState, isSuccess: boolean, probe: V1Probe): ProbeState {
  const count = state.last === isSuccess ? state.count + 1 : 1;
  const threshold = isSuccess ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
  return { verdict: count >= threshold ? isSuccess : state.verdict, last: isSuccess, count };
}
