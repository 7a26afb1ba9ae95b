import type { V1Container } from "../../gen/types.ts";
import { newest, type ContainerState, type SandboxState } from "../runtime/pod-runtime.ts";
import { appContainers, initContainers, isSidecar, shouldRestart } from "../runtime/pod-spec.ts";
import { hasStarted } from "../status/container-status.ts";
import { again, anew, type Candidate } from "./candidate.ts";
import type { ObservedPod } from "./observed.ts";

/** What the init containers ask for. */
export interface InitPlan {
  /** The app containers may run. */
  readonly isInitialized: boolean;
  readonly candidates: readonly Candidate[];
}

/**
 * One init container after the other; a sidecar lets the next go when it has started, and is kept running for ever.
 *
 * They run again in every new sandbox. Once an app container exists in it, they are done, whatever became of their remains.
 * @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_container.go computeInitContainerActions
 */
export function planInit(observed: ObservedPod, sandbox: SandboxState | undefined): InitPlan {
  const { pod, runtime } = observed;
  const hasAppRun =
    sandbox !== undefined &&
    appContainers(pod).some(({ name }) => newest(runtime, name)?.sandboxId === sandbox.id);
  const candidates: Candidate[] = [];
  for (const container of initContainers(pod)) {
    const latest = newest(runtime, container.name);
    const current = latest?.sandboxId === sandbox?.id ? latest : undefined;
    const verdict = isSidecar(container)
      ? judgeSidecar(observed, container, current, latest)
      : hasAppRun
        ? PASSED
        : judge(observed, container, current, latest);
    if (verdict.candidate) candidates.push(verdict.candidate);
    if (!verdict.isPassed && !hasAppRun) return { isInitialized: false, candidates };
  }
  return { isInitialized: true, candidates };
}

interface Verdict {
  /** The next one may go. */
  readonly isPassed: boolean;
  readonly candidate?: Candidate;
}

const PASSED: Verdict = { isPassed: true };
const WAIT: Verdict = { isPassed: false };

function first(container: V1Container, latest: ContainerState | undefined): Candidate {
  return { container, restartCount: latest ? latest.restartCount + 1 : 0 };
}

function judge(
  { pod }: ObservedPod,
  container: V1Container,
  current: ContainerState | undefined,
  latest: ContainerState | undefined,
): Verdict {
  if (!current) return { isPassed: false, candidate: first(container, latest) };
  if (current.state === "created") return { isPassed: false, candidate: anew(container, current) };
  if (current.state !== "exited") return WAIT;
  if (current.exitCode === 0) return PASSED;
  return shouldRestart(pod, container, current.exitCode)
    ? { isPassed: false, candidate: again(container, current) }
    : WAIT;
}

function judgeSidecar(
  observed: ObservedPod,
  container: V1Container,
  current: ContainerState | undefined,
  latest: ContainerState | undefined,
): Verdict {
  if (!current) return { isPassed: false, candidate: first(container, latest) };
  if (current.state === "created") return { isPassed: false, candidate: anew(container, current) };
  if (current.state === "running") return hasStarted(observed, container, current) ? PASSED : WAIT;
  return { isPassed: false, candidate: again(container, current) };
}
