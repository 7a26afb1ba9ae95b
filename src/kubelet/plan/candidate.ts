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

/**
 * The next attempt after one that was made and never started: nobody heard that it was. The runtime keeps its name, so that the same
 * attempt could never be made again.
 *
 * @spec k8s@1.36 pkg/kubelet/container ShouldContainerBeRestarted (created: always), startContainer (restartCount)
 */
export function anew(container: V1Container, created: ContainerState): Candidate {
  return { container, restartCount: created.restartCount + 1 };
}

/** Whether a container that ended is started again: by its policy, or because it was ended for that. */
export function mustRestart(
  { pod, memory }: Pick<ObservedPod, "pod" | "memory">,
  container: V1Container,
  { id, exitCode }: ContainerState,
): boolean {
  return memory.restarting.has(id) || shouldRestart(pod, container, exitCode);
}
