import type { Counter, Gauge, Histogram, MetricRegistry } from "../base/metrics.ts";
import type { ExtensionPoint, PointStatus, TimeSink } from "./cycle-times.ts";
import type { ClusterChange } from "./framework.ts";

/** What came of one try. @spec k8s@1.36 pkg/scheduler/metrics profile_metrics.go */
export type Result = "scheduled" | "unschedulable" | "error";

/** Where a Pod waits. */
export type QueueName = "active" | "backoff" | "unschedulable" | "gated";

/** What is read of the scheduler when somebody asks. */
export interface SchedulerState {
  readonly pending: Readonly<Record<QueueName, number>>;
  /** By profile and plugin: how many Pods it refused that wait. */
  readonly refused: readonly RefusedPods[];
  readonly nodes: number;
  readonly pods: number;
  readonly assumedPods: number;
}

export interface RefusedPods {
  readonly plugin: string;
  readonly profile: string;
  readonly pods: number;
}

/** Of the Pods of one profile. Takes milliseconds. */
export type ProfileMeter = Readonly<Record<Result, (tookMs: number) => void>> & TimeSink;

/** Each bound is `factor` times the one before. */
function bounds(first: number, factor: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, power) => first * factor ** power);
}

/** Tries beyond this many are told as one. @spec schedule_one.go getAttemptsLabel */
const ATTEMPTS_MAX = 15;

/** What each metric says. @spec k8s@1.36 pkg/scheduler/metrics/metrics.go */
const HELP = {
  schedule_attempts_total:
    "Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be scheduled, " +
    "while 'error' means an internal scheduler problem.",
  scheduling_attempt_duration_seconds:
    "Scheduling attempt latency in seconds (scheduling algorithm + binding)",
  scheduling_algorithm_duration_seconds: "Scheduling algorithm latency in seconds",
  preemption_victims: "Number of selected preemption victims",
  preemption_attempts_total: "Total preemption attempts in the cluster till now",
  pending_pods: "Number of pending pods, by the queue type.",
  pod_scheduling_sli_duration_seconds:
    "E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue " +
    "and might involve multiple scheduling attempts.",
  pod_scheduling_attempts: "Number of attempts to successfully schedule a pod.",
  framework_extension_point_duration_seconds:
    "Latency for running all plugins of a specific extension point.",
  plugin_execution_duration_seconds: "Duration for running a plugin at a specific extension point.",
  queue_incoming_pods_total: "Number of pods added to scheduling queues by event and queue type.",
  cache_size: "Number of nodes, pods, and assumed (bound) pods in the scheduler cache.",
  unschedulable_pods: "The number of unschedulable pods broken down by plugin name.",
} as const;

/**
 * What the scheduler tells of itself, under upstream's names.
 *
 * Cost: a counter or a bucket for each try; everything that is a state is read when somebody asks.
 * @spec k8s@1.36 pkg/scheduler/metrics/metrics.go
 */
export class SchedulerMetrics {
  readonly #attempts: Counter;
  readonly #attemptSeconds: Histogram;
  readonly #incoming: Counter;
  readonly #sliSeconds: Histogram;
  readonly #pointSeconds: Histogram;
  readonly #pluginSeconds: Histogram;
  readonly #pending: Gauge;
  readonly #refused: Gauge;
  readonly #cacheSize: Gauge;
  readonly #observeAttempts: (count: number) => void;
  #state: (() => SchedulerState) | undefined;
  readonly #incomingCells = new Map<string, () => void>();
  /** The seconds that one decision took. */
  readonly decided: (seconds: number) => void;
  /** A Pod fitted nowhere, and its profile makes room. */
  readonly preempting: () => void;
  /** So many Pods were chosen to go. */
  readonly victims: (count: number) => void;

  constructor(registry: MetricRegistry) {
    const counter = (name: keyof typeof HELP, ...labels: readonly string[]): Counter =>
      registry.counter(`scheduler_${name}`, HELP[name], labels);
    const gauge = (name: keyof typeof HELP, ...labels: readonly string[]): Gauge =>
      registry.gauge(`scheduler_${name}`, HELP[name], labels);
    const histogram = (
      name: keyof typeof HELP,
      buckets: readonly number[],
      ...labels: readonly string[]
    ): Histogram => registry.histogram(`scheduler_${name}`, HELP[name], buckets, labels);
    const seconds = bounds(0.001, 2, 15);
    this.#attempts = counter("schedule_attempts_total", "profile", "result");
    this.#attemptSeconds = histogram(
      "scheduling_attempt_duration_seconds",
      seconds,
      "profile",
      "result",
    );
    this.decided = histogram("scheduling_algorithm_duration_seconds", seconds).observer([]);
    this.victims = histogram("preemption_victims", bounds(1, 2, 7)).observer([]);
    this.preempting = counter("preemption_attempts_total").adder([]);
    this.#pending = gauge("pending_pods", "queue");
    const longer = bounds(0.01, 2, 20);
    this.#sliSeconds = histogram("pod_scheduling_sli_duration_seconds", longer, "attempts");
    this.#observeAttempts = histogram("pod_scheduling_attempts", bounds(1, 2, 5)).observer([]);
    this.#pointSeconds = histogram(
      "framework_extension_point_duration_seconds",
      bounds(0.0001, 2, 12),
      "extension_point",
      "profile",
      "status",
    );
    this.#pluginSeconds = histogram(
      "plugin_execution_duration_seconds",
      bounds(0.00001, 1.5, 20),
      "extension_point",
      "plugin",
      "status",
    );
    this.#incoming = counter("queue_incoming_pods_total", "event", "queue");
    this.#cacheSize = gauge("cache_size", "type");
    this.#refused = gauge("unschedulable_pods", "plugin", "profile");
    registry.beforeText(() => this.#look());
  }

  /** What is asked for the state from now on. */
  follow(state: () => SchedulerState): void {
    this.#state = state;
  }

  profile(name: string): ProfileMeter {
    const meter = (result: Result): ((tookMs: number) => void) => {
      const count = this.#attempts.adder([name, result]);
      const observe = this.#attemptSeconds.observer([name, result]);
      return (tookMs) => {
        count();
        observe(tookMs / 1000);
      };
    };
    return {
      scheduled: meter("scheduled"),
      unschedulable: meter("unschedulable"),
      error: meter("error"),
      point: this.#pointsOf(name),
      plugin: (plugin, point, status, tookMs) =>
        this.#pluginSeconds.observe(tookMs / 1000, [point, plugin, status]),
    };
  }

  #pointsOf(profile: string): TimeSink["point"] {
    const cells = new Map<ExtensionPoint, Map<PointStatus, (seconds: number) => void>>();
    return (point, status, tookMs) => {
      let own = cells.get(point);
      if (!own) cells.set(point, (own = new Map()));
      let observe = own.get(status);
      if (!observe)
        own.set(status, (observe = this.#pointSeconds.observer([point, profile, status])));
      observe(tookMs / 1000);
    };
  }

  /** A Pod has its node, after so many tries and so long since it came. */
  placed(attempts: number, waitedMs: number): void {
    this.#observeAttempts(attempts);
    const label = attempts >= ATTEMPTS_MAX ? `${ATTEMPTS_MAX}+` : String(attempts);
    this.#sliSeconds.observe(waitedMs / 1000, [label]);
  }

  /** A Pod went into a queue because of `event`. */
  incoming(queue: QueueName, event: string): void {
    const key = `${queue} ${event}`;
    let add = this.#incomingCells.get(key);
    if (!add) this.#incomingCells.set(key, (add = this.#incoming.adder([event, queue])));
    add();
  }

  #look(): void {
    const state = this.#state?.();
    if (!state) return;
    for (const [queue, pods] of Object.entries(state.pending)) this.#pending.set(pods, [queue]);
    this.#refused.clear();
    for (const { plugin, profile, pods } of state.refused)
      this.#refused.set(pods, [plugin, profile]);
    this.#cacheSize.set(state.nodes, ["nodes"]);
    this.#cacheSize.set(state.pods, ["pods"]);
    this.#cacheSize.set(state.assumedPods, ["assumed_pods"]);
  }
}

/** Upstream's name of a change. @spec k8s@1.36 kube-scheduler framework ClusterEvent.Label */
export function eventOf(change: ClusterChange): string {
  switch (change.kind) {
    case "node": {
      const { difference } = change;
      if (!difference) return "NodeAdd";
      if (difference.allocatable) return "NodeUpdateNodeAllocatable";
      if (difference.features) return "NodeUpdateNodeDeclaredFeature";
      return difference.labels ? "NodeUpdateNodeLabel" : "NodeUpdateNodeTaint";
    }
    case "node-gone":
      return "NodeDelete";
    case "storage":
      return `${change.resource}${!change.object ? "Delete" : change.old ? "Update" : "Add"}`;
    case "pod-freed":
      return "AssignedPodDelete";
    case "pod-placed":
      return "AssignedPodAdd";
    case "pod-changed":
      return "AssignedPodUpdate";
  }
}

/** Upstream's names of what is no change of the cluster. @spec pkg/scheduler/framework/events.go */
export const EVENTS = {
  podAdded: "UnschedulablePodAdd",
  podUpdated: "UnschedulablePodUpdate",
  gatesGone: "UnschedulablePodUpdatePodSchedulingGatesEliminated",
  failed: "ScheduleAttemptFailure",
  backoffOver: "BackoffComplete",
  fromBackoff: "PopFromBackoffQ",
  timeout: "UnschedulableTimeout",
} as const;
