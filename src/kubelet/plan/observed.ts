import type { Instant } from "../../base/clock.ts";
import type { V1Pod, V1ResourceRequirements } from "../../gen/types.ts";
import type { PodRuntime } from "../runtime/pod-runtime.ts";
import type { BackOff } from "./back-off.ts";

/** Everything that decides what to do with one Pod. */
export interface ObservedPod {
  /** As the API server has it, or had it last. */
  readonly pod: V1Pod;
  /** The API server has it no more. */
  readonly isGone: boolean;
  readonly runtime: PodRuntime;
  readonly memory: PodMemory;
  /** Keys of the steps in flight; see `keyOf`. */
  readonly busy: ReadonlySet<string>;
  readonly node: NodeFacts;
}

/** What is known of the node when Pods are planned. */
export interface NodeFacts {
  readonly name: string;
  readonly ips: readonly string[];
  /** Why no Pod can be given a network now; absent: it can. */
  readonly networkProblem?: string;
}

/** What happened to one Pod in this process. Lost with it: the runtime and the API's status hold the rest. */
export interface PodMemory {
  readonly firstSeenAt: Instant;
  /** When this kubelet began to end the Pod, and when its grace is over. */
  readonly termination?: Termination;
  readonly volumes: Outcome;
  /** When volumes that are there must be brought up to date: a token is old, or an object has changed. */
  readonly refreshAt?: Instant;
  readonly sandbox: Outcome;
  /** By container name: what became of the image. */
  readonly images: ReadonlyMap<string, Outcome>;
  /** By container name: the last attempt to create and start it, where it failed. */
  readonly starts: ReadonlyMap<string, Failure>;
  /** By container name. */
  readonly crashes: ReadonlyMap<string, BackOff>;
  /** By container id. */
  readonly probes: ReadonlyMap<string, ProbeResults>;
  /** By container id: what the runtime was told last, where that is not what the container was made with. */
  readonly actuated: ReadonlyMap<string, V1ResourceRequirements>;
  /** Ids of containers that are ended to be started again, however they end. */
  readonly restarting: ReadonlySet<string>;
  /** Absent: the Pod has what it asks for. */
  readonly resize?: ResizeMemory;
  /** Ids of containers whose postStart hook has not ended yet: alive, but not yet started. */
  readonly starting: ReadonlySet<string>;
  /** Nothing of the Pod is left on this node but dead containers. */
  readonly isTornDown: boolean;
  /** The API server was told to drop the object; its watch will say that it did. */
  readonly isDeleteSent: boolean;
}

/** A change of resources that waits for room, or has not reached the containers yet. */
export interface ResizeMemory {
  /** Why the specification's resources are not granted. */
  readonly pending?: PendingResize;
  /** Generation of the Pod that was granted last, until the containers have it. */
  readonly granted?: number;
  /** Why they do not. */
  readonly error?: string;
}

export interface PendingResize {
  readonly reason: "Deferred" | "Infeasible";
  readonly message: string;
  readonly generation: number;
}

export interface Termination {
  readonly since: Instant;
  readonly reason: TerminationReason;
  /** Of an eviction: what the status says, and how long the containers have. */
  readonly eviction?: Eviction;
}

/** What an evicted Pod's status says. */
export interface Eviction {
  readonly message: string;
  /** 0: killed at once. */
  readonly graceSeconds: number;
}

/** Why a Pod that the API server still has must end. */
export type TerminationReason = "deleted" | "finished" | "deadline" | "gone" | "evicted";

/** What became of something that is done once, and repeated while it fails. */
export type Outcome =
  | { readonly kind: "none" }
  | { readonly kind: "done"; readonly value: string }
  | ({ readonly kind: "failed" } & Failure);

export interface Failure {
  /** `ErrImagePull`, `CreateContainerConfigError`: the waiting reason. */
  readonly reason: string;
  readonly message: string;
  readonly at: Instant;
  readonly retryAt: Instant;
}

/** Absent: not known yet. */
export interface ProbeResults {
  readonly startup?: boolean;
  readonly readiness?: boolean;
  readonly liveness?: boolean;
}

export const nothing: Outcome = { kind: "none" };

/** The memory of a Pod that was just seen. */
export function freshMemory(now: Instant): PodMemory {
  return {
    firstSeenAt: now,
    volumes: nothing,
    sandbox: nothing,
    images: new Map(),
    starts: new Map(),
    crashes: new Map(),
    probes: new Map(),
    actuated: new Map(),
    restarting: new Set(),
    starting: new Set(),
    isTornDown: false,
    isDeleteSent: false,
  };
}
