import { Node } from "../api/core/node.ts";
import { Pod } from "../api/core/pod.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import { turnsOf } from "../base/turns.ts";
import type { Cache, CacheChange } from "../client/cache.ts";
import type { Client } from "../client/client.ts";
import type { V1Node, V1Pod } from "../gen/types.ts";
import type { Decision } from "./cycle.ts";
import { Decider } from "./decider.ts";
import { demandOf } from "./demand.ts";
import { followCluster } from "./follow-cluster.ts";
import type { Plugin } from "./framework.ts";
import { DEFAULT_PLUGINS } from "./plugins/all.ts";
import { PodClasses } from "./pod-class.ts";
import { PodWrites, type SchedulerEvents } from "./pod-writes.ts";
import { priorityOf } from "./priority.ts";
import { SchedulingQueue } from "./queue.ts";
import { isCountedAlike, SchedulerCache } from "./scheduler-cache.ts";
import { Workloads } from "./workloads.ts";

/** Bindings under way at once. More would only wait in the server's queue. */
const BINDINGS_MAX = 256;
/** Without a decision for so long, what was remembered for the next one is given up, in ms. */
const REST_MS = 30_000;

/** What a scheduler stands on. */
export interface SchedulerOptions {
  readonly client: Client;
  readonly cache: Cache;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: SchedulerEvents;
  /** Pods that name this scheduler are its own. Default `default-scheduler`. */
  readonly name?: string;
  readonly plugins?: readonly Plugin[];
}

/**
 * Gives every Pod that names it a node, or says why it cannot.
 *
 * Flow: a pending Pod enters the queue; a cycle decides on the newest cache; the Pod is assumed on its node and the binding
 * goes out while the next cycle runs; the binding comes back by the watch and ends the assumption. Bindings that go out in
 * one turn of the loop are one durable write of the store, and each succeeds or fails by itself.
 * Guarantees: nothing is decided before the caches are synced; a binding that fails gives the room back and the Pod is
 * tried again; the Pod's condition and event name the reason in upstream's words.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #name: string;
  readonly #state = new SchedulerCache();
  readonly #workloads = new Workloads();
  readonly #decider: Decider;
  readonly #queue: SchedulingQueue;
  readonly #writes: PodWrites;
  #isRunning = false;
  #isTurnPlanned = false;
  #bindings = 0;
  /** Of the labels that affinity terms look at: with others, Pods are of other classes. */
  #interestVersion = 0;
  #lastTurnMs = 0;
  #rest: Timer | undefined;

  constructor(options: SchedulerOptions) {
    const { client, clock, logger, events, random, plugins = DEFAULT_PLUGINS } = options;
    this.#options = options;
    this.#name = options.name ?? "default-scheduler";
    const classes = new PodClasses(plugins, this.#state.interest, this.#workloads);
    this.#decider = new Decider(this.#state, classes, random);
    this.#queue = new SchedulingQueue(clock, classes, () => this.#planTurn());
    this.#writes = new PodWrites(this.#name, client, clock, logger, events);
  }

  /** Resolves when the caches are synced and decisions have begun. */
  async start(): Promise<void> {
    const { cache } = this.#options;
    await followCluster(cache, this.#state, this.#workloads);
    cache.onChange(Node, (change) => this.#onNode(change as CacheChange<V1Node>));
    cache.onChange(Pod, (change) => this.#onPod(change as CacheChange<V1Pod>));
    await cache.sync(Node);
    await cache.sync(Pod);
    this.#isRunning = true;
    this.#planTurn();
  }

  /** Decides nothing more. Bindings under way end on their own. */
  close(): void {
    this.#isRunning = false;
    this.#rest?.cancel();
    this.#queue.close();
  }

  #onNode({ key, old, object: node }: CacheChange<V1Node>): void {
    if (!node) {
      this.#state.removeNode(key.name);
      if (old) this.#queue.wake({ kind: "node-gone", node: old });
      return;
    }
    const difference = this.#state.setNode(node);
    const { allocatable, labels, taints } = difference ?? {};
    const isNews = !difference || allocatable || labels || taints;
    if (isNews) this.#queue.wake({ kind: "node", node, old: difference && old, difference });
  }

  #onPod({ old, object }: CacheChange<V1Pod>): void {
    const pod = object ?? old;
    if (!pod) return;
    const isOver = !object || isFinished(object);
    if (isOver) this.#free(pod, this.#state.removePod(pod.metadata?.uid ?? ""));
    else if (pod.spec?.nodeName) this.#onPlaced(old, pod);
    this.#followNomination(old, isOver ? undefined : pod);
    // What is assumed stays so, whatever else is written to the Pod meanwhile: the binding is under way.
    if (!isOver && this.#isOurs(pod)) return this.#queue.add(pod);
    this.#queue.remove(pod);
    this.#writes.forget(pod);
  }

  /** What the server says of a nomination counts when it changes: our own word is ahead of it until it is written. */
  #followNomination(old: V1Pod | undefined, pod: V1Pod | undefined): void {
    const { nominations } = this.#state;
    const uid = (pod ?? old)?.metadata?.uid ?? "";
    const told = pod?.status?.nominatedNodeName;
    if (!pod || pod.spec?.nodeName || !this.#isOurs(pod)) nominations.delete(uid);
    else if (told !== old?.status?.nominatedNodeName) nominations.set(pod, told || undefined);
  }

  #onPlaced(old: V1Pod | undefined, pod: V1Pod): void {
    this.#free(pod, this.#state.setPod(pod));
    if (!old?.spec?.nodeName) this.#queue.wake({ kind: "pod-placed", pod });
    else if (!isCountedAlike(old, pod)) this.#queue.wake({ kind: "pod-changed", pod, old });
    this.#reclassify();
  }

  #free(pod: V1Pod, demand: ReturnType<SchedulerCache["removePod"]>): void {
    if (demand) this.#queue.wake({ kind: "pod-freed", demand, pod });
  }

  #reclassify(): void {
    const { version } = this.#state.interest;
    if (version === this.#interestVersion) return;
    this.#interestVersion = version;
    this.#queue.reclassify();
  }

  #isOurs({ metadata, spec }: V1Pod): boolean {
    return (
      !spec?.nodeName &&
      spec?.schedulerName === this.#name &&
      !metadata?.deletionTimestamp &&
      (spec.schedulingGates ?? []).length === 0
    );
  }

  /** Decides in a later turn of the event loop, so that a burst of Pods is met by one batch. */
  #planTurn(): void {
    if (!this.#isRunning || this.#isTurnPlanned) return;
    this.#isTurnPlanned = true;
    this.#options.clock.after(0, () => {
      this.#isTurnPlanned = false;
      this.#turn();
    });
  }

  #turn(): void {
    const { clock } = this.#options;
    const slice = turnsOf(clock).slice();
    this.#lastTurnMs = clock.monotonic();
    this.#planRest();
    while (this.#isRunning && this.#bindings < BINDINGS_MAX) {
      const pod = this.#queue.pop();
      if (!pod) return;
      this.#cycle(pod);
      if (slice.isOver) return this.#goOn();
    }
  }

  /** The slice of this turn is used up. */
  #goOn(): void {
    if (this.#isTurnPlanned) return;
    this.#isTurnPlanned = true;
    void turnsOf(this.#options.clock)
      .next()
      .then(() => {
        this.#isTurnPlanned = false;
        this.#turn();
      });
  }

  #cycle(pod: V1Pod): void {
    const decision = this.#decider.decide(pod);
    if (decision.kind === "bind") return this.#place(pod, decision.node.name);
    const { nominations } = this.#state;
    const uid = pod.metadata?.uid ?? "";
    if (decision.kind === "preempt") {
      nominations.set(pod, decision.node.name);
      this.#queue.refuse(pod, decision.plugins, true);
      void this.#preempt(pod, decision);
    } else {
      if (decision.losesNomination) nominations.delete(uid);
      this.#queue.refuse(pod, decision.plugins, nominations.nodeOf(uid) !== undefined);
    }
    this.#writes.sayWhyNot(pod, decision.message, nominations.nodeOf(uid));
  }

  #place(pod: V1Pod, node: string): void {
    const { nominations } = this.#state;
    const uid = pod.metadata?.uid ?? "";
    const kept = nominations.nodeOf(uid);
    nominations.delete(uid);
    this.#state.assume(pod, node);
    this.#queue.placed(pod);
    this.#reclassify();
    // The room that was kept for it is there for others.
    if (kept !== undefined && kept !== node) this.#free(pod, demandOf(pod));
    void this.#bind(pod, node);
  }

  /** Evicts the victims. Pods of lower priority that waited for the same node must look for another. */
  async #preempt(
    pod: V1Pod,
    { node, victims }: Extract<Decision, { kind: "preempt" }>,
  ): Promise<void> {
    const { nominations } = this.#state;
    for (const other of [...nominations.on(node.name)]) {
      if (priorityOf(other) >= priorityOf(pod)) continue;
      nominations.delete(other.metadata?.uid ?? "");
      this.#writes.clearNomination(other);
      this.#queue.tryAgain(other);
    }
    const isDone = await this.#writes.evict(pod, node.name, victims);
    if (!isDone) this.#queue.tryAgain(pod);
  }

  async #bind(pod: V1Pod, node: string): Promise<void> {
    this.#bindings++;
    const isBound = await this.#writes.bind(pod, node);
    this.#bindings--;
    if (!isBound) {
      this.#queue.retryLater(pod);
      this.#free(pod, this.#state.forget(pod));
    }
    this.#planTurn();
  }

  #planRest(): void {
    const { clock } = this.#options;
    this.#rest ??= clock.after(this.#lastTurnMs + REST_MS - clock.monotonic(), () => {
      this.#rest = undefined;
      if (clock.monotonic() - this.#lastTurnMs >= REST_MS) this.#decider.rest();
      else this.#planRest();
    });
  }
}

function isFinished(pod: V1Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}
