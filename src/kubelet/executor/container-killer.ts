import { sleep } from "../../base/clock.ts";
import type { Step } from "../plan/step.ts";
import { containerNamed } from "../runtime/pod-spec.ts";
import { podIpsOf } from "./container-starter.ts";
import { runHook } from "./hooks.ts";
import type { StepContext, StepTools } from "./step-context.ts";

type KillStep = Extract<Step, { kind: "killContainer" }>;

/** Seconds left for the signal when the hook has used the grace up. @spec kuberuntime minimumGracePeriodInSeconds */
const SIGNAL_SECONDS_MIN = 2;

/**
 * Ends one container: its preStop hook inside of the grace, its stop signal, and when the grace is over SIGKILL.
 *
 * @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_container.go killContainer
 */
export async function killContainer(
  step: KillStep,
  context: StepContext,
  tools: StepTools,
): Promise<void> {
  const { cri, clock, recorder } = tools;
  recorder.pod(context.pod, "Normal", "Killing", step.message, step.container);
  const begun = clock.monotonic();
  if (step.runsPreStop && step.graceSeconds > 1) await preStop(step, context, tools);
  const usedSeconds = (clock.monotonic() - begun) / 1000;
  const left = Math.round(step.graceSeconds - usedSeconds);
  const least = Math.min(step.graceSeconds, SIGNAL_SECONDS_MIN);
  await cri.stopContainer(step.id, Math.max(left, least));
}

async function preStop(step: KillStep, context: StepContext, tools: StepTools): Promise<void> {
  const { pod, runtime } = context;
  const container = containerNamed(pod, step.container);
  const handler = container?.lifecycle?.preStop;
  if (!container || !handler) return;
  const [podIp = ""] = podIpsOf(pod, runtime, tools.nodeIps);
  const abort = new AbortController();
  const hook = runHook(tools.cri, tools.clock, container, step.id, podIp, handler).catch(() =>
    tools.recorder.pod(pod, "Warning", "FailedPreStopHook", "PreStopHook failed", step.container),
  );
  const graceMs = step.graceSeconds * 1000;
  await Promise.race([hook, sleep(tools.clock, graceMs, abort.signal).catch(() => {})]);
  abort.abort();
}
