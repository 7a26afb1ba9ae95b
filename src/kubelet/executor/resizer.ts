import type { Step } from "../plan/step.ts";
import type { V1Pod, V1ResourceRequirements } from "../../gen/types.ts";
import { containerNamed } from "../runtime/pod-spec.ts";
import { podCgroupOf, resourcesOf } from "../runtime/resources.ts";
import { cgroupOf } from "../runtime/sandbox-config.ts";
import { sizeOf } from "../plan/allocation.ts";
import { cutCgroup, memoryUseOf, raiseCgroup } from "./cgroups.ts";
import type { StepContext, StepTools } from "./step-context.ts";
import { fail } from "./step-failure.ts";

type ResizeStep = Extract<Step, { kind: "resize" }>;

/**
 * Gives running containers and their Pod's cgroup the resources that were granted.
 *
 * The Pod's cgroup grows before its containers, and shrinks after them.
 * @throws {StepFailure} memory would be cut below what is in use, or the runtime refuses.
 * @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_manager.go doPodResizeAction
 */
export async function resize(
  step: ResizeStep,
  context: StepContext,
  tools: StepTools,
): Promise<void> {
  const { pod } = context;
  const cgroup = cgroupOf(pod, tools.settings.cgroupRoot);
  const { memoryBytes, ...cpu } = podCgroupOf(pod);
  const memory = memoryBytes === undefined ? {} : { memoryBytes };
  checkMemory(step, cgroup, memoryBytes);
  raiseCgroup(cgroup, memory);
  for (const update of step.memory) await apply(update);
  cutCgroup(cgroup, memory);
  raiseCgroup(cgroup, cpu);
  for (const update of step.cpu) await apply(update);
  cutCgroup(cgroup, cpu);

  async function apply({ container, id, resources }: ResizeStep["memory"][number]): Promise<void> {
    await tools.cri.updateContainerResources(id, linuxResources(pod, container, resources, tools));
    context.onResized(id, resources);
  }
}

function linuxResources(
  pod: V1Pod,
  name: string,
  resources: V1ResourceRequirements,
  { settings }: StepTools,
): ReturnType<typeof resourcesOf> {
  const container = { ...(containerNamed(pod, name) ?? { name }), resources };
  return resourcesOf(pod, container, settings.memoryBytes);
}

/**
 * A limit below what is in use would have the kernel kill somebody.
 *
 * @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_manager.go validateMemoryResizeAction
 */
function checkMemory(step: ResizeStep, cgroup: string, podLimit: number | undefined): void {
  const problems: string[] = [];
  const podUse = memoryUseOf(cgroup);
  if (podLimit !== undefined && podUse !== undefined && podUse > podLimit)
    problems.push(
      `attempting to set pod memory limit (${podLimit}) below current usage (${podUse})`,
    );
  for (const { container, id, resources } of step.memory) {
    const limit = sizeOf(resources).memoryLimitBytes;
    const use = memoryUseOf(`${cgroup}/${id}`);
    if (limit > 0 && use !== undefined && use > limit)
      problems.push(
        `attempting to set container ${JSON.stringify(container)} memory limit (${limit}) ` +
          `below current usage (${use})`,
      );
  }
  if (problems.length === 0) return;
  const text = problems.length === 1 ? problems[0]! : `[${problems.join(", ")}]`;
  throw fail("ResizeError", `cannot decrease memory limits: ${text}`);
}
