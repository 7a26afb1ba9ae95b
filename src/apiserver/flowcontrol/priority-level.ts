import type { V1QueuingConfiguration } from "../../gen/types.ts";
import { Recent } from "../../base/recent.ts";
import type { SeatLimits } from "./seat-limits.ts";
import { dealHand } from "./shuffle-sharding.ts";

/** Hands remembered per level: dealing one costs 10 µs. Doubling it costs 100 kB. */
const HANDS_MAX = 512;

/** Seconds that a request is assumed to run until it has. @spec queueset.go estimatedServiceDuration 3 ms */
const ASSUMED_SECONDS = 0.003;

/** The settings of a level. */
export interface LevelConfig {
  readonly name: string;
  readonly uid: string;
  readonly isExempt: boolean;
  readonly limits: SeatLimits;
  /** Absent: what finds no seat is refused. */
  readonly queuing?: V1QueuingConfiguration;
}

/** One request that waits. */
export interface Ticket {
  /** Of its flow. */
  readonly schema: string;
  readonly distinguisher: string;
  readonly seats: number;
  readonly sinceMs: number;
}

interface FairQueue<T extends Ticket> {
  readonly tickets: T[];
  /** Seat-seconds that this queue has had, since it was last idle with all others. The least is next. */
  used: number;
}

/**
 * The requests of one priority level that wait, and who of them is next.
 *
 * Fair among queues, not requests: each time the queue goes first that has had the least seat-seconds; within a queue, first come first
 * served. A queue that was idle begins where the others are, so it cannot save up.
 * @spec k8s@1.36 apiserver util/flowcontrol/fairqueuing/queueset (start-time fair queuing with virtual time)
 */
export class PriorityLevel<T extends Ticket> {
  config: LevelConfig;
  /** Seats taken by requests that run. */
  seatsInUse = 0;
  /** Requests that wait. */
  waiting = 0;
  /** Seats they would take. */
  seatsWanted = 0;
  readonly #hands = new Recent<string, readonly number[]>(HANDS_MAX);
  readonly #queues = new Map<number, FairQueue<T>>();
  readonly #queueOf = new WeakMap<T, FairQueue<T>>();
  /** What the queue that was served last had used then. */
  #reached = 0;

  constructor(config: LevelConfig) {
    this.config = config;
  }

  /** Takes new settings; what waits goes on waiting in its queue. */
  configure(config: LevelConfig): void {
    const { queues, handSize } = this.config.queuing ?? {};
    const { queuing } = config;
    if (queuing?.queues !== queues || queuing?.handSize !== handSize) this.#hands.clear();
    this.config = config;
  }

  /** @returns the length of its queue now; `undefined`: refused, there is no room. */
  enqueue(ticket: T): number | undefined {
    const { queuing, limits } = this.config;
    const isFull = this.seatsInUse + this.seatsWanted + ticket.seats > limits.nominal;
    // Without queues only those wait that would find a seat, until it is their turn.
    if (!queuing && isFull) return undefined;
    const queue = this.#queueFor(ticket);
    if (isFull && queue.tickets.length >= (queuing?.queueLengthLimit ?? 0)) return undefined;
    if (queue.tickets.length === 0) queue.used = Math.max(queue.used, this.#reached);
    this.#queueOf.set(ticket, queue);
    this.waiting++;
    this.seatsWanted += ticket.seats;
    return queue.tickets.push(ticket);
  }

  /** Who is next. */
  peek(): T | undefined {
    return this.#next()?.tickets[0];
  }

  /** The next one leaves its queue, to run. */
  take(): T | undefined {
    const queue = this.#next();
    const ticket = queue?.tickets.shift();
    if (!queue || !ticket) return undefined;
    this.#reached = queue.used;
    queue.used += ticket.seats * ASSUMED_SECONDS;
    this.#left(ticket);
    return ticket;
  }

  /** One that was taken has run. */
  ran(ticket: T, seconds: number): void {
    const queue = this.#queueOf.get(ticket);
    if (queue) queue.used += ticket.seats * (seconds - ASSUMED_SECONDS);
  }

  /** One that waits gives up. */
  remove(ticket: T): void {
    const { tickets } = this.#queueOf.get(ticket)!;
    const at = tickets.indexOf(ticket);
    if (at < 0) return;
    tickets.splice(at, 1);
    this.#left(ticket);
  }

  /** Those that wait since before `sinceMs`. */
  olderThan(sinceMs: number): readonly T[] {
    return [...this.#queues.values()].flatMap(({ tickets }) =>
      tickets.filter((ticket) => ticket.sinceMs < sinceMs),
    );
  }

  #left(ticket: T): void {
    this.waiting--;
    this.seatsWanted -= ticket.seats;
    if (this.waiting > 0) return;
    // All are idle: nobody owes anything.
    this.#queues.clear();
    this.#reached = 0;
  }

  #next(): FairQueue<T> | undefined {
    let least: FairQueue<T> | undefined;
    for (const queue of this.#queues.values())
      if (queue.tickets.length > 0 && (!least || isBefore(queue, least))) least = queue;
    return least;
  }

  /** Of its hand, the queue in which the least work waits. */
  #queueFor(ticket: T): FairQueue<T> {
    let shortest: FairQueue<T> | undefined;
    for (const card of this.#handOf(ticket)) {
      let queue = this.#queues.get(card);
      if (!queue) this.#queues.set(card, (queue = { tickets: [], used: this.#reached }));
      if (!shortest || queue.tickets.length < shortest.tickets.length) shortest = queue;
    }
    return shortest!;
  }

  #handOf({ schema, distinguisher }: T): readonly number[] {
    const { queues = 1, handSize = 1 } = this.config.queuing ?? {};
    const flow = `${schema}\u0000${distinguisher}`;
    let hand = this.#hands.get(flow);
    if (!hand) this.#hands.set(flow, (hand = dealHand(schema, distinguisher, queues, handSize)));
    return hand;
  }
}

/** Of queues that had as much, the shorter one: its flow asks for less. */
function isBefore<T extends Ticket>(a: FairQueue<T>, b: FairQueue<T>): boolean {
  return a.used < b.used || (a.used === b.used && a.tickets.length < b.tickets.length);
}
