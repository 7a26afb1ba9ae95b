import type { ContainerStatus, CriClient } from "../../wire/cri/cri-client.ts";
import { isNotFound } from "../../wire/grpc/channel.ts";
import { LABEL_NODE, LABEL_POD_UID } from "../runtime/labels.ts";
import {
  containerState,
  newestContainerFirst,
  newestSandboxFirst,
  sandboxState,
  type ContainerState,
  type PodRuntime,
  type SandboxState,
} from "../runtime/pod-runtime.ts";
import type { Remains } from "../pod-runner.ts";

/** What a dead container left to say; "" for nothing. */
export type LastWords = (
  uid: string,
  ended: ContainerState,
  status: ContainerStatus,
) => Promise<string>;

/**
 * Reads what the runtime has of this node's Pods.
 *
 * A container that has ended never changes again: it is asked for once.
 */
export class RuntimeReader {
  readonly #cri: CriClient;
  readonly #nodeName: string;
  readonly #lastWords: LastWords;
  readonly #ended = new Map<string, ContainerState>();

  constructor(cri: CriClient, nodeName: string, lastWords: LastWords) {
    this.#cri = cri;
    this.#nodeName = nodeName;
    this.#lastWords = lastWords;
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
      Promise.all(sandboxes.map(({ id }) => this.readSandbox(id))),
      Promise.all(containers.map(({ id, sandboxId }) => this.readContainer(uid, id, sandboxId))),
    ]);
    return {
      sandboxes: sandboxStates.filter(isDefined).sort(newestSandboxFirst),
      containers: containerStates.filter(isDefined).sort(newestContainerFirst),
    };
  }

  /** Forgets what will not be asked for again. */
  forget(id: string): void {
    this.#ended.delete(id);
  }

  /** One sandbox; `undefined` when it is gone. */
  async readSandbox(id: string): Promise<SandboxState | undefined> {
    const status = await this.#cri.sandboxStatus(id).catch(goneIsUndefined);
    return status && sandboxState(status);
  }

  /** One container; `undefined` when it is gone. */
  async readContainer(
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
    const message = await this.#lastWords(uid, state, status);
    const ended = { ...state, message: message || state.message };
    this.#ended.set(id, ended);
    return ended;
  }
}

function goneIsUndefined(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
  return undefined;
}

function isDefined<T>(value: T | undefined): value is T {
  return value !== undefined;
}
