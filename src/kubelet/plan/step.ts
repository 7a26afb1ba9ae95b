import type { V1ResourceRequirements } from "../../gen/types.ts";

/** What one running container gets from now on. */
export interface ResourceUpdate {
  readonly container: string;
  readonly id: string;
  readonly resources: V1ResourceRequirements;
}

/** One thing to do for a Pod. Steps with different keys run side by side; at most one of each key is in flight. */
export type Step =
  | { readonly kind: "prepareVolumes" }
  | { readonly kind: "createSandbox"; readonly attempt: number }
  | { readonly kind: "ensureImage"; readonly container: string }
  | {
      readonly kind: "startContainer";
      readonly container: string;
      readonly sandboxId: string;
      readonly restartCount: number;
      /** When the container before it ended; counts the crash. */
      readonly failedAt?: number;
    }
  | {
      readonly kind: "killContainer";
      readonly id: string;
      readonly container: string;
      readonly graceSeconds: number;
      /** The message of the event `Killing`. */
      readonly message: string;
      readonly runsPreStop: boolean;
      /** It is started again however it ends: what it was made of has changed. */
      readonly isRestart?: boolean;
    }
  | {
      /** Gives running containers and the Pod's cgroup what was granted. */
      readonly kind: "resize";
      readonly memory: readonly ResourceUpdate[];
      readonly cpu: readonly ResourceUpdate[];
      /** The Pod's, when it was granted. */
      readonly generation?: number;
    }
  | { readonly kind: "stopSandbox"; readonly id: string }
  | { readonly kind: "removeContainer"; readonly id: string }
  | { readonly kind: "removeSandbox"; readonly id: string }
  | { readonly kind: "tearDown" }
  /** Deletes the API object. */
  | { readonly kind: "finish" };

/** The step's lane: two steps of one key never run at once. */
export function keyOf(step: Step): string {
  switch (step.kind) {
    case "prepareVolumes":
    case "tearDown":
      return "volumes";
    case "createSandbox":
      return "sandbox";
    case "ensureImage":
      return `image:${step.container}`;
    case "startContainer":
      return "start";
    case "killContainer":
      return killKey(step.id, step.graceSeconds);
    case "resize":
      return "resize";
    case "stopSandbox":
    case "removeSandbox":
    case "removeContainer":
      return `remove:${step.id}`;
    case "finish":
      return "finish";
  }
}

/** A kill without grace does not wait for one with grace that is in flight. */
export function killKey(id: string, graceSeconds: number): string {
  return graceSeconds <= FORCED_GRACE_SECONDS ? `kill:${id}:forced` : `kill:${id}`;
}

/** Shortest grace. @spec k8s@1.36 pkg/kubelet/pod_workers.go calculateEffectiveGracePeriod */
export const FORCED_GRACE_SECONDS = 1;
