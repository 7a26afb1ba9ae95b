import type { Instant } from "../../base/clock.ts";
import type { V1Container } from "../../gen/types.ts";
import type { ContainerState } from "../runtime/pod-runtime.ts";

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
