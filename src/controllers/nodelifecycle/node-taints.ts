import { formatTime, type Instant } from "../../base/clock.ts";
import type { Node } from "../../api/core/node.ts";
import { taintId, type NodeConditions, type Taint } from "../../reconciler/node-state.ts";

const NOT_READY = "node.kubernetes.io/not-ready";
const UNREACHABLE = "node.kubernetes.io/unreachable";
const UNSCHEDULABLE = "node.kubernetes.io/unschedulable";

/** Which condition with which status means which NoSchedule taint. @spec nodeConditionToTaintKeyStatusMap */
const BY_CONDITION: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: NOT_READY, Unknown: UNREACHABLE },
  MemoryPressure: { True: "node.kubernetes.io/memory-pressure" },
  DiskPressure: { True: "node.kubernetes.io/disk-pressure" },
  NetworkUnavailable: { True: "node.kubernetes.io/network-unavailable" },
  PIDPressure: { True: "node.kubernetes.io/pid-pressure" },
};

/** Taints that are ours to set and to take away. */
const OWN = new Set([
  ...Object.values(BY_CONDITION).flatMap((byStatus) =>
    Object.values(byStatus).map((key) => taintId({ key, effect: "NoSchedule" })),
  ),
  taintId({ key: UNSCHEDULABLE, effect: "NoSchedule" }),
  taintId({ key: NOT_READY, effect: "NoExecute" }),
  taintId({ key: UNREACHABLE, effect: "NoExecute" }),
]);

/** The NoExecute taint that a node's readiness asks for; `undefined`: none. */
export function evictionTaintOf(readiness: string): string | undefined {
  return BY_CONDITION.Ready![readiness];
}

/** True when the node has one of the two taints that evict because of its readiness. */
export function isEvicting(node: Node): boolean {
  return (node.spec?.taints ?? []).some(
    ({ key, effect }) => effect === "NoExecute" && (key === NOT_READY || key === UNREACHABLE),
  );
}

/**
 * The taints that a node must have, given its conditions: others' are kept, ours that stay keep their time.
 *
 * @param evicts whether a NoExecute taint may be there.
 * @spec k8s@1.36 pkg/controller/nodelifecycle doNoScheduleTaintingPass, processTaintBaseEviction
 */
export function wantedTaints(
  node: Node,
  conditions: NodeConditions,
  evicts: boolean,
  now: Instant,
): readonly Taint[] {
  const keys = conditions.flatMap(({ type, status }) => BY_CONDITION[type]?.[status] ?? []);
  if (node.spec?.unschedulable) keys.push(UNSCHEDULABLE);
  const readiness = conditions.find(({ type }) => type === "Ready")?.status ?? "Unknown";
  const evicting = evicts ? evictionTaintOf(readiness) : undefined;
  const wanted = [
    ...keys.map((key): Taint => ({ key, effect: "NoSchedule" })),
    ...(evicting ? [{ key: evicting, effect: "NoExecute" }] : []),
  ];
  const wantedIds = new Set(wanted.map(taintId));
  const current = node.spec?.taints ?? [];
  const currentIds = new Set(current.map(taintId));
  const kept = current.filter((taint) => !OWN.has(taintId(taint)) || wantedIds.has(taintId(taint)));
  const timeAdded = formatTime(now);
  const fresh = wanted.filter((taint) => !currentIds.has(taintId(taint)));
  return [...kept, ...fresh.map((taint) => ({ ...taint, timeAdded }))];
}
