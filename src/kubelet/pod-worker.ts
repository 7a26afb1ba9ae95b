import { sleep, type Clock, type Instant, type Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { equalJson } from "../api/machinery/equality.ts";
import type { V1Pod, V1PodStatus, V1ResourceRequirements } from "../gen/types.ts";
import type { EventRecorder } from "./events.ts";
import {
  freshMemory,
  type Eviction,
  type NodeFacts,
  type ObservedPod,
  type PodMemory,
} from "./plan/observed.ts";
import { clockShiftMs, shiftMemory } from "./plan/clock-shift.ts";
import type { ResizeRequest, ResizeVerdict } from "./plan/resize-verdicts.ts";
import { planPod, type PodPlan } from "./plan/plan-pod.ts";
import { remember, rememberBegin, type StepResult } from "./plan/remember.ts";
import { keyOf, type Step } from "./plan/step.ts";
import { PodSize, type AllocationStore } from "./pod-size.ts";
import type { ProbeMetrics } from "./probes/probe-metrics.ts";
import { knownResults } from "./probes/known-results.ts";
import { Prober, type Ask, type ProbedContainer } from "./probes/prober.ts";
import { isAlive, newest, type PodRuntime } from "./runtime/pod-runtime.ts";
import { allContainers } from "./runtime/pod-spec.ts";
import { RuntimeView, type RuntimeSource } from "./runtime-view.ts";
import { StepCooling } from "./step-cooling.ts";
import { withOwnStatus } from "./status/own-status.ts";
import { resizeMessage, transitionEvents } from "./status/transition-events.ts";
import { podStatus } from "./status/pod-status.ts";
import type { StatusWriter } from "./status-writer.ts";
import { showsOwnFields } from "./volumes/references.ts";

/** What a worker acts through. The real one is `executor/step-executor.ts`. */
export interface StepRunner {
  /** Resolves with the id of what was made, where the step makes a sandbox or a container. */
  run(
    step: Step,
    context: RunContext,
  ): Promise<{ readonly value?: string; readonly refreshAt?: Instant }>;
  forgetPod(pod: V1Pod): Promise<void>;
}

/** The Pod a step is run for, as it was when the step was planned. */
export interface RunContext {
  readonly pod: V1Pod;
  readonly runtime: PodRuntime;
  readonly memory: PodMemory;
  readonly isEnding: () => boolean;
  readonly onStarted: (containerId: string) => void;
  readonly onResized: (containerId: string, resources: V1ResourceRequirements) => void;
  readonly statusWritten: () => Promise<void>;
}

/** What all workers of a kubelet share. */
export interface WorkerTools {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runner: StepRunner;
  readonly runtime: RuntimeSource;
  readonly ask: (podIp: string) => Ask;
  readonly probes: ProbeMetrics;
  readonly statuses: StatusWriter;
  readonly recorder: EventRecorder;
  /** As it is now. */
  readonly node: () => NodeFacts;
  readonly allocations: AllocationStore;
  /** A Pod asks for other resources, or gives some back. */
  readonly onSize: () => void;
  /** Which container ids belong to this Pod now. */
  readonly onRuntime: (uid: string, runtime: PodRuntime) => void;
  readonly onDone: (uid: string) => void;
}

/** Pauses before each look for an exit that was announced, in ms; about 4 s in all. */
const EXIT_SHOWN_PAUSES_MS = [4, 8, 16, 32, 64, 128, 256, 512, 1000, 2000];

/**
 * Brings one Pod to where it should be: observes, plans, starts steps, and does so again whenever something happens.
 *
 * Planning is synchronous and steps run side by side, so a deletion never waits for a pull or a hook. One step of each
 * key is in flight at most; its effect on the runtime is read before the key is free again.
 */
export class PodWorker {
  readonly #tools: WorkerTools;
  readonly #uid: string;
  readonly #busy = new Set<string>();
  readonly #cooling: StepCooling;
  readonly #prober: Prober;
  readonly #size: PodSize;
  readonly #view: RuntimeView;
  /** As the API server has it; what is planned and told has the resources that were granted. */
  #pod: V1Pod;
  #status: V1PodStatus | undefined;
  #isGone = false;
  #memory: PodMemory;
  #isLoaded = false;
  #isClosed = false;
  #isPlanning = false;
  #timer: Timer | undefined;
  #toldProblem: string | undefined;
  /** Wall clock minus steady clock, as far as times in the memory go by it. */
  #clockOffsetMs: number;

  constructor(pod: V1Pod, tools: WorkerTools) {
    this.#pod = pod;
    this.#uid = pod.metadata?.uid ?? "";
    this.#tools = tools;
    this.#memory = freshMemory(tools.clock.now());
    this.#size = new PodSize(pod, tools.allocations);
    this.#view = new RuntimeView(tools.runtime, this.#uid, (runtime) =>
      tools.onRuntime(this.#uid, runtime),
    );
    this.#clockOffsetMs = tools.clock.now() - tools.clock.monotonic();
    this.#cooling = new StepCooling(tools.clock);
    this.#prober = new Prober(
      tools.clock,
      pod,
      (current, container, probe) => tools.ask(this.#podIp())(current, container, probe),
      {
        onResults: (id, results) => {
          this.#memory = {
            ...this.#memory,
            probes: new Map(this.#memory.probes).set(id, results),
          };
          this.#reconcile();
        },
        onAnswer: (kind, container, isSuccess, seconds) =>
          tools.probes.record(this.#pod, container, kind, isSuccess, seconds),
        onFailure: (kind, container, words) => {
          const title = kind[0]!.toUpperCase() + kind.slice(1);
          const message = `${title} probe ${words}`;
          tools.recorder.pod(this.#pod, "Warning", "Unhealthy", message, container.spec.name);
        },
      },
    );
  }

  get pod(): V1Pod {
    return this.#pod;
  }

  get runtime(): PodRuntime {
    return this.#view.runtime;
  }

  /** The Pod with the resources that it was granted. */
  get allocated(): V1Pod {
    return this.#size.granted;
  }

  /** Reads what the runtime already has, and begins. `isNew`: nothing can be there yet. */
  async start(isNew: boolean): Promise<void> {
    if (!isNew) {
      await this.refresh();
      const probes = knownResults(this.#pod, this.#view.runtime);
      this.#memory = this.#size.adopt(this.#view.runtime, { ...this.#memory, probes });
    }
    this.#isLoaded = true;
    if (this.#size.isOpen) this.#tools.onSize();
    this.#reconcile();
  }

  /** The API server has a newer version. */
  update(pod: V1Pod): void {
    const isResized = pod.metadata?.generation !== this.#pod.metadata?.generation;
    if (showsOwnFields(pod) && hasOtherLabels(pod, this.#pod))
      this.#memory = { ...this.#memory, refreshAt: this.#tools.clock.now() };
    this.#pod = pod;
    this.#size.update(pod);
    if (isResized && this.#isLoaded) {
      if (this.#size.isOpen) this.#tools.onSize();
      else this.#memory = this.#size.settle(this.#memory);
    }
    this.#reconcile();
  }

  get resizeRequest(): ResizeRequest | undefined {
    if (!this.#isLoaded || !this.isActive || !this.#size.isOpen) return undefined;
    return { wanted: this.#pod, allocated: this.allocated };
  }

  /** The node grants what the Pod asks for, or not. */
  decideResize(verdict: ResizeVerdict): void {
    const memory = this.#size.decide(verdict, this.#memory);
    if (memory === this.#memory) return;
    this.#memory = memory;
    const { recorder } = this.#tools;
    const generation = this.#pod.metadata?.generation;
    if (verdict.kind === "granted") {
      // Volumes may show what the containers have.
      if (memory.volumes.kind === "done")
        this.#memory = { ...memory, refreshAt: this.#tools.clock.now() };
      const message = resizeMessage(this.#pod, generation, "Pod resize started");
      recorder.pod(this.#pod, "Normal", "ResizeStarted", message);
      this.#tools.onSize();
    } else {
      const prefix = `Pod resize ${verdict.kind}`;
      const message = resizeMessage(this.#pod, generation, prefix, verdict.message);
      recorder.pod(this.#pod, "Warning", `Resize${verdict.kind}`, message);
    }
    this.#reconcile();
  }

  /** The node gained or lost what Pods wait for. */
  nodeChanged(): void {
    this.#reconcile();
  }

  /** Ends the Pod for good, for the node's sake. */
  evict(eviction: Eviction): void {
    if (this.#memory.termination) return;
    const since = this.#tools.clock.now();
    this.#memory = { ...this.#memory, termination: { since, reason: "evicted", eviction } };
    this.#tools.recorder.pod(this.#pod, "Warning", "Evicted", eviction.message);
    this.#reconcile();
  }

  /** True until its end begins. */
  get isActive(): boolean {
    return !this.#isGone && !this.#memory.termination;
  }

  /** True until its containers have ended too: nobody else can be given what they have. */
  get holdsResources(): boolean {
    return this.isActive || (!this.#isGone && this.runtime.containers.some(isAlive));
  }

  /** The API server has the Pod no more. */
  gone(): void {
    this.#isGone = true;
    this.#reconcile();
  }

  /** A ConfigMap or Secret that the Pod reads has changed: volumes follow, and failed starts are tried again. */
  objectsChanged(): void {
    const now = this.#tools.clock.now();
    this.#memory = { ...this.#memory, refreshAt: now, starts: new Map() };
    if (this.#memory.volumes.kind === "failed")
      this.#memory = { ...this.#memory, volumes: { kind: "none" } };
    this.#reconcile();
  }

  /** The control plane has given the node volumes, or taken some: Pods that wait look again. */
  attachmentsChanged(): void {
    if (this.#memory.volumes.kind === "done") return;
    this.#memory = { ...this.#memory, refreshAt: this.#tools.clock.now() };
    this.#reconcile();
  }

  /** Something happened to one of the Pod's containers or sandboxes. */
  async runtimeChanged(): Promise<void> {
    await this.refresh().catch((error: unknown) => this.#logUnread(error));
    this.#reconcile();
  }

  /**
   * That container or sandbox has ended. The runtime's own list learns it by the same event as we do, and a little later: we
   * look again until it shows.
   */
  async ended(id: string): Promise<void> {
    for (const pauseMs of EXIT_SHOWN_PAUSES_MS) {
      await sleep(this.#tools.clock, pauseMs);
      if (this.#isClosed || !this.#isShownAlive(id)) return;
      if (this.#isBeingEnded(id)) continue;
      await this.runtimeChanged();
      if (!this.#isShownAlive(id)) return;
    }
  }

  /** A step of ours ends it, and will look when it is done. */
  #isBeingEnded(id: string): boolean {
    return [`kill:${id}`, `kill:${id}:forced`, `remove:${id}`].some((key) => this.#busy.has(key));
  }

  #isShownAlive(id: string): boolean {
    const { sandboxes, containers } = this.#view.runtime;
    return (
      containers.some((container) => container.id === id && isAlive(container)) ||
      sandboxes.some((sandbox) => sandbox.id === id && sandbox.isReady)
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#prober.close();
  }

  /** Reads the runtime again. */
  refresh(): Promise<void> {
    return this.#view.refresh();
  }

  #observe(): ObservedPod {
    return {
      pod: withOwnStatus(this.allocated, this.#status),
      isGone: this.#isGone,
      runtime: this.#view.runtime,
      memory: this.#memory,
      busy: this.#busy,
      node: this.#tools.node(),
    };
  }

  #podIp(): string {
    const sandbox = this.#view.runtime.sandboxes.find(({ isReady }) => isReady);
    const ip = this.#pod.spec?.hostNetwork ? this.#tools.node().ips[0] : sandbox?.ips[0];
    return ip ?? "";
  }

  #reconcile(): void {
    if (!this.#isLoaded || this.#isClosed || this.#isPlanning) return;
    this.#isPlanning = true;
    try {
      this.#planOnce();
    } finally {
      this.#isPlanning = false;
    }
  }

  #planOnce(): void {
    const now = this.#tools.clock.now();
    const steadyMs = this.#tools.clock.monotonic();
    this.#followClock(now, steadyMs);
    let plan = planPod(this.#observe(), now);
    if (plan.terminate) {
      const termination = { since: now, reason: plan.terminate };
      this.#memory = { ...this.#memory, termination };
      this.#tools.onSize();
      plan = planPod(this.#observe(), now);
    }
    if (plan.isDone) return this.#finish();
    if (plan.networkProblem !== undefined) this.#tellNetworkProblem(plan.networkProblem);
    for (const step of plan.steps) this.#begin(step, now, steadyMs);
    this.#publish(now);
    this.#wake(plan, now, steadyMs);
  }

  /** What waits does not wait longer because the wall clock was set back. */
  #followClock(now: Instant, steadyMs: number): void {
    const shiftMs = clockShiftMs(this.#clockOffsetMs, now, steadyMs);
    if (shiftMs === 0) return;
    this.#clockOffsetMs += shiftMs;
    this.#memory = shiftMemory(this.#memory, shiftMs);
  }

  #tellNetworkProblem(problem: string): void {
    if (this.#toldProblem === problem) return;
    this.#toldProblem = problem;
    const message = `network is not ready: ${problem}`;
    this.#tools.recorder.pod(this.#pod, "Warning", "NetworkNotReady", message);
  }

  #finish(): void {
    this.close();
    void this.#tools.runner.forgetPod(this.#pod).catch((error: unknown) => {
      this.#logFailure("logs of a pod were not removed", error);
    });
    this.#tools.probes.forget(this.#uid);
    this.#tools.onDone(this.#uid);
    this.#tools.onSize();
  }

  #publish(now: Instant): void {
    const observed = this.#observe();
    if (!this.#isGone) {
      const status = podStatus(observed, now);
      for (const { type, reason, message, container } of transitionEvents(observed.pod, status))
        this.#tools.recorder.pod(this.#pod, type, reason, message, container);
      this.#status = status;
      this.#tools.statuses.set(this.#pod, status);
    }
    this.#prober.set(this.#pod, this.#memory.termination ? [] : this.#probed());
  }

  #probed(): readonly ProbedContainer[] {
    return allContainers(this.#pod).flatMap((spec) => {
      const current = newest(this.#view.runtime, spec.name);
      const hasProbes = spec.startupProbe ?? spec.livenessProbe ?? spec.readinessProbe;
      if (!hasProbes || current?.state !== "running") return [];
      const known = this.#memory.probes.get(current.id);
      return [{ id: current.id, startedAt: current.startedAt, spec, ...(known && { known }) }];
    });
  }

  #wake({ wakeAt, steps }: PodPlan, now: Instant, steadyMs: number): void {
    this.#timer?.cancel();
    const at = Math.min(wakeAt ?? Infinity, this.#cooling.nextAt(steps, now, steadyMs) ?? Infinity);
    this.#timer = Number.isFinite(at)
      ? this.#tools.clock.after(at - now, () => this.#reconcile())
      : undefined;
  }

  #begin(step: Step, now: Instant, steadyMs: number): void {
    const key = keyOf(step);
    if (this.#busy.has(key) || this.#cooling.isCold(step, steadyMs)) return;
    this.#busy.add(key);
    this.#memory = rememberBegin(this.#memory, step, now);
    void this.#run(step).finally(() => {
      this.#busy.delete(key);
      this.#reconcile();
    });
  }

  async #run(step: Step): Promise<void> {
    const { clock, runner } = this.#tools;
    let startedId = "";
    const context: RunContext = {
      pod: this.allocated,
      runtime: this.#view.runtime,
      memory: this.#memory,
      isEnding: () => !this.isActive,
      onResized: (id, resources) => {
        const actuated = new Map(this.#memory.actuated).set(id, resources);
        this.#memory = this.#size.keep({ ...this.#memory, actuated });
      },
      onStarted: (id) => {
        startedId = id;
        this.#started(id, step);
      },
      statusWritten: () => this.#tools.statuses.written(this.#uid),
    };
    const result = await runner.run(step, context).then(
      (value): StepResult => ({ isSuccess: true, ...value }),
      (error: Error & { readonly reason?: string }): StepResult => ({
        isSuccess: false,
        reason: error.reason ?? "",
        message: error.message,
      }),
    );
    if (this.#isClosed) return;
    if (touchesRuntime(step))
      await (result.isSuccess ? this.#view.readAfter(step, result.value) : this.refresh()).catch(
        (error: unknown) => this.#logUnread(error),
      );
    this.#memory = remember(this.#memory, step, result, clock.now());
    if (step.kind === "resize") this.#size.keep(this.#memory);
    if (startedId) this.#hookEnded(startedId);
    this.#cooling.note(step, result.isSuccess, isRemembered(step));
    if (!result.isSuccess)
      this.#tools.logger.info("step failed", {
        pod: `${this.#pod.metadata?.namespace}/${this.#pod.metadata?.name}`,
        step: step.kind,
        error: result.message,
      });
  }

  /** While the postStart hook runs, the container is alive but not yet started. */
  #started(id: string, step: Step): void {
    const spec =
      step.kind === "startContainer" &&
      allContainers(this.#pod).find(({ name }) => name === step.container);
    if (!spec || !spec.lifecycle?.postStart) return;
    this.#memory = { ...this.#memory, starting: new Set(this.#memory.starting).add(id) };
    void this.runtimeChanged();
  }

  #hookEnded(id: string): void {
    if (!this.#memory.starting.has(id)) return;
    const starting = new Set(this.#memory.starting);
    starting.delete(id);
    this.#memory = { ...this.#memory, starting };
  }

  #logUnread(error: unknown): void {
    this.#logFailure("runtime was not read", error);
  }

  #logFailure(message: string, error: unknown): void {
    this.#tools.logger.warning(message, { uid: this.#uid, error: String(error) });
  }
}

function hasOtherLabels(pod: V1Pod, old: V1Pod): boolean {
  return (
    !equalJson(pod.metadata?.labels, old.metadata?.labels) ||
    !equalJson(pod.metadata?.annotations, old.metadata?.annotations)
  );
}

function touchesRuntime({ kind }: Step): boolean {
  return (
    kind !== "prepareVolumes" &&
    kind !== "ensureImage" &&
    kind !== "resize" &&
    kind !== "finish" &&
    kind !== "tearDown"
  );
}

/** Steps whose failures the memory holds, with their own waits. */
function isRemembered({ kind }: Step): boolean {
  return ["prepareVolumes", "createSandbox", "ensureImage", "startContainer"].includes(kind);
}
