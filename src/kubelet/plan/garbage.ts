import { isAlive, newest } from "../runtime/pod-runtime.ts";
import type { ObservedPod } from "./observed.ts";
import type { Step } from "./step.ts";

/** Dead containers of one name that are kept for `kubectl logs --previous`. @spec MaxPerPodContainer */
const DEAD_KEPT = 1;

/**
 * Remains that nobody asks for any more: dead containers but the newest of each name, those that were made and never started, and the
 * sandboxes they leave empty.
 *
 * @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_gc.go
 */
export function garbageOf({ runtime }: ObservedPod): readonly Step[] {
  const kept = new Map<string, number>();
  const steps: Step[] = [];
  const usedSandboxes = new Set<string>();
  for (const container of runtime.containers) {
    const count = kept.get(container.name) ?? 0;
    // Made and not started: by a step that goes on, or the answer was lost, and another attempt took its place.
    const isPending =
      container.state === "created" && container === newest(runtime, container.name);
    const isDead = container.state === "exited" && count < DEAD_KEPT;
    if (isAlive(container) || isPending || isDead) {
      usedSandboxes.add(container.sandboxId);
      if (container.state === "exited") kept.set(container.name, count + 1);
    } else steps.push({ kind: "removeContainer", id: container.id });
  }
  for (const sandbox of runtime.sandboxes.slice(1))
    if (!sandbox.isReady && !usedSandboxes.has(sandbox.id))
      steps.push({ kind: "removeSandbox", id: sandbox.id });
  return steps;
}
