import type { Counter, Gauge, Histogram, MetricRegistry } from "../base/metrics.ts";

/** What one queue tells of its keys. */
export interface QueueMeter {
  added(): void;
  /** A worker took a key that had waited so long. */
  begun(waitedMs: number): void;
  ended(tookMs: number): void;
  /** The key comes again after a failure. */
  retried(): void;
}

/** What is read of a queue when somebody asks. */
export interface QueueState {
  /** Keys that wait. */
  readonly depth: number;
  /** For how long the keys in work have been, in ms. */
  readonly workingMs: readonly number[];
}

/** Of a queue that nobody looks at. */
export const UNMETERED: QueueMeter = {
  added: () => {},
  begun: () => {},
  ended: () => {},
  retried: () => {},
};

/** Seconds: from 10 ns, tenfold. @spec k8s@1.36 component-base/metrics/prometheus/workqueue */
const SECONDS = Array.from({ length: 12 }, (_, power) => 10e-9 * 10 ** power);
const QUEUE = ["name"];

/**
 * The queues of the controllers, as kube-controller-manager tells of its own.
 *
 * @spec k8s@1.36 component-base/metrics/prometheus/workqueue/metrics.go
 */
export class WorkQueueMetrics {
  readonly #states: (readonly [name: string, state: () => QueueState])[] = [];
  readonly #adds: Counter;
  readonly #retries: Counter;
  readonly #waits: Histogram;
  readonly #works: Histogram;
  readonly #depth: Gauge;
  readonly #unfinished: Gauge;
  readonly #longest: Gauge;

  constructor(registry: MetricRegistry) {
    this.#depth = registry.gauge("workqueue_depth", "Current depth of workqueue", QUEUE);
    this.#adds = registry.counter(
      "workqueue_adds_total",
      "Total number of adds handled by workqueue",
      QUEUE,
    );
    this.#waits = registry.histogram(
      "workqueue_queue_duration_seconds",
      "How long in seconds an item stays in workqueue before being requested.",
      SECONDS,
      QUEUE,
    );
    this.#works = registry.histogram(
      "workqueue_work_duration_seconds",
      "How long in seconds processing an item from workqueue takes.",
      SECONDS,
      QUEUE,
    );
    this.#unfinished = registry.gauge(
      "workqueue_unfinished_work_seconds",
      "How many seconds of work has done that is in progress and hasn't been observed by work_duration. " +
        "Large values indicate stuck threads. One can deduce the number of stuck threads by observing the " +
        "rate at which this increases.",
      QUEUE,
    );
    this.#longest = registry.gauge(
      "workqueue_longest_running_processor_seconds",
      "How many seconds has the longest running processor for workqueue been running.",
      QUEUE,
    );
    this.#retries = registry.counter(
      "workqueue_retries_total",
      "Total number of retries handled by workqueue",
      QUEUE,
    );
    registry.beforeText(() => this.#look());
  }

  /** `loop`: the controller's name; several may share it. */
  meter(loop: string, state: () => QueueState): QueueMeter {
    const name = QUEUE_NAMES[loop] ?? loop;
    this.#states.push([name, state]);
    const wait = this.#waits.observer([name]);
    const work = this.#works.observer([name]);
    return {
      added: this.#adds.adder([name]),
      begun: (waitedMs) => wait(waitedMs / 1000),
      ended: (tookMs) => work(tookMs / 1000),
      retried: this.#retries.adder([name]),
    };
  }

  #look(): void {
    for (const gauge of [this.#depth, this.#unfinished, this.#longest]) gauge.clear();
    const longest = new Map<string, number>();
    for (const [name, state] of this.#states) {
      const { depth, workingMs } = state();
      this.#depth.add(depth, [name]);
      this.#unfinished.add(workingMs.reduce((sum, ms) => sum + ms, 0) / 1000, [name]);
      longest.set(name, Math.max(longest.get(name) ?? 0, ...workingMs));
    }
    for (const [name, ms] of longest) this.#longest.set(ms / 1000, [name]);
  }
}

/** What upstream calls the queues of its controllers, where it is not the controller's name. */
const QUEUE_NAMES: Readonly<Record<string, string>> = {
  "clusterrole-aggregation-controller": "ClusterRoleAggregator",
  "cronjob-controller": "cronjob",
  "daemon-set-controller": "daemonset",
  "deployment-controller": "deployment",
  "disruption-controller": "disruption",
  "endpoints-controller": "endpoint",
  "endpointslice-controller": "endpoint_slice",
  "endpointslice-mirroring-controller": "endpoint_slice_mirroring",
  "garbage-collector-controller": "garbage_collector_attempt_to_delete",
  "job-controller": "job",
  "namespace-controller": "namespace",
  "node-lifecycle-controller": "node_lifecycle_controller",
  "replicaset-controller": "replicaset",
  "replicationcontroller-controller": "replicationmanager",
  "resourcequota-controller": "resourcequota_primary",
  "root-ca-certificate-publisher-controller": "root_ca_cert_publisher",
  "serviceaccount-controller": "serviceaccount",
  "statefulset-controller": "statefulset",
  "ttl-after-finished-controller": "ttl_jobs_to_delete",
  "ttl-controller": "ttlcontroller",
};
