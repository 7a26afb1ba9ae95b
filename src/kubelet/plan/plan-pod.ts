import { parseTime, type Instant } from "../../base/clock.ts";
import type { V1Container } from "../../gen/types.ts";
import {
  isAlive,
  newest,
  readySandbox,
  type ContainerState,
  type SandboxState,
} from "../runtime/pod-runtime.ts";
import {
  allContainers,
  appContainers,
  ephemeralContainers,
  graceSecondsOf,
  isOutdated,
  shouldRestart,
  statusNamed,
} from "../runtime/pod-spec.ts";
import { isExternal } from "../volumes/claimed-volume.ts";
import { currentPhase, startTimeOf, statusChangesAt } from "../status/pod-status.ts";
import { retryAt } from "./back-off.ts";
import { again, anew, mustRestart, type Candidate } from "./candidate.ts";
import { garbageOf } from "./garbage.ts";
import { isResizeInProgress, planResize, restartsForResize } from "./plan-resize.ts";
import { planInit } from "./plan-init.ts";
import type { ObservedPod, Outcome, TerminationReason } from "./observed.ts";
import { planTermination } from "./plan-termination.ts";
import { keyOf, type Step } from "./step.ts";

/** What to do for one Pod now. */
export interface PodPlan {
  readonly steps: readonly Step[];
  /** Plan again no later than this, even if nothing happens. */
  readonly wakeAt?: Instant;
  /** The Pod must end: remember since when, and plan again. */
  readonly terminate?: TerminationReason;
  /** Nothing is left of a Pod that the API server has no more. */
  readonly isDone?: boolean;
  /** Its sandbox waits for the node's network; this is what is wrong with that. */
  readonly networkProblem?: string;
}

/**
 * Compares what a Pod should be with what the runtime has, and says what to do next. Pure and total.
 *
 * Steps of different keys run side by side: volumes, sandbox and images do not wait for each other.
 * @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions, SyncPod
 */
export function planPod(observed: ObservedPod, now: Instant): PodPlan {
  if (observed.memory.termination || observed.isGone) return planTermination(observed, now);
  const reason = terminationReason(observed, now);
  if (reason) return { steps: [], terminate: reason };
  return planRunning(observed, now);
}

/** Why a Pod must end, or `undefined`. */
export function terminationReason(
  observed: ObservedPod,
  now: Instant,
): TerminationReason | undefined {
  const { pod } = observed;
  if (observed.isGone) return "gone";
  if (pod.metadata?.deletionTimestamp !== undefined) return "deleted";
  const deadline = deadlineOf(observed);
  const phase = currentPhase(observed, now);
  if (phase === "Succeeded" || phase === "Failed") return "finished";
  return deadline !== undefined && now >= deadline ? "deadline" : undefined;
}

function deadlineOf(observed: ObservedPod): Instant | undefined {
  const seconds = observed.pod.spec?.activeDeadlineSeconds;
  return seconds === undefined ? undefined : startTimeOf(observed) + seconds * 1000;
}

/** Collects steps and the earliest time to look again. */
class Draft {
  readonly steps: Step[] = [];
  readonly #busy: ReadonlySet<string>;
  readonly #now: Instant;
  #wakeAt = Infinity;

  constructor(busy: ReadonlySet<string>, now: Instant) {
    this.#busy = busy;
    this.#now = now;
  }

  add(step: Step): void {
    if (!this.isBusy(step)) this.steps.push(step);
  }

  isBusy(step: Step): boolean {
    return this.#busy.has(keyOf(step));
  }

  wake(at: Instant | undefined): void {
    if (at !== undefined && at > this.#now) this.#wakeAt = Math.min(this.#wakeAt, at);
  }

  /** True when the thing was not done yet and may be tried now. */
  isDue(outcome: Outcome | undefined): boolean {
    if (outcome?.kind === "failed") this.wake(outcome.retryAt);
    return outcome?.kind !== "done" && (outcome?.kind !== "failed" || outcome.retryAt <= this.#now);
  }

  plan(): PodPlan {
    return Number.isFinite(this.#wakeAt)
      ? { steps: this.steps, wakeAt: this.#wakeAt }
      : { steps: this.steps };
  }
}

function planRunning(observed: ObservedPod, now: Instant): PodPlan {
  const draft = new Draft(observed.busy, now);
  draft.wake(deadlineOf(observed));
  draft.wake(statusChangesAt(observed, now));
  planVolumes(observed, now, draft);
  const sandbox = readySandbox(observed.runtime);
  const networkProblem = sandbox ? undefined : planSandbox(observed, draft);
  if (sandbox) planKills(observed, draft);
  const resize = planResize(observed);
  if (resize) draft.add(resize);
  planStarts(observed, sandbox, now, draft);
  for (const step of garbageOf(observed)) draft.add(step);
  return networkProblem === undefined ? draft.plan() : { ...draft.plan(), networkProblem };
}

function planVolumes({ memory }: ObservedPod, now: Instant, draft: Draft): void {
  const { volumes, refreshAt = Infinity } = memory;
  if (draft.isDue(volumes) || refreshAt <= now) draft.add({ kind: "prepareVolumes" });
  else if (Number.isFinite(refreshAt)) draft.wake(refreshAt);
}

/**
 * Nothing of an earlier sandbox may run on when a new one is made; and none is made before it can be given a network.
 *
 * @returns what is wrong with the network, where the Pod waits for it.
 * @spec k8s@1.36 pkg/kubelet/kubelet.go SyncPod (NetworkNotReady)
 */
function planSandbox(
  { runtime, memory, pod, node }: ObservedPod,
  draft: Draft,
): string | undefined {
  const alive = runtime.containers.filter(isAlive);
  for (const container of alive)
    draft.add(kill(container, graceSecondsOf(pod), `Stopping container ${container.name}`, false));
  if (alive.length > 0) return undefined;
  // A Pod that may wait for its volumes for long holds no address meanwhile.
  if (memory.volumes.kind !== "done" && pod.spec?.volumes?.some(isExternal)) return undefined;
  if (node.networkProblem !== undefined && !pod.spec?.hostNetwork) return node.networkProblem;
  if (!draft.isDue(memory.sandbox)) return undefined;
  const attempt = (runtime.sandboxes[0]?.attempt ?? -1) + 1;
  draft.add({ kind: "createSandbox", attempt });
  return undefined;
}

/** Containers that must be replaced: unhealthy, or of another definition. */
function planKills(observed: ObservedPod, draft: Draft): void {
  const { pod, runtime, memory } = observed;
  const restarts = restartsForResize(observed);
  for (const container of allContainers(pod)) {
    const current = newest(runtime, container.name);
    if (!current || !isAlive(current)) continue;
    const probes = memory.probes.get(current.id);
    const own = (seconds: number | undefined): number => seconds ?? graceSecondsOf(pod);
    const end = (graceSeconds: number, why: string, isRestart = false): void => {
      const step = kill(current, graceSeconds, `Container ${container.name} ${why}`, true);
      draft.add(isRestart ? { ...step, isRestart } : step);
    };
    if (current.state === "unknown") end(graceSecondsOf(pod), "is in an unknown state");
    else if (isOutdated(container, current))
      end(graceSecondsOf(pod), "definition changed, will be restarted", true);
    else if (probes?.liveness === false)
      end(
        own(container.livenessProbe?.terminationGracePeriodSeconds),
        "failed liveness probe, will be restarted",
      );
    else if (probes?.startup === false)
      end(
        own(container.startupProbe?.terminationGracePeriodSeconds),
        "failed startup probe, will be restarted",
      );
    else if (restarts.has(current.id)) end(graceSecondsOf(pod), "resize requires restart", true);
  }
}

function kill(
  container: ContainerState,
  graceSeconds: number,
  message: string,
  runsPreStop: boolean,
): Extract<Step, { kind: "killContainer" }> {
  return {
    kind: "killContainer",
    id: container.id,
    container: container.name,
    graceSeconds,
    message,
    runsPreStop,
  };
}

function planStarts(
  observed: ObservedPod,
  sandbox: SandboxState | undefined,
  now: Instant,
  draft: Draft,
): void {
  const { memory } = observed;
  // The Pod's cgroup must have room before a larger container starts in it.
  const isWaiting = isResizeInProgress(observed) && memory.resize?.error === undefined;
  let isFirst = true;
  for (const candidate of candidatesOf(observed, sandbox)) {
    const { name } = candidate.container;
    const at = earliestStart(observed, candidate, now);
    if (at > now) {
      draft.wake(at);
      continue;
    }
    const image = memory.images.get(name);
    const ensure: Step = { kind: "ensureImage", container: name };
    if (draft.isDue(image)) draft.add(ensure);
    if (image?.kind === "failed" && image.retryAt > now) continue;
    const isComplete =
      image?.kind === "done" && memory.volumes.kind === "done" && !isWaiting && sandbox;
    if (isFirst && isComplete) draft.add(startOf(candidate, sandbox));
    isFirst = false;
  }
}

function startOf({ container, restartCount, failedAt }: Candidate, sandbox: SandboxState): Step {
  return {
    kind: "startContainer",
    container: container.name,
    sandboxId: sandbox.id,
    restartCount,
    ...(failedAt === undefined ? {} : { failedAt }),
  };
}

/** When back-off of crashes or of failed attempts lets a container start. */
function earliestStart(
  { memory }: ObservedPod,
  { container, failedAt }: Candidate,
  now: Instant,
): Instant {
  // A failure that lies in the future is of a clock that was set back since: nobody knows how long ago it was.
  const isKnown = failedAt !== undefined && failedAt <= now;
  const crash = isKnown ? retryAt(memory.crashes.get(container.name), failedAt) : 0;
  return Math.max(crash, memory.starts.get(container.name)?.retryAt ?? 0);
}

/** Which containers should be started, in order. Before the sandbox exists: those that will be first in it. */
function candidatesOf(
  observed: ObservedPod,
  sandbox: SandboxState | undefined,
): readonly Candidate[] {
  const { pod } = observed;
  const init = planInit(observed, sandbox);
  if (!init.isInitialized) return init.candidates;
  const apps = [...appContainers(pod), ...ephemeralContainers(pod)];
  return [...init.candidates, ...apps.flatMap((container) => candidate(observed, container))];
}

/** Whether an app container should be started, and as which attempt. */
function candidate(observed: ObservedPod, container: V1Container): readonly Candidate[] {
  const { pod, runtime } = observed;
  const current = newest(runtime, container.name);
  const known = statusNamed(pod, container.name);
  const isEphemeral = ephemeralContainers(pod).includes(container);
  if (!current) {
    const ended = known?.state?.terminated;
    if (ended && (isEphemeral || !shouldRestart(pod, container, ended.exitCode))) return [];
    const restartCount = known?.containerID === undefined ? 0 : known.restartCount + 1;
    const failedAt = ended?.finishedAt === undefined ? undefined : parseTime(ended.finishedAt);
    return [{ container, restartCount, ...(failedAt === undefined ? {} : { failedAt }) }];
  }
  if (current.state === "created") return [anew(container, current)];
  if (isAlive(current) || isEphemeral) return [];
  if (!mustRestart(observed, container, current)) return [];
  return [again(container, current)];
}
