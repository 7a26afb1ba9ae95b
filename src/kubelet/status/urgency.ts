import type { V1ContainerStatus, V1PodStatus } from "../../gen/types.ts";

/** Waiting reasons that only say that the Pod is on its way. */
const ON_ITS_WAY = new Set(["ContainerCreating", "PodInitializing"]);
/** Conditions that say how far something is; nobody acts upon them. */
const PROGRESS = new Set(["PodReadyToStartContainers", "PodResizeInProgress"]);

/**
 * True when somebody may act upon the change from `written` to `wanted`: the phase, a condition's status, or what a
 * container does. What is left is progress: an address, a sandbox that is up, a reason to wait that is no fault.
 */
export function isUrgent(written: V1PodStatus | undefined, wanted: V1PodStatus): boolean {
  if ((written?.phase ?? "Pending") !== wanted.phase || written?.reason !== wanted.reason)
    return true;
  return (
    verdictsOf(written) !== verdictsOf(wanted) ||
    doingsOf(written?.initContainerStatuses) !== doingsOf(wanted.initContainerStatuses) ||
    doingsOf(written?.containerStatuses) !== doingsOf(wanted.containerStatuses) ||
    doingsOf(written?.ephemeralContainerStatuses) !== doingsOf(wanted.ephemeralContainerStatuses)
  );
}

/** Conditions that are true, of which somebody waits for each; an absent one is as good as a false one. */
function verdictsOf(status: V1PodStatus | undefined): string {
  return (status?.conditions ?? [])
    .filter(
      ({ type, status: is }) => is === "True" && !PROGRESS.has(type) && type !== "Initialized",
    )
    .map(({ type }) => type)
    .sort()
    .join();
}

function doingsOf(containers: readonly V1ContainerStatus[] | undefined): string {
  return (containers ?? []).map(doingOf).filter(Boolean).join();
}

/** "" for a container that is on its way. */
function doingOf({ name, state, ready, started, restartCount }: V1ContainerStatus): string {
  const { waiting, running, terminated } = state ?? {};
  if (waiting && ON_ITS_WAY.has(waiting.reason ?? "") && restartCount === 0) return "";
  const what = running ? "running" : (waiting?.reason ?? terminated?.finishedAt ?? "");
  return `${name} ${what} ${ready} ${started} ${restartCount}`;
}
