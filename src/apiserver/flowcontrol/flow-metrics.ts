import type { MetricRegistry } from "../../base/metrics.ts";

/** Seconds. @spec k8s@1.36 apiserver util/flowcontrol/metrics requestDurationSecondsBuckets */
const SECONDS = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
/** @spec metrics.go queueLengthBuckets */
const LENGTHS = [0, 10, 25, 50, 100, 250, 500, 1000];
/** @spec metrics.go work_estimated_seats */
const SEATS = [1, 2, 4, 10];

const LEVEL = ["priority_level"];
const FLOW = ["priority_level", "flow_schema"];
const SUBSYSTEM = "apiserver_flowcontrol";

/** What is counted of one flow schema: each a call that knows its labels. */
export interface FlowCounts {
  dispatched(): void;
  estimated(seats: number): void;
  executed(seconds: number): void;
  executing(requests: number, seats: number): void;
  inQueue(requests: number): void;
  queueLength(length: number): void;
  waited(seconds: number, isExecuted: boolean): void;
  rejected(reason: Rejection): void;
  noAccommodation(): void;
}

/** Why a request was refused. @spec apiserver util/flowcontrol/fairqueuing/queueset */
export type Rejection = "queue-full" | "concurrency-limit" | "time-out" | "cancelled";

/** @spec k8s@1.36 apiserver util/flowcontrol/metrics/metrics.go */
export class FlowMetrics {
  readonly #registry: MetricRegistry;

  constructor(registry: MetricRegistry) {
    this.#registry = registry;
  }

  limits(level: string, seats: { nominal: number; lower: number; upper: number }): void {
    const gauge = (name: string, what: string, value: number): void =>
      this.#registry
        .gauge(`${SUBSYSTEM}_${name}`, what, LEVEL)
        .set(Number.isFinite(value) ? value : 0, [level]);
    gauge(
      "nominal_limit_seats",
      "Nominal number of execution seats configured for each priority level",
      seats.nominal,
    );
    gauge(
      "lower_limit_seats",
      "Configured lower bound on number of execution seats available to each priority level",
      seats.lower,
    );
    gauge(
      "upper_limit_seats",
      "Configured upper bound on number of execution seats available to each priority level",
      seats.upper,
    );
    gauge(
      "current_limit_seats",
      "current derived number of execution seats available to each priority level",
      seats.nominal,
    );
  }

  countsOf(level: string, schema: string): FlowCounts {
    const labels = [level, schema];
    const registry = this.#registry;
    const counter = (name: string, what: string, more: readonly string[] = []) =>
      registry.counter(`${SUBSYSTEM}_${name}`, what, [...FLOW, ...more]);
    const gauge = (name: string, what: string) =>
      registry.gauge(`${SUBSYSTEM}_${name}`, what, FLOW);
    const histogram = (
      name: string,
      what: string,
      bounds: readonly number[],
      more: readonly string[] = [],
    ) => registry.histogram(`${SUBSYSTEM}_${name}`, what, bounds, [...FLOW, ...more]);
    const rejected = counter(
      "rejected_requests_total",
      "Number of requests rejected by API Priority and Fairness subsystem",
      ["reason"],
    );
    const requests = gauge(
      "current_executing_requests",
      "Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API Priority and Fairness subsystem",
    );
    const seatsInUse = gauge(
      "current_executing_seats",
      "Concurrency (number of seats) occupied by the currently executing (initial stage for a WATCH, any stage otherwise) requests in the API Priority and Fairness subsystem",
    );
    const queued = gauge(
      "current_inqueue_requests",
      "Number of requests currently pending in queues of the API Priority and Fairness subsystem",
    );
    const waited = histogram(
      "request_wait_duration_seconds",
      "Length of time a request spent waiting in its queue",
      SECONDS,
      ["execute"],
    );
    const [addRequests, addSeats] = [requests.adder(labels), seatsInUse.adder(labels)];
    return {
      dispatched: counter(
        "dispatched_requests_total",
        "Number of requests executed by API Priority and Fairness subsystem",
      ).adder(labels),
      estimated: histogram(
        "work_estimated_seats",
        "Number of estimated seats (maximum of initial and final seats) associated with requests in API Priority and Fairness",
        SEATS,
      ).observer(labels),
      executed: histogram(
        "request_execution_seconds",
        "Duration of initial stage (for a WATCH) or any (for a non-WATCH) stage of request execution in the API Priority and Fairness subsystem",
        SECONDS,
        ["type"],
      ).observer([...labels, "regular"]),
      executing: (count, seats) => {
        addRequests(count);
        addSeats(seats);
      },
      inQueue: queued.adder(labels),
      queueLength: histogram(
        "request_queue_length_after_enqueue",
        "Length of queue in the API Priority and Fairness subsystem, as seen by each request after it is enqueued",
        LENGTHS,
      ).observer(labels),
      waited: (seconds, isExecuted) => waited.observe(seconds, [...labels, String(isExecuted)]),
      rejected: (reason) => rejected.add([...labels, reason]),
      noAccommodation: counter(
        "request_dispatch_no_accommodation_total",
        "Number of times a dispatch attempt resulted in a non accommodation due to lack of available seats",
      ).adder(labels),
    };
  }
}
