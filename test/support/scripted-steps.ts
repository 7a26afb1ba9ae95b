import type { Clock } from "../../src/base/clock.ts";
import { Pod } from "../../src/api/core/pod.ts";
import type { Client } from "../../src/client/client.ts";
import type { RunContext, StepRunner } from "../../src/kubelet/pod-worker.ts";
import type { Step } from "../../src/kubelet/plan/step.ts";
import { containerConfig } from "../../src/kubelet/runtime/container-config.ts";
import { containerNamed } from "../../src/kubelet/runtime/pod-spec.ts";
import { resourcesOf } from "../../src/kubelet/runtime/resources.ts";
import { sandboxConfig, type PodSettings } from "../../src/kubelet/runtime/sandbox-config.ts";
import { StepFailure } from "../../src/kubelet/executor/step-failure.ts";
import type { ScriptedCri } from "./scripted-cri.ts";

/** Does steps on a scripted runtime, without files: for tests of workers and for simulated nodes. */
export class ScriptedSteps implements StepRunner {
  readonly done: string[] = [];
  readonly #cri: ScriptedCri;
  readonly #client: Client;
  readonly #settings: PodSettings;

  constructor(cri: ScriptedCri, client: Client, _clock: Clock, settings: PodSettings) {
    this.#cri = cri;
    this.#client = client;
    this.#settings = settings;
  }

  async run(
    step: Step,
    { pod, statusWritten, onStarted, onResized }: RunContext,
  ): Promise<{ readonly value?: string }> {
    this.done.push(step.kind);
    const cri = this.#cri;
    switch (step.kind) {
      case "createSandbox":
        return { value: await cri.runSandbox(sandboxConfig(pod, step.attempt, this.#settings)) };
      case "ensureImage": {
        const name = containerNamed(pod, step.container)?.image ?? "";
        if (!(await cri.imageStatus(name)))
          await cri.pullImage(name).catch((error: Error) => {
            throw new StepFailure("ErrImagePull", error.message);
          });
        return { value: name };
      }
      case "startContainer": {
        const container = containerNamed(pod, step.container)!;
        const image = (await cri.imageStatus(container.image ?? ""))!;
        const parts = {
          restartCount: step.restartCount,
          environment: new Map(),
          mounts: [],
          image,
        };
        const config = containerConfig(pod, container, parts, this.#settings);
        const id = await cri.createContainer(step.sandboxId, config);
        await cri.startContainer(id).catch((error: Error) => {
          throw new StepFailure("RunContainerError", error.message);
        });
        onStarted(id);
        return { value: id };
      }
      case "killContainer":
        await cri.stopContainer(step.id, step.graceSeconds);
        return {};
      case "resize":
        for (const { container, id, resources } of [...step.memory, ...step.cpu]) {
          const spec = { ...containerNamed(pod, container)!, resources };
          const linux = resourcesOf(pod, spec, this.#settings.memoryBytes);
          await cri.updateContainerResources(id, linux);
          onResized(id, resources);
        }
        return {};
      case "stopSandbox":
        await cri.stopSandbox(step.id);
        return {};
      case "removeContainer":
        await cri.removeContainer(step.id);
        return {};
      case "removeSandbox":
        await cri.removeSandbox(step.id);
        return {};
      case "finish": {
        await statusWritten();
        const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
        await this.#client.delete(Pod, { namespace, name }, { graceSeconds: 0, ifUid: uid });
        return {};
      }
      default:
        return {};
    }
  }

  async forgetPod(): Promise<void> {}
}
