import { firstBy } from "../../base/first-by.ts";
import { parseTime, type Instant } from "../../base/clock.ts";
import type { V1ContainerStatus, V1Pod } from "../../gen/types.ts";
import { translateTimestampSince } from "../machinery/human-duration.ts";
import type { Column } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn, wide } from "../strategy/columns.ts";

/** @spec k8s@1.36 printers.go printPod */
export const podColumns: readonly Column<V1Pod>[] = [
  nameColumn(),
  textColumn("Ready", "How many of the pod's containers are ready", formatReady),
  textColumn("Status", "What the pod does, or why it does not", podReason),
  textColumn("Restarts", "How often containers were restarted, and when last", formatRestarts),
  ageColumn(),
  wide(textColumn("IP", "Address of the pod", (pod) => pod.status?.podIPs?.[0]?.ip || "<none>")),
  wide(textColumn("Node", "Node that runs the pod", (pod) => pod.spec?.nodeName || "<none>")),
  wide(
    textColumn(
      "Nominated Node",
      "Node on which room is being made",
      (pod) => pod.status?.nominatedNodeName || "<none>",
    ),
  ),
  wide(textColumn("Readiness Gates", "How many readiness gates are open", formatGates)),
];

/** The word in the STATUS column: phase, reason of a container, or `Terminating`. */
export function podReason(pod: V1Pod): string {
  if (pod.metadata?.deletionTimestamp) {
    if (pod.status?.reason === "NodeLost") return "Unknown";
    if (!isTerminal(pod)) return "Terminating";
  }
  const blocking = blockingInit(pod);
  if (blocking === undefined) return mainReason(pod, baseReason(pod));
  const reason = initReason(pod, blocking.index, blocking.status);
  return isTrue(pod, "Initialized") ? mainReason(pod, reason) : reason;
}

function isTerminal(pod: V1Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

/** Phase, the pod's own reason, or that it waits at its scheduling gates. */
function baseReason(pod: V1Pod): string {
  const isGated = pod.status?.conditions?.some(
    ({ type, reason }) => type === "PodScheduled" && reason === "SchedulingGated",
  );
  return isGated ? "SchedulingGated" : pod.status?.reason || pod.status?.phase || "";
}

interface BlockingInit {
  readonly index: number;
  readonly status: V1ContainerStatus;
}

/** The first init container that has neither succeeded nor, being a sidecar, started. */
function blockingInit(pod: V1Pod): BlockingInit | undefined {
  const statuses = pod.status?.initContainerStatuses ?? [];
  const sidecars = sidecarNames(pod);
  const index = statuses.findIndex(
    (status) =>
      status.state?.terminated?.exitCode !== 0 &&
      !(status.started === true && sidecars.has(status.name)),
  );
  const status = statuses[index];
  return status && { index, status };
}

function initReason(pod: V1Pod, index: number, { state }: V1ContainerStatus): string {
  const { terminated, waiting } = state ?? {};
  if (terminated) return `Init:${terminated.reason || exitText(terminated)}`;
  if (waiting?.reason && waiting.reason !== "PodInitializing") return `Init:${waiting.reason}`;
  return `Init:${index}/${pod.spec?.initContainers?.length ?? 0}`;
}

function mainReason(pod: V1Pod, initial: string): string {
  let reason = initial;
  let hasRunning = false;
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    const { waiting, terminated, running } = status.state ?? {};
    if (waiting?.reason) reason = waiting.reason;
    else if (terminated) reason = terminated.reason || exitText(terminated);
    else if (status.ready && running) hasRunning = true;
  }
  if (reason !== "Completed" || !hasRunning) return reason;
  return isTrue(pod, "Ready") ? "Running" : "NotReady";
}

function exitText({ signal, exitCode }: { signal?: number; exitCode: number }): string {
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

function isTrue(pod: V1Pod, condition: string): boolean {
  return (pod.status?.conditions ?? []).some(
    ({ type, status }) => type === condition && status === "True",
  );
}

function sidecarNames({ spec }: V1Pod): ReadonlySet<string> {
  const inits = spec?.initContainers ?? [];
  return new Set(inits.filter((c) => c.restartPolicy === "Always").map(({ name }) => name));
}

/** Init containers up to the one that blocks, and whether the containers proper count. */
function progress(pod: V1Pod): { inits: readonly V1ContainerStatus[]; isPastInit: boolean } {
  const statuses = pod.status?.initContainerStatuses ?? [];
  const blocking = blockingInit(pod);
  return {
    inits: blocking === undefined ? statuses : statuses.slice(0, blocking.index + 1),
    isPastInit: blocking === undefined || isTrue(pod, "Initialized"),
  };
}

/** Sidecars count among the containers. */
function formatReady(pod: V1Pod): string {
  const { inits, isPastInit } = progress(pod);
  const names = sidecarNames(pod);
  const sidecars = (pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === "Always");
  const ready = [
    ...inits.filter(({ name, ready, started }) => ready && started && names.has(name)),
    ...(isPastInit ? (pod.status?.containerStatuses ?? []) : []).filter(
      ({ ready, state }) => ready && state?.running,
    ),
  ];
  return `${ready.length}/${(pod.spec?.containers?.length ?? 0) + sidecars.length}`;
}

/** While a pod initializes, the restarts of init containers count; afterwards those of sidecars and containers. */
function formatRestarts(pod: V1Pod, now: Instant): string {
  const { inits, isPastInit } = progress(pod);
  const names = sidecarNames(pod);
  const counted = isPastInit
    ? [...inits.filter(({ name }) => names.has(name)), ...(pod.status?.containerStatuses ?? [])]
    : inits;
  const restarts = counted.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const last = lastFinish(counted);
  return restarts === 0 || last === undefined
    ? String(restarts)
    : `${restarts} (${translateTimestampSince(last, now)} ago)`;
}

/** When the latest of the former instances ended. */
function lastFinish(statuses: readonly V1ContainerStatus[]): string | undefined {
  const times = statuses.flatMap(({ lastState }) => lastState?.terminated?.finishedAt || []);
  return times.sort((a, b) => parseTime(b) - parseTime(a))[0];
}

function formatGates(pod: V1Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const conditions = firstBy(pod.status?.conditions, ({ type }) => type);
  const open = gates.filter(
    ({ conditionType }) => conditions.get(conditionType)?.status === "True",
  );
  return `${open.length}/${gates.length}`;
}
