import type { Instant } from "../../base/clock.ts";
import type { V1ResourceRequirements } from "../../gen/types.ts";
import {
  CONTAINER_CREATED,
  CONTAINER_EXITED,
  CONTAINER_RUNNING,
  SANDBOX_READY,
  type ContainerStatus,
  type ContainerUser,
  type SandboxStatus,
} from "../../wire/cri/cri-client.ts";
import {
  ANNOTATION_HASH,
  ANNOTATION_RESOURCES,
  ANNOTATION_RESTART_COUNT,
  LABEL_CONTAINER_NAME,
} from "./labels.ts";

/** What the runtime has of one Pod: the observed half of the plan. */
export interface PodRuntime {
  /** Newest first. */
  readonly sandboxes: readonly SandboxState[];
  /** Newest first. */
  readonly containers: readonly ContainerState[];
}

export interface SandboxState {
  readonly id: string;
  readonly attempt: number;
  readonly isReady: boolean;
  readonly createdAt: Instant;
  /** Empty in the host's network. */
  readonly ips: readonly string[];
}

export interface ContainerState {
  readonly id: string;
  readonly name: string;
  readonly sandboxId: string;
  readonly restartCount: number;
  readonly state: "created" | "running" | "exited" | "unknown";
  readonly createdAt: Instant;
  /** 0: never. */
  readonly startedAt: Instant;
  readonly finishedAt: Instant;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  readonly image: string;
  readonly imageId: string;
  /** Of the specification it was made from; "" where the runtime does not know. */
  readonly hash: string;
  /** What it was made with; absent where the runtime does not know. */
  readonly resources?: V1ResourceRequirements;
  /** Absent where the runtime does not say (containerd below 2.0). */
  readonly user?: ContainerUser;
}

export const emptyRuntime: PodRuntime = { sandboxes: [], containers: [] };

const fromNanos = (nanos: number): Instant => Math.floor(nanos / 1e6);

/** A sandbox as the runtime reports it. */
export function sandboxState(status: SandboxStatus): SandboxState {
  const { network } = status;
  const ips = network?.ip ? [network.ip, ...network.additionalIps.map(({ ip }) => ip)] : [];
  return {
    id: status.id,
    attempt: status.metadata.attempt,
    isReady: status.state === SANDBOX_READY,
    createdAt: fromNanos(status.createdAt),
    ips,
  };
}

/** A container as the runtime reports it. `message` replaces the runtime's own where the container left one. */
export function containerState(
  status: ContainerStatus,
  sandboxId: string,
  message = status.message,
): ContainerState {
  return {
    id: status.id,
    name: status.labels[LABEL_CONTAINER_NAME] ?? status.metadata.name,
    sandboxId,
    restartCount: Number(status.annotations[ANNOTATION_RESTART_COUNT] ?? status.metadata.attempt),
    state: stateName(status.state),
    createdAt: fromNanos(status.createdAt),
    startedAt: fromNanos(status.startedAt),
    finishedAt: fromNanos(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message,
    image: status.image?.image ?? "",
    imageId: status.imageRef,
    hash: status.annotations[ANNOTATION_HASH] ?? "",
    ...userOf(status),
    ...resourcesIn(status.annotations[ANNOTATION_RESOURCES]),
  };
}

function userOf({ user }: ContainerStatus): Pick<ContainerState, "user"> {
  if (!user?.linux) return {};
  const { uid, gid, supplementalGroups } = user.linux;
  const groups = supplementalGroups?.length ? { supplementalGroups } : {};
  return { user: { uid, gid, ...groups } };
}

function resourcesIn(text: string | undefined): Pick<ContainerState, "resources"> {
  return text === undefined ? {} : { resources: JSON.parse(text) as V1ResourceRequirements };
}

function stateName(state: number): ContainerState["state"] {
  if (state === CONTAINER_CREATED) return "created";
  if (state === CONTAINER_RUNNING) return "running";
  return state === CONTAINER_EXITED ? "exited" : "unknown";
}

/** Newest first: how `PodRuntime` is ordered. */
export function newestSandboxFirst(a: SandboxState, b: SandboxState): number {
  return b.createdAt - a.createdAt;
}

/** Newest first: how `PodRuntime` is ordered. */
export function newestContainerFirst(a: ContainerState, b: ContainerState): number {
  return b.restartCount - a.restartCount || b.createdAt - a.createdAt;
}

/** The runtime with this sandbox as it was read. One that has ended stays so: an answer that says otherwise is older. */
export function withSandbox(runtime: PodRuntime, sandbox: SandboxState): PodRuntime {
  const known = runtime.sandboxes.find(({ id }) => id === sandbox.id);
  if (known && !known.isReady && sandbox.isReady) return runtime;
  const { sandboxes, containers } = withoutSandbox(runtime, sandbox.id);
  return { sandboxes: [sandbox, ...sandboxes].sort(newestSandboxFirst), containers };
}

/** The runtime with this container as it was read. One that has ended stays so: an answer that says otherwise is older. */
export function withContainer(runtime: PodRuntime, container: ContainerState): PodRuntime {
  const known = runtime.containers.find(({ id }) => id === container.id);
  if (known?.state === "exited" && container.state !== "exited") return runtime;
  const { sandboxes, containers } = withoutContainer(runtime, container.id);
  return { sandboxes, containers: [container, ...containers].sort(newestContainerFirst) };
}

/** The runtime once this sandbox is removed. */
export function withoutSandbox({ sandboxes, containers }: PodRuntime, gone: string): PodRuntime {
  return { sandboxes: sandboxes.filter(({ id }) => id !== gone), containers };
}

/** The runtime once this container is removed. */
export function withoutContainer({ sandboxes, containers }: PodRuntime, gone: string): PodRuntime {
  return { sandboxes, containers: containers.filter(({ id }) => id !== gone) };
}

/** The newest container of that name. */
export function newest(runtime: PodRuntime, name: string): ContainerState | undefined {
  return runtime.containers.find((container) => container.name === name);
}

/** The sandbox in use: the newest that is ready. */
export function readySandbox(runtime: PodRuntime): SandboxState | undefined {
  return runtime.sandboxes.find(({ isReady }) => isReady);
}

/** True for containers that may have processes. */
export function isAlive({ state }: ContainerState): boolean {
  return state === "running" || state === "unknown";
}
