import { parseTime, type Instant } from "../../base/clock.ts";
import type { V1ContainerStatus, V1Pod } from "../../gen/types.ts";
import type { Column } from "../machinery/resource.ts";
import { ageColumn, formatAge, nameColumn, textColumn, wide } from "../strategy/columns.ts";

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
  if (pod.metadata?.deletionTimestamp && !isTerminal(pod))
    return pod.status?.reason === "NodeLost" ? "Unknown" : "Terminating";
  return initReason(pod) ?? mainReason(pod);
}

function isTerminal(pod: V1Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

/** Phase, the pod's own reason, or that it waits at its scheduling gates. */
function baseReason(pod: V1Pod): string {
  const gated = pod.status?.conditions?.some(
    ({ type, reason }) => type === "PodScheduled" && reason === "SchedulingGated",
  );
  return gated ? "SchedulingGated" : pod.status?.reason || pod.status?.phase || "";
}

/** Why initialization is not over; `undefined` when it is. */
function initReason(pod: V1Pod): string | undefined {
  const statuses = pod.status?.initContainerStatuses ?? [];
  const index = statuses.findIndex((status) => !isInitDone(pod, status));
  const blocking = statuses[index];
  if (blocking === undefined || isInitialized(pod)) return undefined;
  const { terminated, waiting } = blocking.state ?? {};
  if (terminated) return `Init:${terminated.reason || exitText(terminated)}`;
  if (waiting?.reason && waiting.reason !== "PodInitializing") return `Init:${waiting.reason}`;
  return `Init:${index}/${pod.spec?.initContainers?.length ?? 0}`;
}

function isInitDone(pod: V1Pod, status: V1ContainerStatus): boolean {
  if (status.state?.terminated?.exitCode === 0) return true;
  return isSidecar(pod, status.name) && status.started === true;
}

function isInitialized(pod: V1Pod): boolean {
  return (pod.status?.conditions ?? []).some(
    ({ type, status }) => type === "Initialized" && status === "True",
  );
}

function isSidecar(pod: V1Pod, name: string): boolean {
  return (pod.spec?.initContainers ?? []).some(
    (container) => container.name === name && container.restartPolicy === "Always",
  );
}

function mainReason(pod: V1Pod): string {
  let reason = baseReason(pod);
  let hasRunning = false;
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    const { waiting, terminated, running } = status.state ?? {};
    if (waiting?.reason) reason = waiting.reason;
    else if (terminated) reason = terminated.reason || exitText(terminated);
    else if (status.ready && running) hasRunning = true;
  }
  if (reason !== "Completed" || !hasRunning) return reason;
  return isReady(pod) ? "Running" : "NotReady";
}

function exitText({ signal, exitCode }: { signal?: number; exitCode: number }): string {
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

function isReady(pod: V1Pod): boolean {
  return (pod.status?.conditions ?? []).some(
    ({ type, status }) => type === "Ready" && status === "True",
  );
}

/** Sidecars count among the containers. */
function formatReady(pod: V1Pod): string {
  const sidecars = (pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === "Always");
  const isRunningReady = ({ ready, state }: V1ContainerStatus): boolean =>
    ready && !!state?.running;
  const sidecarStatuses = (pod.status?.initContainerStatuses ?? []).filter(
    ({ name, ready, started }) => isSidecar(pod, name) && ready && started === true,
  );
  const isInitializing = initReason(pod) !== undefined;
  const ready = isInitializing ? [] : (pod.status?.containerStatuses ?? []).filter(isRunningReady);
  const total = (pod.spec?.containers.length ?? 0) + sidecars.length;
  return `${sidecarStatuses.length + ready.length}/${total}`;
}

/** While pods initialize, the restarts of init containers count; afterwards those of sidecars and containers. */
function formatRestarts(pod: V1Pod, now: Instant): string {
  const inits = pod.status?.initContainerStatuses ?? [];
  const blocking =
    initReason(pod) === undefined ? -1 : inits.findIndex((status) => !isInitDone(pod, status));
  const counted =
    blocking >= 0
      ? inits.slice(0, blocking + 1)
      : [
          ...inits.filter(({ name }) => isSidecar(pod, name)),
          ...(pod.status?.containerStatuses ?? []),
        ];
  const restarts = counted.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const last = lastFinish(counted);
  return restarts === 0 || last === undefined
    ? String(restarts)
    : `${restarts} (${formatAge(last, now)} ago)`;
}

/** When the latest of the former instances ended. */
function lastFinish(statuses: readonly V1ContainerStatus[]): string | undefined {
  const times = statuses.flatMap(({ lastState }) => lastState?.terminated?.finishedAt || []);
  return times.sort((a, b) => parseTime(b) - parseTime(a))[0];
}

function formatGates(pod: V1Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const open = gates.filter(
    ({ conditionType }) =>
      pod.status?.conditions?.find(({ type }) => type === conditionType)?.status === "True",
  );
  return `${open.length}/${gates.length}`;
}
