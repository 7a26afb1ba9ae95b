import type { V1Container, V1Pod } from "../../gen/types.ts";
import { PROPAGATION_PRIVATE, type Image, type Mount } from "../../wire/cri/cri-client.ts";
import { ConfigError, environmentOf } from "../env/environment.ts";
import { serviceVariables } from "../env/service-variables.ts";
import type { Step } from "../plan/step.ts";
import {
  containerConfig,
  MESSAGE_PATH_DEFAULT,
  targetNameOf,
  logPathOf,
} from "../runtime/container-config.ts";
import { hostnameOf, hostsFile } from "../runtime/hosts-file.ts";
import { newest, readySandbox } from "../runtime/pod-runtime.ts";
import { containerNamed } from "../runtime/pod-spec.ts";
import { logFolderOf, sandboxConfig } from "../runtime/sandbox-config.ts";
import { runHook } from "./hooks.ts";
import type { ImageEnsurer } from "./image-ensurer.ts";
import type { Volumes } from "./node-host.ts";
import { messageFile } from "./pod-files.ts";
import type { StepContext, StepTools, StepValue } from "./step-context.ts";
import { fail, StepFailure } from "./step-failure.ts";
import { VolumeError } from "./volume-error.ts";

type StartStep = Extract<Step, { kind: "startContainer" }>;

/**
 * Creates and starts one container, and runs its postStart hook.
 *
 * @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_container.go startContainer
 */
export class ContainerStarter {
  readonly #tools: StepTools;
  readonly #images: ImageEnsurer;
  readonly #mounter: Volumes;

  constructor(tools: StepTools, images: ImageEnsurer, mounter: Volumes) {
    this.#tools = tools;
    this.#images = images;
    this.#mounter = mounter;
  }

  /** Resolves with the container's id. @throws {StepFailure} with the waiting reason of the status. */
  async start(step: StartStep, context: StepContext): Promise<StepValue> {
    const { pod } = context;
    const container = containerNamed(pod, step.container);
    if (!container) return {};
    const id = await this.#create(step, container, context);
    if (id === undefined) return {};
    const { cri, recorder, starts } = this.#tools;
    try {
      await starts.run("container", () => cri.startContainer(id));
    } catch (error) {
      throw this.#failed(pod, container, "RunContainerError", (error as Error).message);
    }
    recorder.pod(pod, "Normal", "Started", `Started container ${container.name}`, container.name);
    context.onStarted(id);
    this.#link(pod, step, id);
    if (container.lifecycle?.postStart) await this.#postStart(container, id, context);
    return { value: id };
  }

  #failed(pod: V1Pod, container: V1Container, reason: string, message: string): StepFailure {
    this.#tools.recorder.pod(pod, "Warning", "Failed", `Error: ${message}`, container.name);
    return fail(reason, message);
  }

  /** @returns the container's id; `undefined`: the Pod is to end. */
  async #create(
    step: StartStep,
    container: V1Container,
    context: StepContext,
  ): Promise<string | undefined> {
    const { pod, runtime, memory, isEnding } = context;
    const { cri, settings, recorder, files, starts } = this.#tools;
    const outcome = memory.images.get(container.name);
    const imageId = outcome?.kind === "done" ? outcome.value : "";
    try {
      const image: Image = this.#images.known(imageId) ?? {
        id: imageId,
        repoTags: [],
        repoDigests: [],
        size: 0,
        username: "",
      };
      const environment = await this.#environment(container, context);
      const mounts = await this.#mounts(step, container, context, environment);
      const targetName = targetNameOf(container);
      const target = targetName === undefined ? undefined : newest(runtime, targetName)?.id;
      const parts = {
        restartCount: step.restartCount,
        environment,
        mounts,
        image,
        ...(target === undefined ? {} : { targetId: target }),
      };
      const config = containerConfig(pod, container, parts, settings);
      files.makeLogFolder(`${logFolderOf(pod, settings.logRoot)}/${container.name}`);
      const sandbox = sandboxConfig(pod, readySandbox(runtime)?.attempt ?? 0, settings);
      const id = await starts.run("container", async () =>
        isEnding() ? undefined : cri.createContainer(step.sandboxId, config, sandbox),
      );
      if (id === undefined) return undefined;
      recorder.pod(pod, "Normal", "Created", `Created container ${container.name}`, container.name);
      return id;
    } catch (error) {
      const isConfig = error instanceof ConfigError || error instanceof VolumeError;
      const reason = isConfig ? "CreateContainerConfigError" : "CreateContainerError";
      throw this.#failed(pod, container, reason, (error as Error).message);
    }
  }

  async #environment(
    container: V1Container,
    { pod, runtime }: StepContext,
  ): Promise<ReadonlyMap<string, string>> {
    const { objects, services, servicesKnown, settings, nodeIps, allocatable } = this.#tools;
    await servicesKnown();
    const namespace = pod.metadata?.namespace ?? "";
    const isLinked = pod.spec?.enableServiceLinks ?? true;
    const fields = {
      pod,
      podIps: podIpsOf(pod, runtime, nodeIps),
      hostIps: nodeIps,
      nodeName: settings.nodeName,
      allocatable: allocatable(),
    };
    return environmentOf(
      container,
      fields,
      objects.source(namespace),
      serviceVariables(services(), namespace, isLinked),
    );
  }

  async #mounts(
    step: StartStep,
    container: V1Container,
    { pod, runtime }: StepContext,
    environment: ReadonlyMap<string, string>,
  ): Promise<readonly Mount[]> {
    const { settings, nodeIps, files } = this.#tools;
    const folder = this.#mounter.folders(pod).pod;
    const mounts = [...(await this.#mounter.mountsOf(pod, container, environment))];
    const isTaken = (path: string): boolean => mounts.some((m) => m.containerPath === path);
    const add = (containerPath: string, hostPath: string): void => {
      const mount = { containerPath, hostPath, readonly: false, propagation: PROPAGATION_PRIVATE };
      if (!isTaken(containerPath)) mounts.push(mount);
    };
    const hosts = `${folder}/etc-hosts`;
    const name = hostnameOf(pod, settings.dns.clusterDomain);
    const hostFile = pod.spec?.hostNetwork ? await files.readNodeFile("/etc/hosts") : "";
    files.writeHostsFile(hosts, hostsFile(pod, podIpsOf(pod, runtime, nodeIps), name, hostFile));
    add("/etc/hosts", hosts);
    const message = messageFile(folder, container.name, step.restartCount);
    files.makeMessageFile(message);
    add(container.terminationMessagePath ?? MESSAGE_PATH_DEFAULT, message);
    return mounts;
  }

  #link(pod: V1Pod, { container, restartCount }: StartStep, id: string): void {
    const { settings, logLinks, files } = this.#tools;
    const { name = "", namespace = "" } = pod.metadata ?? {};
    const log = `${logFolderOf(pod, settings.logRoot)}/${logPathOf(container, restartCount)}`;
    files.linkLog(logLinks, { name, namespace }, container, id, log);
  }

  async #postStart(container: V1Container, id: string, context: StepContext): Promise<void> {
    const { cri, clock, recorder, nodeIps } = this.#tools;
    const { pod, runtime } = context;
    const [podIp = ""] = podIpsOf(pod, runtime, nodeIps);
    try {
      await runHook(cri, clock, container, id, podIp, container.lifecycle!.postStart!);
    } catch (error) {
      const message = (error as Error).message;
      recorder.pod(pod, "Warning", "FailedPostStartHook", "PostStartHook failed", container.name);
      recorder.pod(pod, "Normal", "Killing", "FailedPostStartHook", container.name);
      await cri.stopContainer(id, pod.spec?.terminationGracePeriodSeconds ?? 30);
      throw fail("PostStartHookError", message);
    }
  }
}

/** The addresses that a Pod's containers see as their own. */
export function podIpsOf(
  pod: V1Pod,
  runtime: StepContext["runtime"],
  nodeIps: readonly string[],
): readonly string[] {
  return pod.spec?.hostNetwork ? nodeIps : (readySandbox(runtime)?.ips ?? []);
}
