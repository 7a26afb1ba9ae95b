import type { V1FlowSchema, V1PriorityLevelConfiguration } from "../../gen/types.ts";
import { compareFlowSchemas } from "../../api/flowcontrol/flow-schema.ts";
import {
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
  suggestedFlowSchemas,
  suggestedPriorityLevels,
} from "../../api/flowcontrol/default-objects.ts";
import type { Clock } from "../../base/clock.ts";
import type { MetricRegistry } from "../../base/metrics.ts";
import { SLICE_MS } from "../../base/turns.ts";
import { tooManyRequests } from "../../api/machinery/status-errors.ts";
import type { RequestInfo, UserInfo } from "../request.ts";
import { FlowMetrics, type FlowCounts, type Rejection } from "./flow-metrics.ts";
import { requestsOf, type MatchedInfo, type RequestTest } from "./matching.ts";
import { PriorityLevel, type LevelConfig, type Ticket } from "./priority-level.ts";
import { divideSeats, SERVER_SEATS } from "./seat-limits.ts";

/** A request waits in its queue at most this long, ms: a quarter of its timeout. @spec server/config.go requestTimeout / 4 */
const WAIT_MS_MAX = 15_000;
/** Seconds after which a refused client shall ask again. @spec server/filters retryAfter */
const RETRY_SECONDS = 1;
/** How often waiting requests are looked through, ms. */
const SWEEP_MS = 1000;

/**
 * Requests of one turn of the loop that are run without a look at the clock: a millisecond or two of work. More would let one
 * connection with many streams hold up the others longer; fewer would cost every busy server a timer.
 */
const BURST = 32;

const CATCH_ALL = "catch-all";

/** What flow control knows of a flow schema. */
export interface Flow {
  readonly name: string;
  readonly level: PriorityLevel<Waiting>;
  readonly counts: FlowCounts;
  /** Tells every answer which schema and level it came by. @spec X-Kubernetes-PF-* */
  readonly headers: Readonly<Record<string, string>>;
  readonly schema: V1FlowSchema;
}

/** A request that waits for its turn. */
export interface Waiting extends Ticket {
  readonly flow: Flow;
  /** Runs it, as far as it goes without waiting. */
  readonly run: () => void;
  readonly refuse: (error: Error) => void;
}

/** What a request looks like to the gate. */
export interface GatedRequest {
  readonly user: UserInfo;
  readonly info: RequestInfo;
  readonly signal: AbortSignal;
}

interface UserFlow {
  readonly flow: Flow;
  readonly matches: RequestTest;
}

/**
 * The gate of all requests that come over the network: which run now, which wait, which are refused.
 *
 * Flow: user and request → flow schema → priority level. A request runs at once when its level has a seat, nobody of its level
 * waits, and this turn of the event loop is not used up; else it waits in a queue of its level, fair among flows.
 * Guarantees: a level always gets the seats it does not lend, and turns in proportion to its shares; exempt requests never wait.
 * Assumptions: a request that is answered synchronously takes no seat, since nothing else can run meanwhile.
 * Errors: TooManyRequests: no room in the queue, or 15 s without a seat. Retried by the client.
 * @spec k8s@1.36 KEP-1040; docs/design/flow-control.md
 */
export class FlowControl {
  readonly #clock: Clock;
  readonly #metrics: FlowMetrics;
  /** By name; schemas refer to these. */
  #levels = new Map<string, PriorityLevel<Waiting>>();
  /** These, and those that are gone but have requests that wait. */
  #busyLevels: readonly PriorityLevel<Waiting>[] = [];
  #flows: readonly Flow[] = [];
  #byUser = new WeakMap<UserInfo, readonly UserFlow[]>();
  /** Seats in use, and those that levels keep for themselves although they do not use them. */
  #seatsInUse = 0;
  #waiting = 0;
  /** Seconds of work that each level has had, by its seats; for those with requests that wait. */
  readonly #worked = new WeakMap<PriorityLevel<Waiting>, number>();
  #workedLeast = 0;
  /** Requests begun in this turn of the loop. */
  #burst = 0;
  #burstMs = 0;
  #isTurnOver = false;
  #isDrainPlanned = false;
  #isSweepPlanned = false;

  constructor(clock: Clock, metrics: MetricRegistry) {
    this.#clock = clock;
    this.#metrics = new FlowMetrics(metrics);
    this.configure([], []);
  }

  /**
   * Takes all objects there are. Missing mandatory ones are imagined, and until the server has made its own, the suggested ones are, too.
   * Schemas without a level are left out.
   */
  configure(
    schemas: readonly V1FlowSchema[],
    levels: readonly V1PriorityLevelConfiguration[],
  ): void {
    const isNew = !levels.some(({ metadata }) => metadata?.name === CATCH_ALL);
    const allLevels = withMissing(levels, [
      ...mandatoryPriorityLevels,
      ...(isNew ? suggestedPriorityLevels : []),
    ]);
    const allSchemas = withMissing(schemas, [
      ...mandatoryFlowSchemas,
      ...(isNew ? suggestedFlowSchemas : []),
    ]);
    this.#setLevels(allLevels);
    this.#flows = [...allSchemas].sort(compareFlowSchemas).flatMap((schema) => {
      const level = this.#levels.get(schema.spec?.priorityLevelConfiguration?.name ?? "");
      return level ? [this.#flowOf(schema, level)] : [];
    });
    this.#byUser = new WeakMap();
    this.#planDrain();
  }

  /** The flow schema that a request comes by. */
  flowOf(user: UserInfo, info: MatchedInfo): Flow {
    let own = this.#byUser.get(user);
    if (!own) this.#byUser.set(user, (own = this.#flowsOf(user)));
    for (const { flow, matches } of own) if (matches(info)) return flow;
    return this.#flows.at(-1)!;
  }

  /** Whether a request may run now. `nowMs`: monotonic. False: it has to {@link wait}. */
  mayRun(flow: Flow, seats: number, nowMs: number): boolean {
    const { level } = flow;
    if (level.config.isExempt) return true;
    if (++this.#burst >= BURST) this.#watchTurn(nowMs);
    if (this.#isTurnOver || level.waiting > 0) return false;
    return this.#hasSeats(level, seats);
  }

  /**
   * Runs the request when it is its turn. `execute` must not throw.
   *
   * @throws {StatusError} TooManyRequests.
   */
  enqueue<T>(
    flow: Flow,
    seats: number,
    { user, info, signal }: GatedRequest,
    execute: () => T | Promise<T>,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const { counts, level } = flow;
      const ticket: Waiting = {
        flow,
        schema: flow.name,
        distinguisher: distinguisherOf(flow, user, info),
        seats,
        sinceMs: this.#clock.monotonic(),
        run: () => {
          const beganMs = this.#clock.monotonic();
          const ran = (): void => level.ran(ticket, (this.#clock.monotonic() - beganMs) / 1000);
          const result = execute();
          resolve(result);
          if (result instanceof Promise) void result.then(ran, ran);
          else ran();
        },
        refuse: reject,
      };
      const length = level.enqueue(ticket);
      if (length === undefined) {
        counts.rejected(level.config.queuing ? "queue-full" : "concurrency-limit");
        return reject(refusal());
      }
      this.#joined(ticket, length);
      signal.addEventListener("abort", () => this.#giveUp(ticket, "cancelled"), { once: true });
    });
  }

  /** Seats are taken until {@link release}. */
  hold(flow: Flow, seats: number): void {
    flow.level.seatsInUse += seats;
    this.#seatsInUse += seats;
    flow.counts.executing(1, seats);
  }

  release(flow: Flow, seats: number): void {
    flow.level.seatsInUse -= seats;
    this.#seatsInUse -= seats;
    flow.counts.executing(-1, -seats);
    if (this.#waiting > 0) this.#planDrain();
  }

  #setLevels(objects: readonly V1PriorityLevelConfiguration[]): void {
    const limits = divideSeats(objects, SERVER_SEATS);
    const next = new Map<string, PriorityLevel<Waiting>>();
    objects.forEach(({ metadata, spec }, at) => {
      const name = metadata?.name ?? "";
      const queuing = spec?.limited?.limitResponse?.queuing;
      const config: LevelConfig = {
        name,
        uid: metadata?.uid ?? "",
        isExempt: spec?.type === "Exempt",
        limits: limits[at]!,
        ...(queuing && { queuing }),
      };
      const known = this.#levels.get(name);
      known?.configure(config);
      next.set(name, known ?? new PriorityLevel(config));
      this.#metrics.limits(name, limits[at]!);
    });
    const leaving = this.#busyLevels.filter(
      (level) => level.waiting > 0 && next.get(level.config.name) !== level,
    );
    this.#levels = next;
    this.#busyLevels = [...next.values(), ...leaving];
  }

  #flowOf(schema: V1FlowSchema, level: PriorityLevel<Waiting>): Flow {
    const name = schema.metadata?.name ?? "";
    const uid = schema.metadata?.uid;
    const { config } = level;
    return {
      name,
      level,
      schema,
      counts: this.#metrics.countsOf(config.name, name),
      headers: {
        ...(uid !== undefined && { "x-kubernetes-pf-flowschema-uid": uid }),
        ...(config.uid !== "" && { "x-kubernetes-pf-prioritylevel-uid": config.uid }),
      },
    };
  }

  #flowsOf(user: UserInfo): readonly UserFlow[] {
    return this.#flows.flatMap((flow) => {
      const matches = requestsOf(flow.schema, user);
      return matches ? [{ flow, matches }] : [];
    });
  }

  /** A turn that has run many requests looks at the clock, so that none lasts much longer than a slice. */
  #watchTurn(nowMs: number): void {
    if (this.#burst === BURST) {
      this.#burstMs = nowMs;
      setImmediate(() => {
        this.#burst = 0;
        this.#isTurnOver = false;
      });
    } else if (!this.#clock.isVirtual && nowMs - this.#burstMs > SLICE_MS) this.#isTurnOver = true;
  }

  /** Its own seats, then those that others lend and do not use. */
  #hasSeats(level: PriorityLevel<Waiting>, seats: number): boolean {
    const { limits } = level.config;
    const wanted = level.seatsInUse + seats;
    if (wanted <= limits.lower || level.seatsInUse === 0) return true;
    if (wanted > limits.upper) return false;
    return this.#seatsInUse + seats + this.#reservedBeside(level) <= SERVER_SEATS;
  }

  /** Seats that other levels keep for themselves, used or not. */
  #reservedBeside(level: PriorityLevel<Waiting>): number {
    let reserved = 0;
    for (const other of this.#busyLevels)
      if (other !== level) reserved += Math.max(0, other.config.limits.lower - other.seatsInUse);
    return reserved;
  }

  #joined({ flow }: Waiting, length: number): void {
    const { level, counts } = flow;
    counts.inQueue(1);
    counts.queueLength(length);
    this.#waiting++;
    if (level.waiting === 1)
      this.#worked.set(level, Math.max(this.#worked.get(level) ?? 0, this.#workedLeast));
    this.#planSweep();
    this.#planDrain();
  }

  #left({ flow, sinceMs }: Waiting, isExecuted: boolean): void {
    this.#waiting--;
    flow.counts.inQueue(-1);
    flow.counts.waited((this.#clock.monotonic() - sinceMs) / 1000, isExecuted);
  }

  #giveUp(ticket: Waiting, reason: Rejection): void {
    const before = ticket.flow.level.waiting;
    ticket.flow.level.remove(ticket);
    if (ticket.flow.level.waiting === before) return;
    this.#left(ticket, false);
    ticket.flow.counts.rejected(reason);
    ticket.refuse(refusal());
  }

  #planDrain(): void {
    if (this.#isDrainPlanned || this.#waiting === 0) return;
    this.#isDrainPlanned = true;
    setImmediate(() => {
      this.#isDrainPlanned = false;
      this.#drain();
    });
  }

  /** Begins those whose turn it is, for one slice. */
  #drain(): void {
    const endMs = this.#clock.monotonic() + SLICE_MS;
    for (let level = this.#nextLevel(); level; level = this.#nextLevel()) {
      const ticket = level.take()!;
      const beganMs = this.#clock.monotonic();
      this.#left(ticket, true);
      ticket.run();
      const seconds = (this.#clock.monotonic() - beganMs) / 1000;
      this.#charge(level, ticket.seats, seconds);
      if (!this.#clock.isVirtual && this.#clock.monotonic() >= endMs) return this.#planDrain();
    }
  }

  /** Of the levels with a request that may run, the one that had the least work for its seats. */
  #nextLevel(): PriorityLevel<Waiting> | undefined {
    let least: PriorityLevel<Waiting> | undefined;
    for (const level of this.#busyLevels) {
      const ticket = level.waiting > 0 ? level.peek() : undefined;
      if (!ticket) continue;
      if (!this.#hasSeats(level, ticket.seats)) ticket.flow.counts.noAccommodation();
      else if (!least || this.#workOf(level) < this.#workOf(least)) least = level;
    }
    return least;
  }

  #workOf(level: PriorityLevel<Waiting>): number {
    return this.#worked.get(level) ?? 0;
  }

  #charge(level: PriorityLevel<Waiting>, seats: number, seconds: number): void {
    const before = this.#workOf(level);
    this.#workedLeast = before;
    // What runs in no measurable time counts too, else the first level would always be next.
    const work = Math.max(seconds, 1e-6 * seats) / Math.max(1, level.config.limits.nominal);
    this.#worked.set(level, before + work);
  }

  #planSweep(): void {
    if (this.#isSweepPlanned) return;
    this.#isSweepPlanned = true;
    this.#clock.after(SWEEP_MS, () => {
      this.#isSweepPlanned = false;
      const sinceMs = this.#clock.monotonic() - WAIT_MS_MAX;
      for (const level of this.#busyLevels)
        for (const ticket of level.olderThan(sinceMs)) this.#giveUp(ticket, "time-out");
      if (this.#waiting > 0) this.#planSweep();
    });
  }
}

/** In upstream's words. @spec apiserver server/filters/maxinflight.go tooManyRequests */
function refusal(): Error {
  return tooManyRequests("Too many requests, please try again later.", RETRY_SECONDS);
}

/** What tells the flows of a schema apart. @spec apf_controller.go computeFlowDistinguisher */
function distinguisherOf({ schema }: Flow, user: UserInfo, { namespace }: RequestInfo): string {
  switch (schema.spec?.distinguisherMethod?.type) {
    case "ByUser":
      return user.name;
    case "ByNamespace":
      return namespace;
    default:
      return "";
  }
}

function withMissing<T extends { readonly metadata?: { readonly name?: string } }>(
  present: readonly T[],
  needed: readonly T[],
): readonly T[] {
  const names = new Set(present.map(({ metadata }) => metadata?.name));
  return [...present, ...needed.filter(({ metadata }) => !names.has(metadata?.name))];
}
