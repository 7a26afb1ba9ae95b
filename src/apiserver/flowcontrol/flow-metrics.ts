import type { MetricRegistry } from "../../base/metrics.ts";
import type { SeatLimits } from "./seat-limits.ts";

/** Seconds. @spec k8s@1.36 apiserver util/flowcontrol/metrics requestDurationSecondsBuckets */
const SECONDS = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
/** @spec metrics.go queueLengthBuckets */
const LENGTHS = [0, 10, 25, 50, 100, 250, 500, 1000];
/** @spec metrics.go work_estimated_seats */
const SEATS = [1, 2, 4, 10];

const LEVEL = ["priority_level"];
const FLOW = ["priority_level", "flow_schema"];

/** What each metric says. @spec k8s@1.36 apiserver util/flowcontrol/metrics/metrics.go */
const HELP = {
  nominal_limit_seats: "Nominal number of execution seats configured for each priority level",
  lower_limit_seats:
    "Configured lower bound on number of execution seats available to each priority level",
  upper_limit_seats:
    "Configured upper bound on number of execution seats available to each priority level",
  current_limit_seats: "current derived number of execution seats available to each priority level",
  rejected_requests_total: "Number of requests rejected by API Priority and Fairness subsystem",
  dispatched_requests_total: "Number of requests executed by API Priority and Fairness subsystem",
  current_executing_requests:
    "Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage " +
    "in the API Priority and Fairness subsystem",
  current_executing_seats:
    "Concurrency (number of seats) occupied by the currently executing (initial stage for a WATCH, " +
    "any stage otherwise) requests in the API Priority and Fairness subsystem",
  current_inqueue_requests:
    "Number of requests currently pending in queues of the API Priority and Fairness subsystem",
  request_wait_duration_seconds: "Length of time a request spent waiting in its queue",
  request_execution_seconds:
    "Duration of initial stage (for a WATCH) or any (for a non-WATCH) stage of request execution " +
    "in the API Priority and Fairness subsystem",
  request_queue_length_after_enqueue:
    "Length of queue in the API Priority and Fairness subsystem, " +
    "as seen by each request after it is enqueued",
  work_estimated_seats:
    "Number of estimated seats (maximum of initial and final seats) associated with requests " +
    "in API Priority and Fairness",
  request_dispatch_no_accommodation_total:
    "Number of times a dispatch attempt resulted in a non accommodation due to lack of available seats",
} as const;

type MetricName = keyof typeof HELP;

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

/** The metrics `apiserver_flowcontrol_*`. */
export class FlowMetrics {
  readonly #registry: MetricRegistry;

  constructor(registry: MetricRegistry) {
    this.#registry = registry;
  }

  /** `current_limit_seats` is what a level has without borrowing. */
  limits(level: string, { nominal, lower, upper }: SeatLimits): void {
    const seats = {
      nominal_limit_seats: nominal,
      lower_limit_seats: lower,
      upper_limit_seats: upper,
      current_limit_seats: nominal,
    };
    for (const [name, value] of Object.entries(seats))
      this.#registry
        .gauge(fullName(name as MetricName), HELP[name as MetricName], LEVEL)
        .set(value, [level]);
  }

  countsOf(level: string, schema: string): FlowCounts {
    const labels = [level, schema];
    const rejected = this.#counter("rejected_requests_total", ["reason"]);
    const addRequests = this.#gauge("current_executing_requests").adder(labels);
    const addSeats = this.#gauge("current_executing_seats").adder(labels);
    const waited = this.#histogram("request_wait_duration_seconds", SECONDS, ["execute"]);
    const executed = this.#histogram("request_execution_seconds", SECONDS, ["type"]);
    const lengths = this.#histogram("request_queue_length_after_enqueue", LENGTHS);
    return {
      dispatched: this.#counter("dispatched_requests_total").adder(labels),
      estimated: this.#histogram("work_estimated_seats", SEATS).observer(labels),
      executed: executed.observer([...labels, "regular"]),
      executing: (requests, seats) => {
        addRequests(requests);
        addSeats(seats);
      },
      inQueue: this.#gauge("current_inqueue_requests").adder(labels),
      queueLength: lengths.observer(labels),
      waited: (seconds, isExecuted) => waited.observe(seconds, [...labels, String(isExecuted)]),
      rejected: (reason) => rejected.add([...labels, reason]),
      noAccommodation: this.#counter("request_dispatch_no_accommodation_total").adder(labels),
    };
  }

  #counter(name: MetricName, more: readonly string[] = []) {
    return this.#registry.counter(fullName(name), HELP[name], [...FLOW, ...more]);
  }

  #gauge(name: MetricName) {
    return this.#registry.gauge(fullName(name), HELP[name], FLOW);
  }

  #histogram(name: MetricName, bounds: readonly number[], more: readonly string[] = []) {
    return this.#registry.histogram(fullName(name), HELP[name], bounds, [...FLOW, ...more]);
  }
}

const fullName = (name: MetricName): string => `apiserver_flowcontrol_${name}`;
