import { DaemonSet } from "../../api/apps/daemon-set.ts";
import type { StackStatus } from "../../api/compose/stack.ts";
import { Service } from "../../api/core/service.ts";
import type { WriteFailure } from "../../reconciler/controller.ts";
import { partName, type Part, type WantedPart } from "./wanted.ts";

/** What the statuses of the three workloads say of their Pods. */
interface Counts {
  readonly observedGeneration?: number;
  readonly readyReplicas?: number;
  readonly updatedReplicas?: number;
  readonly desiredNumberScheduled?: number;
  readonly numberReady?: number;
  readonly updatedNumberScheduled?: number;
}

/** Available when every Pod of every service is ready and as the stack says; else what is waited for. */
export function statusOf(wanted: readonly WantedPart[], owned: readonly Part[]): StackStatus {
  const there = new Map(owned.map((part) => [partName(part), part]));
  const waiting = wanted
    .filter(({ kind }) => kind !== Service)
    .flatMap((part) => {
      const { ready, updated, all } = countsOf(there.get(partName(part)));
      const isDone = all !== undefined && ready === all && updated === all;
      return isDone ? [] : [`${part.service.name} (${ready}/${all ?? "?"} ready)`];
    });
  return waiting.length === 0
    ? { phase: "Available", message: "All services are ready" }
    : { phase: "Progressing", message: `Waiting for ${waiting.join(", ")}` };
}

/** `all` is absent while the workload's own controller has not seen it. */
function countsOf(part: Part | undefined): {
  readonly ready: number;
  readonly updated: number;
  readonly all?: number;
} {
  if (!part) return { ready: 0, updated: 0 };
  const {
    status = {},
    spec,
    metadata,
  } = part.object as Part["object"] & {
    readonly status?: Counts;
    readonly spec?: { readonly replicas?: number };
  };
  const isSeen = status.observedGeneration === metadata?.generation;
  if (part.kind === DaemonSet) {
    const { numberReady = 0, updatedNumberScheduled = 0, desiredNumberScheduled = 0 } = status;
    return {
      ready: numberReady,
      updated: updatedNumberScheduled,
      ...(isSeen && { all: desiredNumberScheduled }),
    };
  }
  const { readyReplicas = 0, updatedReplicas = 0 } = status;
  return {
    ready: readyReplicas,
    updated: updatedReplicas,
    ...(isSeen && { all: spec?.replicas ?? 0 }),
  };
}

/** Why nothing can be written. */
export function statusOfTaken(taken: readonly Taken[]): StackStatus {
  const reasons = taken.map(({ part, stack }) =>
    stack === undefined
      ? `${partName(part)} exists already and is not part of this stack`
      : `${partName(part)} is part of the stack ${stack}`,
  );
  return { phase: "Failure", message: reasons.join("; ") };
}

/** A wanted part whose name another object has; `stack`: the one that owns that. */
export interface Taken {
  readonly part: Part;
  readonly stack?: string;
}

/** What a failed write makes of a stack. */
export function statusOfFailure({ write, message }: WriteFailure): StackStatus {
  const name = "object" in write ? write.object.metadata?.name : write.key.name;
  return { phase: "Failure", message: `${write.verb} ${write.kind.kind}/${name}: ${message}` };
}
