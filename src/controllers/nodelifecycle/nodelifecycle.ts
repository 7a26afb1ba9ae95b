import { formatTime, type Instant } from "../../base/clock.ts";
import { keyOf } from "../../api/machinery/object.ts";
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pod.ts";
import type { Plan, PlannedEvent, PlannedWrite } from "../../reconciler/controller.ts";
import { equalStored } from "../../api/machinery/equality.ts";
import type { NodeConditions } from "../../reconciler/node-state.ts";
import { isPodReady } from "../../reconciler/pod-state.ts";
import { evictionTaintOf, isEvicting, wantedTaints } from "./node-taints.ts";

/** Silence before a node counts as lost. @spec --node-monitor-grace-period. Doubling doubles how long traffic goes to a dead node. */
export const GRACE_MS = 40_000;
/** The same for a node that has not posted a status yet. @spec --node-startup-grace-period */
export const STARTUP_GRACE_MS = 60_000;

/** Conditions that a kubelet posts; NetworkUnavailable is the control plane's own. */
const POSTED = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/**
 * `aliveAt`: when its Lease or status last moved, by our clock. `mayEvictAt`: when its zone may begin to evict one more
 * node. `pods`: those bound to it; only asked for when it is silent.
 */
export interface Observed {
  readonly node: Node;
  readonly aliveAt: Instant;
  readonly mayEvictAt: Instant;
  readonly isNew: boolean;
  readonly pods: readonly Pod[];
}

/** What became of one node, for the loop's own pace. */
export interface NodePlan {
  readonly plan: Plan;
  readonly beginsEviction: boolean;
}

/**
 * 1. A silent node's posted conditions become Unknown. 2. Taints follow conditions; the evicting one as the zone allows.
 * 3. Ready Pods of a node that fell silent are marked not ready.
 * @spec k8s@1.36 pkg/controller/nodelifecycle/node_lifecycle_controller.go monitorNodeHealth
 */
export function planNode(observed: Observed, now: Instant): NodePlan {
  const { node, aliveAt, mayEvictAt, pods } = observed;
  const old = node.status?.conditions ?? [];
  const graceMs = old.some(({ type }) => type === "Ready") ? GRACE_MS : STARTUP_GRACE_MS;
  const isSilent = now >= aliveAt + graceMs;
  const conditions = isSilent ? silenced(node, old, now) : old;
  const readiness = conditions.find(({ type }) => type === "Ready")?.status;
  // Before its first status a node has no readiness to act on.
  const isIll = readiness !== undefined && evictionTaintOf(readiness) !== undefined;
  const isTainted = isEvicting(node);
  const mayEvict = isTainted ? mayEvictAt !== Infinity : now >= mayEvictAt;
  const taints = wantedTaints(node, conditions, isIll && mayEvict, now);
  const lost = isSilent ? pods.filter(isPodReady) : [];
  const taintWrites = equalStored(taints, node.spec?.taints) ? [] : [taintWrite(node, taints)];
  const wakes = [
    ...(isSilent ? [] : [aliveAt + graceMs]),
    ...(isIll && !mayEvict && mayEvictAt !== Infinity ? [mayEvictAt] : []),
  ];
  const plan: Plan = {
    writes: [...taintWrites, ...lost.map((pod) => notReady(pod, now))],
    ...(isSilent && { status: { ...node.status, conditions } }),
    events: [
      ...nodeEvents(observed, isSilent),
      ...lost.map((pod, index) => podEvent(pod, taintWrites.length + index)),
    ],
    ...(wakes.length && { wakeAt: Math.min(...wakes) }),
  };
  return { plan, beginsEviction: isIll && mayEvict && !isTainted };
}

function silenced(node: Node, old: NodeConditions, now: Instant): NodeConditions {
  const since = formatTime(now);
  const changed = old.map((condition) =>
    POSTED.includes(condition.type) && condition.status !== "Unknown"
      ? {
          ...condition,
          status: "Unknown",
          reason: "NodeStatusUnknown",
          message: "Kubelet stopped posting node status.",
          lastTransitionTime: since,
        }
      : condition,
  );
  const absent = POSTED.filter((type) => !old.some((condition) => condition.type === type));
  const added = absent.map((type) => ({
    type,
    status: "Unknown",
    reason: "NodeStatusNeverUpdated",
    message: "Kubelet never posted node status.",
    lastHeartbeatTime: node.metadata?.creationTimestamp ?? since,
    lastTransitionTime: since,
  }));
  return [...changed, ...added];
}

function taintWrite(node: Node, taints: NonNullable<Node["spec"]>["taints"]): PlannedWrite {
  const { taints: _old, ...spec } = node.spec ?? {};
  const object = { ...node, spec: { ...spec, ...(taints?.length && { taints }) } };
  return { verb: "update", kind: Node, object };
}

function notReady(pod: Pod, now: Instant): PlannedWrite {
  const condition = { type: "Ready", status: "False", lastTransitionTime: formatTime(now) };
  return {
    verb: "patch",
    kind: Pod,
    key: keyOf(pod),
    type: "strategic",
    subresource: "status",
    ifUid: pod.metadata?.uid ?? "",
    patch: { status: { conditions: [condition] } },
  };
}

function nodeEvents({ node, isNew }: Observed, isSilent: boolean): PlannedEvent[] {
  const name = node.metadata?.name;
  const wasReady = node.status?.conditions?.some(
    ({ type, status }) => type === "Ready" && status === "True",
  );
  return [
    ...(isNew
      ? [normal("RegisteredNode", `Node ${name} event: Registered Node ${name} in Controller`)]
      : []),
    ...(isSilent && wasReady
      ? [normal("NodeNotReady", `Node ${name} status is now: NodeNotReady`)]
      : []),
  ];
}

function normal(reason: string, message: string): PlannedEvent {
  return { type: "Normal", reason, message };
}

function podEvent(pod: Pod, afterWrite: number): PlannedEvent {
  const regarding = { ...pod, apiVersion: "v1", kind: "Pod" };
  const message = "Node is not ready";
  return { type: "Warning", reason: "NodeNotReady", message, regarding, afterWrite };
}
