import type { Clock, Timer } from "../../base/clock.ts";
import type { V1Container, V1Pod, V1Probe } from "../../gen/types.ts";
import type { ProbeResults } from "../plan/observed.ts";
import { afterAnswer, freshProbe, type ProbeState } from "./probe-state.ts";

export type ProbeKind = "startup" | "liveness" | "readiness";

/** One container that is to be probed while it runs. */
export interface ProbedContainer {
  readonly id: string;
  readonly startedAt: number;
  readonly spec: V1Container;
  /** What is known already: from before this kubelet, or from its own earlier look. */
  readonly known?: ProbeResults;
}

/** What one question found. `output`: the text of the event. */
export interface ProbeAnswer {
  readonly isSuccess: boolean;
  /** It could not be asked at all (no runtime, no such program or port): that says nothing of the container. */
  readonly isError?: true;
  readonly output: string;
}

/** Asks once. Never throws. */
export type Ask = (pod: V1Pod, container: ProbedContainer, probe: V1Probe) => Promise<ProbeAnswer>;

/** What the prober tells. */
export interface ProbeListener {
  /** A verdict of the container changed. */
  onResults(containerId: string, results: ProbeResults): void;
  /** Every answer of the container. */
  onAnswer(kind: ProbeKind, container: string, isSuccess: boolean, seconds: number): void;
  /** One answer was bad, or none could be had. `words`: what happened to the probe. */
  onFailure(kind: ProbeKind, container: ProbedContainer, words: string): void;
}

const PERIOD_SECONDS_DEFAULT = 10;

interface Running {
  readonly container: ProbedContainer;
  readonly timers: Map<ProbeKind, Timer>;
  readonly states: Map<ProbeKind, ProbeState>;
  isStopped: boolean;
}

/**
 * Probes the containers of one Pod: each kind on a timer of its own, liveness and readiness once startup has succeeded.
 *
 * An error of the probe itself changes no verdict: a runtime that is away for a moment must neither restart containers nor take
 * Pods out of their Services.
 * @spec k8s@1.36 pkg/kubelet/prober/prober_manager.go, prober.go, worker.go
 */
export class Prober {
  readonly #clock: Clock;
  readonly #ask: Ask;
  readonly #listener: ProbeListener;
  readonly #running = new Map<string, Running>();
  #pod: V1Pod;

  constructor(clock: Clock, pod: V1Pod, ask: Ask, listener: ProbeListener) {
    this.#clock = clock;
    this.#pod = pod;
    this.#ask = ask;
    this.#listener = listener;
  }

  /** Probes exactly these containers from now on. */
  set(pod: V1Pod, containers: readonly ProbedContainer[]): void {
    this.#pod = pod;
    for (const [id, running] of this.#running)
      if (!containers.some((container) => container.id === id)) this.#stop(id, running);
    for (const container of containers)
      if (!this.#running.has(container.id)) this.#start(container);
  }

  close(): void {
    for (const [id, running] of this.#running) this.#stop(id, running);
  }

  #start(container: ProbedContainer): void {
    const { startup, readiness } = container.known ?? {};
    const known: readonly (readonly [ProbeKind, boolean | undefined])[] = [
      ["startup", startup],
      ["readiness", readiness],
    ];
    const running: Running = {
      container,
      timers: new Map(),
      states: new Map(known.map(([kind, verdict]) => [kind, { ...freshProbe, verdict }])),
      isStopped: false,
    };
    this.#running.set(container.id, running);
    if (container.spec.startupProbe && !startup)
      this.#begin(running, "startup", container.spec.startupProbe);
    else this.#beginOthers(running);
  }

  #stop(id: string, running: Running): void {
    running.isStopped = true;
    for (const timer of running.timers.values()) timer.cancel();
    this.#running.delete(id);
  }

  #beginOthers(running: Running): void {
    const { livenessProbe, readinessProbe } = running.container.spec;
    if (livenessProbe) this.#begin(running, "liveness", livenessProbe);
    if (readinessProbe) this.#begin(running, "readiness", readinessProbe);
  }

  /** The initial delay counts from the container's start. */
  #begin(running: Running, kind: ProbeKind, probe: V1Probe): void {
    const delayMs = (probe.initialDelaySeconds ?? 0) * 1000;
    const restMs = running.container.startedAt + delayMs - this.#clock.now();
    // A start that lies in the future is of a clock that was set back since.
    this.#schedule(running, kind, probe, Math.min(restMs, delayMs));
  }

  #schedule(running: Running, kind: ProbeKind, probe: V1Probe, delayMs: number): void {
    if (running.isStopped) return;
    const timer = this.#clock.after(
      Math.max(0, delayMs),
      () => void this.#run(running, kind, probe),
    );
    running.timers.set(kind, timer);
  }

  async #run(running: Running, kind: ProbeKind, probe: V1Probe): Promise<void> {
    const periodMs = (probe.periodSeconds ?? PERIOD_SECONDS_DEFAULT) * 1000;
    const begun = this.#clock.monotonic();
    const { isSuccess, isError, output } = await this.#ask(this.#pod, running.container, probe);
    if (running.isStopped) return;
    const askAgain = (): void =>
      this.#schedule(running, kind, probe, periodMs - (this.#clock.monotonic() - begun));
    if (isError) {
      const words = `errored and resulted in unknown state: ${output}`;
      this.#listener.onFailure(kind, running.container, words);
      return askAgain();
    }
    const seconds = (this.#clock.monotonic() - begun) / 1000;
    this.#listener.onAnswer(kind, running.container.spec.name, isSuccess, seconds);
    if (!isSuccess) this.#listener.onFailure(kind, running.container, `failed: ${output}`);
    const old = running.states.get(kind) ?? freshProbe;
    const next = afterAnswer(old, isSuccess, probe);
    running.states.set(kind, next);
    if (next.verdict !== old.verdict) this.#tell(running);
    const isOver = kind === "startup" && next.verdict === true;
    if (isOver) this.#beginOthers(running);
    else askAgain();
  }

  #tell({ container, states }: Running): void {
    const results: Record<string, boolean> = {};
    for (const [kind, { verdict }] of states) if (verdict !== undefined) results[kind] = verdict;
    this.#listener.onResults(container.id, results);
  }
}
