import type { Instant } from "../../base/clock.ts";
import type { V1Container } from "../../gen/types.ts";
import type { ContainerState } from "../runtime/pod-runtime.ts";
import { shouldRestart } from "../runtime/pod-spec.ts";
import type { ObservedPod } from "./observed.ts";

/** A container that should be started as soon as everything for it is there. */
export interface Candidate {
  readonly container: V1Container;
  readonly restartCount: number;
  /** When its predecessor ended. */
  readonly failedAt?: Instant;
}

/** The next attempt after one that ended. */
export function again(container: V1Container, ended: ContainerState): Candidate {
  return { container, restartCount: ended.restartCount + 1, failedAt: ended.finishedAt };
}

/** Whether a container that ended is started again: by its policy, or because it was ended for that. */
export function mustRestart(
  { pod, memory }: Pick<ObservedPod, "pod" | "memory">,
  container: V1Container,
  { id, exitCode }: ContainerState,
): boolean {
  return memory.restarting.has(id) || shouldRestart(pod, container, exitCode);
}
