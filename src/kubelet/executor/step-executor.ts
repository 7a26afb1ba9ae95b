import { sleep } from "../../base/clock.ts";
import { NOTHING_TO_FIND } from "../claimed-volumes.ts";
import { Pod } from "../../api/core/pod.ts";
import { WAITING_FOR_VOLUMES } from "../plan/remember.ts";
import { isMissing, waitMessage, type Missing } from "../volumes/volume-waits.ts";
import { isStatusError } from "../../api/machinery/status-error.ts";
import { RuntimeClass } from "../../api/node/runtime-class.ts";
import type { V1Pod, V1Secret } from "../../gen/types.ts";
import type { Step } from "../plan/step.ts";
import { containerNamed } from "../runtime/pod-spec.ts";
import { podCgroupOf } from "../runtime/resources.ts";
import { cgroupOf, logFolderOf, sandboxConfig } from "../runtime/sandbox-config.ts";
import type { PayloadSource } from "../volumes/payload.ts";
import { killContainer } from "./container-killer.ts";
import { ContainerStarter, podIpsOf } from "./container-starter.ts";
import { ImageEnsurer } from "./image-ensurer.ts";
import type { Volumes } from "./node-host.ts";
import { resize } from "./resizer.ts";
import type { RuntimeReader } from "./runtime-reader.ts";
import type { StepContext, StepTools, StepValue } from "./step-context.ts";
import { fail, StepFailure } from "./step-failure.ts";

/** Longest wait for ConfigMaps and Secrets of a Pod. A server that is away must not block its teardown for longer. */
const OBJECTS_MS_MAX = 10_000;

/** Does the steps of plans. The only part of the kubelet that changes anything on the node. */
export class StepExecutor {
  readonly #tools: StepTools;
  readonly #mounter: Volumes;
  readonly #reader: RuntimeReader;
  readonly #images: ImageEnsurer;
  readonly #starter: ContainerStarter;

  constructor(tools: StepTools, mounter: Volumes, reader: RuntimeReader) {
    this.#tools = tools;
    this.#mounter = mounter;
    this.#reader = reader;
    this.#images = new ImageEnsurer(tools.cri, tools.clock, tools.recorder);
    this.#starter = new ContainerStarter(tools, this.#images, mounter);
  }

  /** @throws {StepFailure} what was tried did not succeed; any other error likewise, with no reason for the status. */
  async run(step: Step, context: StepContext): Promise<StepValue> {
    const { cri } = this.#tools;
    switch (step.kind) {
      case "prepareVolumes":
        return this.#prepareVolumes(context);
      case "createSandbox":
        return this.#createSandbox(step.attempt, context);
      case "ensureImage":
        return this.#ensureImage(step.container, context.pod);
      case "startContainer":
        return this.#starter.start(step, context);
      case "killContainer":
        await killContainer(step, context, this.#tools);
        return {};
      case "resize":
        await resize(step, context, this.#tools);
        return {};
      case "stopSandbox":
        await cri.stopSandbox(step.id);
        return {};
      case "removeContainer":
        await cri.removeContainer(step.id);
        this.#reader.forget(step.id);
        await this.#tools.files.unlinkLog(this.#tools.logLinks, step.id);
        return {};
      case "removeSandbox":
        await cri.removeSandbox(step.id);
        return {};
      case "tearDown":
        await this.#tearDown(context.pod);
        return {};
      case "finish":
        await this.#finish(context);
        return {};
    }
  }

  async #prepareVolumes({ pod, runtime, memory }: StepContext): Promise<StepValue> {
    const { objects, tokens, settings, nodeIps, allocatable, clock, claimed } = this.#tools;
    try {
      const [issued, , found] = await Promise.all([
        tokens.forPod(pod),
        this.#objectsReady(pod),
        // What is mounted stays, whatever becomes of its claim. @spec k8s@1.36 desired_state_of_world_populator.go podPreviouslyProcessed
        memory.volumes.kind === "done" ? NOTHING_TO_FIND : claimed.find(pod),
      ]);
      const source: PayloadSource = {
        ...objects.source(pod.metadata?.namespace ?? ""),
        tokens: issued.texts,
        fields: {
          pod,
          podIps: podIpsOf(pod, runtime, nodeIps),
          hostIps: nodeIps,
          nodeName: settings.nodeName,
          allocatable: allocatable(),
        },
      };
      await this.#mounter.prepare(pod, source, clock.now(), found.ready);
      for (const refusal of found.refused) throw new Error(refusal);
      this.#checkMissing(pod, found);
      return issued.refreshAt === undefined ? {} : { refreshAt: issued.refreshAt };
    } catch (error) {
      if (error instanceof StepFailure) throw error;
      const message = (error as Error).message;
      this.#tools.recorder.pod(pod, "Warning", "FailedMount", message);
      throw fail("FailedMount", message);
    }
  }

  /** Volumes that are not here yet are waited for without an event for each look. */
  #checkMissing(pod: V1Pod, missing: Missing): void {
    const { volumeWaits, recorder, clock } = this.#tools;
    const uid = pod.metadata?.uid ?? "";
    if (!isMissing(missing)) return volumeWaits.forget(uid);
    const told = volumeWaits.note(uid, missing, clock.now());
    if (told !== undefined) recorder.pod(pod, "Warning", "FailedMount", told);
    throw fail(WAITING_FOR_VOLUMES, waitMessage(missing));
  }

  async #objectsReady(pod: V1Pod): Promise<void> {
    const abort = new AbortController();
    const late = sleep(this.#tools.clock, OBJECTS_MS_MAX, abort.signal).then(() => {
      throw new Error("timed out waiting for the API server to say whether objects exist");
    });
    late.catch(() => {});
    await Promise.race([this.#tools.objects.ready(pod), late]).finally(() => abort.abort());
  }

  async #createSandbox(attempt: number, { pod, isEnding }: StepContext): Promise<StepValue> {
    const { cri, recorder, settings, files, starts } = this.#tools;
    if (attempt > 0)
      recorder.pod(
        pod,
        "Normal",
        "SandboxChanged",
        "Pod sandbox changed, it will be killed and re-created.",
      );
    try {
      files.makeLogFolder(logFolderOf(pod, settings.logRoot));
      const config = sandboxConfig(pod, attempt, settings);
      const handler = await this.#handlerOf(pod);
      const id = await starts.run("sandbox", async () =>
        isEnding() ? undefined : cri.runSandbox(config, handler),
      );
      if (id === undefined) return {};
      files.limitCgroup(cgroupOf(pod, settings.cgroupRoot), podCgroupOf(pod));
      return { value: id };
    } catch (error) {
      const message = `Failed to create pod sandbox: ${(error as Error).message}`;
      recorder.pod(pod, "Warning", "FailedCreatePodSandBox", message);
      throw fail("CreatePodSandboxError", message);
    }
  }

  /** What the runtime knows the Pod's RuntimeClass as. */
  async #handlerOf({ spec }: V1Pod): Promise<string | undefined> {
    const name = spec?.runtimeClassName;
    if (!name) return undefined;
    const { handler } = await this.#tools.client.get(RuntimeClass, { name });
    return handler;
  }

  async #ensureImage(name: string, pod: V1Pod): Promise<StepValue> {
    const container = containerNamed(pod, name);
    if (!container) return {};
    const references = pod.spec?.imagePullSecrets ?? [];
    const secrets = await this.#pullSecrets(
      pod,
      references.map(({ name = "" }) => name).filter(Boolean),
    );
    return { value: await this.#images.ensure(pod, container, secrets) };
  }

  /** Those that there are. Others are told of, and the image may come without them. @spec k8s@1.36 kubelet_pods.go getPullSecretsForPod */
  async #pullSecrets(pod: V1Pod, names: readonly string[]): Promise<readonly V1Secret[]> {
    if (names.length === 0) return [];
    await this.#objectsReady(pod);
    const source = this.#tools.objects.source(pod.metadata?.namespace ?? "");
    const missing = names.filter((name) => !source.secret(name));
    if (missing.length > 0) {
      const list = missing.join(", ");
      const message = `Unable to retrieve some image pull secrets (${list}); attempting to pull the image may not succeed.`;
      this.#tools.recorder.pod(pod, "Warning", "FailedToRetrieveImagePullSecret", message);
    }
    return names.map((name) => source.secret(name)).filter((secret) => secret !== undefined);
  }

  async #tearDown(pod: V1Pod): Promise<void> {
    const uid = pod.metadata?.uid ?? "";
    const { objects, tokens, settings, files, claimed, volumeWaits } = this.#tools;
    objects.release(uid);
    tokens.release(uid);
    volumeWaits.forget(uid);
    await this.#mounter.tearDown(uid);
    claimed.release(uid);
    await files.removeCgroup(cgroupOf(pod, settings.cgroupRoot));
  }

  /** The logs of a Pod go with it. */
  async forgetPod(pod: V1Pod): Promise<void> {
    const { files, settings } = this.#tools;
    await files.removeFolder(logFolderOf(pod, settings.logRoot));
    await files.removeCgroup(cgroupOf(pod, settings.cgroupRoot));
  }

  async #finish({ pod, statusWritten }: StepContext): Promise<void> {
    await statusWritten();
    const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
    try {
      await this.#tools.client.delete(Pod, { namespace, name }, { graceSeconds: 0, ifUid: uid });
    } catch (error) {
      if (!isStatusError(error, "NotFound") && !isStatusError(error, "Conflict")) throw error;
    }
  }
}
