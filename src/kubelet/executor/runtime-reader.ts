import type { CriClient } from "../../wire/cri/cri-client.ts";
import { isNotFound } from "../../wire/grpc/channel.ts";
import {
  ANNOTATION_MESSAGE_POLICY,
  LABEL_NODE,
  LABEL_POD_UID,
  LABEL_CONTAINER_NAME,
} from "../runtime/labels.ts";
import {
  containerState,
  sandboxState,
  type ContainerState,
  type PodRuntime,
  type SandboxState,
} from "../runtime/pod-runtime.ts";
import type { Remains } from "../pod-runner.ts";
import { foldersOf } from "../volumes/volume-paths.ts";
import { messageFile, readLogTail, readMessage } from "./pod-files.ts";

/**
 * Reads what the runtime has of this node's Pods.
 *
 * A container that has ended never changes again: it is asked for once.
 */
export class RuntimeReader {
  readonly #cri: CriClient;
  readonly #nodeName: string;
  readonly #stateRoot: string;
  readonly #ended = new Map<string, ContainerState>();

  constructor(cri: CriClient, nodeName: string, stateRoot: string) {
    this.#cri = cri;
    this.#nodeName = nodeName;
    this.#stateRoot = stateRoot;
  }

  /** Every Pod of this node that has a sandbox or a container. */
  async list(): Promise<readonly Remains[]> {
    const filter = { labelSelector: { [LABEL_NODE]: this.#nodeName } };
    const [sandboxes, containers] = await Promise.all([
      this.#cri.listSandboxes(filter),
      this.#cri.listContainers(filter),
    ]);
    const pods = new Map(
      [...sandboxes, ...containers].map(({ labels }) => [labels[LABEL_POD_UID] ?? "", labels]),
    );
    return [...pods].map(([uid, labels]) => ({ uid, labels }));
  }

  /** All sandboxes and containers of one Pod, newest first. */
  async read(uid: string): Promise<PodRuntime> {
    const filter = { labelSelector: { [LABEL_POD_UID]: uid } };
    const [sandboxes, containers] = await Promise.all([
      this.#cri.listSandboxes(filter),
      this.#cri.listContainers(filter),
    ]);
    const [sandboxStates, containerStates] = await Promise.all([
      Promise.all(sandboxes.map(({ id }) => this.#sandbox(id))),
      Promise.all(containers.map(({ id, sandboxId }) => this.#container(uid, id, sandboxId))),
    ]);
    return {
      sandboxes: sandboxStates.filter(isDefined).sort((a, b) => b.createdAt - a.createdAt),
      containers: containerStates.filter(isDefined).sort(newestFirst),
    };
  }

  /** Forgets what will not be asked for again. */
  forget(id: string): void {
    this.#ended.delete(id);
  }

  async #sandbox(id: string): Promise<SandboxState | undefined> {
    const status = await this.#cri.sandboxStatus(id).catch(goneIsUndefined);
    return status && sandboxState(status);
  }

  async #container(
    uid: string,
    id: string,
    sandboxId: string,
  ): Promise<ContainerState | undefined> {
    const known = this.#ended.get(id);
    if (known) return known;
    const status = await this.#cri.containerStatus(id).catch(goneIsUndefined);
    if (!status) return undefined;
    const state = containerState(status, sandboxId);
    if (state.state !== "exited") return state;
    const policy = status.annotations[ANNOTATION_MESSAGE_POLICY] ?? "File";
    const name = status.labels[LABEL_CONTAINER_NAME] ?? "";
    const message = await this.#lastWords(uid, name, state, policy, status.logPath);
    const ended = { ...state, message: message || state.message };
    this.#ended.set(id, ended);
    return ended;
  }

  /** @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_container.go getTerminationMessage */
  async #lastWords(
    uid: string,
    name: string,
    { restartCount, exitCode }: ContainerState,
    policy: string,
    logPath: string,
  ): Promise<string> {
    const { pod } = foldersOf(this.#stateRoot, uid);
    const message = await readMessage(messageFile(pod, name, restartCount));
    if (message || policy !== "FallbackToLogsOnError" || exitCode === 0) return message;
    return readLogTail(logPath);
  }
}

function newestFirst(a: ContainerState, b: ContainerState): number {
  return b.restartCount - a.restartCount || b.createdAt - a.createdAt;
}

function goneIsUndefined(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
  return undefined;
}

function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined;
}
