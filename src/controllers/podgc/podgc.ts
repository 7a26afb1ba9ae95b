import { formatTime, type Instant } from "../../base/clock.ts";
import { formatKey, keyOf, parseKey } from "../../api/machinery/object.ts";
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pod.ts";
import type { Cache } from "../../client/cache.ts";
import type { Plan, PlannedWrite } from "../../reconciler/controller.ts";
import { readinessOf } from "../../reconciler/node-state.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { isPodTerminal } from "../../reconciler/pod-state.ts";
import type { Loop } from "../../reconciler/runner.ts";
import { fixedKinds } from "../../reconciler/served-kinds.ts";

/** A node that is missing for so long is gone. @spec gc_controller.go quarantineTime. Doubling delays the replacement of its Pods. */
const QUARANTINE_MS = 40_000;
/** Ended Pods that are kept. @spec kube-controller-manager --terminated-pod-gc-threshold. Doubling doubles their memory. */
const TERMINATED_MAX = 12_500;
/** Deletes of one step. Bounds what ends of many Pods put on the server at once. */
const STEP_DELETES_MAX = 500;
const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";

/** The key that stands for "all Pods that have ended". No Pod's key is without a slash. */
const TERMINATED = "terminated";

/** `missingSince`: when the Pod's node was first found missing; `undefined`: it is there, or the Pod has none. */
export interface Observed {
  readonly pod: Pod;
  readonly node: Node | undefined;
  readonly missingSince: Instant | undefined;
}

/**
 * Removes Pods that nobody else will: of nodes that are gone, ending without a node, ending on a node out of service,
 * and the oldest of too many that have ended.
 *
 * @spec k8s@1.36 pkg/controller/podgc/gc_controller.go
 */
export function podGcLoop(cache: Cache, terminatedMax = TERMINATED_MAX): Loop {
  const missing = new Map<string, Instant>();
  return {
    name: "pod-garbage-collector-controller",
    kinds: fixedKinds([Pod, Node]),
    keysOf({ kind, key, object }) {
      if (kind === Node) {
        const isOn = (pod: Pod): boolean => pod.spec?.nodeName === key.name;
        if (object) missing.delete(key.name);
        if (object && !isOutOfService(object as Node)) return [];
        return cache.list(Pod, { where: isOn }).map((pod) => formatKey(keyOf(pod)));
      }
      const pod = object as Pod | undefined;
      if (!pod) return [];
      if (isPodTerminal(pod)) return [formatKey(key), TERMINATED];
      return isAtHome(cache, pod) ? [] : [formatKey(key)];
    },
    decide(text, now) {
      if (text === TERMINATED) {
        return { plan: planTerminated(cache.list(Pod, { where: isPodTerminal }), terminatedMax) };
      }
      const pod = cache.get(Pod, parseKey(text));
      if (!pod) return undefined;
      const name = pod.spec?.nodeName ?? "";
      const node = cache.get(Node, { namespace: "", name });
      if (node || name === "") missing.delete(name);
      else if (!missing.has(name)) missing.set(name, now);
      return { plan: plan({ pod, node, missingSince: missing.get(name) }, now) };
    },
  };
}

/** True for most Pods most of the time: there is nothing to look for until the node changes. */
function isAtHome(cache: Cache, pod: Pod): boolean {
  const name = pod.spec?.nodeName ?? "";
  if (name === "") return !isBeingDeleted(pod);
  const node = cache.get(Node, { namespace: "", name });
  return node !== undefined && !isOutOfService(node);
}

/** One Pod; pure. */
export function plan({ pod, node, missingSince }: Observed, now: Instant): Plan {
  const hasNode = (pod.spec?.nodeName ?? "") !== "";
  if (!hasNode) return isBeingDeleted(pod) ? { writes: ended(pod) } : {};
  if (missingSince !== undefined) {
    const at = missingSince + QUARANTINE_MS;
    if (now < at) return { wakeAt: at };
    return { writes: ended(pod, disruption(pod, "PodGC: node no longer exists", now)) };
  }
  const isStuck = node && isOutOfService(node) && readinessOf(node) !== "True";
  return isStuck && isBeingDeleted(pod) ? { writes: ended(pod) } : {};
}

/** Of too many ended Pods the oldest, those that were evicted first; pure. */
export function planTerminated(ended: readonly Pod[], terminatedMax: number): Plan {
  const surplus = Math.min(ended.length - terminatedMax, STEP_DELETES_MAX);
  if (surplus <= 0) return {};
  const rankOf = ({ metadata, status }: Pod): string =>
    `${status?.reason === "Evicted" ? 0 : 1} ${metadata?.creationTimestamp} ${metadata?.name}`;
  const oldest = [...ended].sort((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1)).slice(0, surplus);
  return { writes: oldest.map(forcedDelete) };
}

function isOutOfService(node: Node): boolean {
  return node.spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE) ?? false;
}

function forcedDelete(pod: Pod): PlannedWrite {
  const ifUid = pod.metadata?.uid ?? "";
  return { verb: "delete", kind: Pod, key: keyOf(pod), ifUid, graceSeconds: 0 };
}

/** Failed, if it has not ended by itself, and gone. @spec gc_controller.go markFailedAndDeletePodWithCondition */
function ended(pod: Pod, condition?: object): PlannedWrite[] {
  if (isPodTerminal(pod)) return [forcedDelete(pod)];
  return [
    {
      verb: "patch",
      kind: Pod,
      key: keyOf(pod),
      type: "strategic",
      subresource: "status",
      ifUid: pod.metadata?.uid ?? "",
      patch: { status: { phase: "Failed", ...(condition && { conditions: [condition] }) } },
    },
    forcedDelete(pod),
  ];
}

/** Says why, for whoever counts the Pod's end (Jobs do). */
function disruption(pod: Pod, message: string, now: Instant): object {
  return {
    type: "DisruptionTarget",
    status: "True",
    reason: "DeletionByPodGC",
    message,
    ...(pod.metadata?.generation && { observedGeneration: pod.metadata.generation }),
    lastTransitionTime: formatTime(now),
  };
}
