import { Node } from "../api/core/node.ts";
import { Pod } from "../api/core/pod.ts";
import { keyOf } from "../api/machinery/object.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { MetricRegistry } from "../base/metrics.ts";
import type { Random } from "../base/random.ts";
import { turnsOf } from "../base/turns.ts";
import type { Cache, CacheChange } from "../client/cache.ts";
import type { Client } from "../client/client.ts";
import type { V1Node, V1Pod } from "../gen/types.ts";
import { DEFAULT_CONFIGURATION, type SchedulerConfiguration } from "./configuration.ts";
import { NO_NODES, type Decision } from "./cycle.ts";
import { ClaimWrites, type PendingVolumes } from "./claims-writes.ts";
import { CycleTimes, type ExtensionPoint } from "./cycle-times.ts";
import { Decider } from "./decider.ts";
import { demandOf } from "./demand.ts";
import { explainPod, type PodExplanation } from "./explanation.ts";
import { followCluster } from "./follow-cluster.ts";
import { decideWithExtenders } from "./extended-cycle.ts";
import { Extender, type PostJson } from "./extender.ts";
import type { ClusterChange } from "./framework.ts";
import { GatedPods } from "./gated-pods.ts";
import type { NodeInfo } from "./node-info.ts";
import { PodClasses, type PodClass } from "./pod-class.ts";
import { PodWrites, type SchedulerEvents } from "./pod-writes.ts";
import { priorityOf } from "./priority.ts";
import type { Profile } from "./profile.ts";
import { SchedulingQueue, type Waited } from "./queue.ts";
import { isCountedAlike, SchedulerCache } from "./scheduler-cache.ts";
import { SchedulerMetrics, type ProfileMeter, type SchedulerState } from "./scheduler-metrics.ts";
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
  /** Pods that name one of its profiles are its own. */
  readonly configuration?: SchedulerConfiguration;
  /** How extenders are spoken to; absent: there are none. */
  readonly postJson?: PostJson;
  /** Where it tells of itself; absent: nobody asks. */
  readonly metrics?: MetricRegistry;
}

/** What schedules the Pods of one profile. All profiles share nodes, queue and nominations. */
interface Worker {
  readonly profile: Profile;
  readonly classes: PodClasses;
  readonly decider: Decider;
  readonly writes: PodWrites;
  readonly meter: ProfileMeter;
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
  readonly #state = new SchedulerCache();
  readonly #workloads = new Workloads();
  /** By scheduler name. */
  readonly #workers: ReadonlyMap<string, Worker>;
  readonly #extenders: readonly Extender[];
  readonly #queue: SchedulingQueue;
  readonly #metrics: SchedulerMetrics;
  readonly #gated: GatedPods;
  readonly #volumes: ClaimWrites;
  /** Uids of Pods whose victims are being told to go. */
  readonly #evicting = new Set<string>();
  #isRunning = false;
  /** A decision waits for an extender: no other is made meanwhile. */
  #isExtending = false;
  #isTurnPlanned = false;
  #bindings = 0;
  /** Of the labels that affinity terms look at: with others, Pods are of other classes. */
  #interestVersion = 0;
  #lastTurnMs = 0;
  #rest: Timer | undefined;

  constructor(options: SchedulerOptions) {
    const { clock, configuration = DEFAULT_CONFIGURATION, postJson } = options;
    const { profiles, extenders } = configuration;
    this.#options = options;
    this.#metrics = new SchedulerMetrics(options.metrics ?? new MetricRegistry());
    this.#gated = new GatedPods(this.#metrics);
    const nodeOf = (name: string): V1Node | undefined => this.#state.node(name)?.node;
    this.#volumes = new ClaimWrites(options.client, clock, this.#state.claims, nodeOf);
    this.#workers = new Map(profiles.map((one) => [one.schedulerName, this.#workerOf(one)]));
    this.#extenders = postJson ? extenders.map((one) => new Extender(one, postJson)) : [];
    const classOf = (pod: V1Pod): PodClass => this.#workerFor(pod).classes.of(pod);
    this.#queue = new SchedulingQueue(
      clock,
      { of: classOf },
      () => this.#planTurn(),
      configuration,
      (queue, event) => this.#metrics.incoming(queue, event),
    );
    this.#metrics.follow(() => this.#describe());
  }

  #workerOf(profile: Profile): Worker {
    const { client, clock, logger, events, random } = this.#options;
    const { schedulerName, plugins, preemption } = profile;
    const classes = new PodClasses(plugins, this.#state.interest, this.#workloads);
    const meter = this.#metrics.profile(schedulerName);
    const times = new CycleTimes(clock, meter);
    const decider = new Decider(this.#state, classes, random, preemption, times);
    const writes = new PodWrites(schedulerName, client, clock, logger, events);
    return { profile, classes, decider, writes, meter };
  }

  #describe(): SchedulerState {
    const { all, assumed } = this.#state.podCounts;
    return {
      pending: { ...this.#queue.counts, gated: this.#gated.size },
      refused: this.#queue.refused,
      nodes: this.#state.nodes.length,
      pods: all,
      assumedPods: assumed,
    };
  }

  /** Resolves when the caches are synced and decisions have begun. */
  async start(): Promise<void> {
    const { cache } = this.#options;
    const onChange = (change: ClusterChange): void => {
      if (change.kind === "storage") this.#volumes.heed();
      this.#queue.wake(change);
    };
    const others = followCluster(cache, this.#state, this.#workloads, onChange);
    cache.onChange(Node, (change) => this.#onNode(change as CacheChange<V1Node>));
    cache.onChange(Pod, (change) => this.#onPod(change as CacheChange<V1Pod>));
    await Promise.all([others, cache.sync(Node), cache.sync(Pod)]);
    this.#isRunning = true;
    this.#planTurn();
  }

  /** Why a Pod is where it is, or nowhere, by what is known now. */
  explain(pod: V1Pod): PodExplanation {
    const worker = this.#workers.get(pod.spec?.schedulerName ?? "");
    const schedulers = [...this.#workers.keys()];
    const classOf = worker && ((one: V1Pod): PodClass => worker.classes.of(one));
    return explainPod(pod, classOf, this.#state, schedulers);
  }

  /** Decides nothing more. Bindings under way end on their own. */
  close(): void {
    this.#isRunning = false;
    this.#rest?.cancel();
    this.#volumes.close();
    this.#queue.close();
  }

  #onNode({ key, old, object: node }: CacheChange<V1Node>): void {
    if (!node) {
      this.#state.removeNode(key.name);
      if (old) this.#queue.wake({ kind: "node-gone", node: old });
      return;
    }
    const difference = this.#state.setNode(node);
    const { allocatable, labels, taints, features } = difference ?? {};
    const isNews = !difference || allocatable || labels || taints || features;
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
    if (!isOver && this.#isOurs(pod)) return this.#queue.add(pod, this.#gated.release(pod));
    this.#gated.note(pod, !isOver && this.#workers.has(pod.spec?.schedulerName ?? ""));
    if (isOver) this.#volumes.cancel(pod);
    this.#queue.remove(pod);
    this.#workers.get(pod.spec?.schedulerName ?? "")?.writes.forget(pod);
  }

  /** What the server says of a nomination counts when it changes: our own word is ahead of it until it is written. */
  #followNomination(old: V1Pod | undefined, pod: V1Pod | undefined): void {
    const { nominations } = this.#state;
    const uid = (pod ?? old)?.metadata?.uid ?? "";
    const told = pod?.status?.nominatedNodeName;
    if (pod && this.#state.isAssumed(pod)) return;
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
      this.#workers.has(spec?.schedulerName ?? "") &&
      !metadata?.deletionTimestamp &&
      (spec?.schedulingGates ?? []).length === 0
    );
  }

  /** Only of Pods that are ours. */
  #workerFor({ spec }: V1Pod): Worker {
    return this.#workers.get(spec?.schedulerName ?? "")!;
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
    while (this.#isRunning && !this.#isExtending && this.#bindings < BINDINGS_MAX) {
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
    const extenders = this.#extenders.filter((extender) => extender.isInterested(pod));
    const isAsked = extenders.some(
      ({ settings }) => settings.filterVerb || settings.prioritizeVerb,
    );
    const startMs = this.#options.clock.monotonic();
    if (isAsked) return void this.#extendedCycle(pod, extenders, startMs);
    this.#carryOut(pod, this.#workerFor(pod).decider.decide(pod), startMs);
  }

  /** The loop stands still until the extenders have answered. */
  async #extendedCycle(pod: V1Pod, extenders: readonly Extender[], startMs: number): Promise<void> {
    const { random, logger, clock } = this.#options;
    const { classes, profile, writes, meter } = this.#workerFor(pod);
    this.#isExtending = true;
    try {
      const decision = await decideWithExtenders(pod, classes.of(pod), {
        extenders,
        snapshot: this.#state,
        random,
        preemption: profile.preemption,
        onIgnored: ({ settings }, error) =>
          logger.info("an extender did not answer", {
            url: settings.urlPrefix,
            error: String(error),
          }),
      });
      if (!this.#isThere(pod)) return;
      const isGone = decision.kind !== "unschedulable" && !this.#isKnown(decision.node);
      if (isGone) this.#queue.retryLater(pod);
      else this.#carryOut(pod, decision, startMs);
    } catch (error) {
      if (!this.#isThere(pod)) return;
      meter.error(clock.monotonic() - startMs);
      this.#state.nominations.delete(pod.metadata?.uid ?? "");
      writes.sayFailure(pod, error instanceof Error ? error.message : String(error));
      this.#queue.retryLater(pod);
    } finally {
      this.#isExtending = false;
      this.#planTurn();
    }
  }

  /** Pods may go while an extender thinks. */
  #isThere(pod: V1Pod): boolean {
    const found = this.#options.cache.get(Pod, keyOf(pod));
    return found !== undefined && found.metadata?.uid === pod.metadata?.uid;
  }

  /** So may nodes. */
  #isKnown(node: NodeInfo): boolean {
    return this.#state.node(node.name) === node;
  }

  /** `startMs`: when its cycle began. */
  #carryOut(pod: V1Pod, decision: Decision, startMs: number): void {
    const { meter, profile, writes } = this.#workerFor(pod);
    const tookMs = this.#options.clock.monotonic() - startMs;
    this.#metrics.decided(tookMs / 1000);
    if (decision.kind === "bind") return this.#place(pod, decision.node.name, startMs);
    meter.unschedulable(tookMs);
    if (profile.preemption && decision !== NO_NODES) this.#metrics.preempting();
    const { nominations } = this.#state;
    const uid = pod.metadata?.uid ?? "";
    if (decision.kind === "preempt") {
      // Woken before its victims were told to go: they are enough, and others shall not go as well.
      const isUnderWay = this.#evicting.has(uid);
      if (!isUnderWay) nominations.set(pod, decision.node.name);
      this.#queue.refuse(pod, decision.plugins, true);
      if (!isUnderWay) {
        this.#metrics.victims(decision.victims.length);
        void this.#preempt(pod, decision);
      }
    } else {
      if (decision.losesNomination) nominations.delete(uid);
      this.#queue.refuse(pod, decision.plugins, nominations.nodeOf(uid) !== undefined);
    }
    writes.sayWhyNot(pod, decision.message, nominations.nodeOf(uid));
  }

  #place(pod: V1Pod, node: string, startMs: number): void {
    const { nominations } = this.#state;
    const { profile, meter } = this.#workerFor(pod);
    const reserveMs = this.#options.clock.monotonic();
    const uid = pod.metadata?.uid ?? "";
    const kept = nominations.nodeOf(uid);
    nominations.delete(uid);
    this.#state.assume(pod, node);
    const volumes = this.#volumes.assume(pod, node, profile.volumeBindTimeoutMs);
    const isReserved = !volumes || !("problem" in volumes);
    this.#lap(meter, "Reserve", isReserved, reserveMs);
    const waited = this.#queue.placed(pod);
    this.#reclassify();
    // The room that was kept for it is there for others.
    if (kept !== undefined && kept !== node) this.#free(pod, demandOf(pod));
    if (!volumes) void this.#bind(pod, node, startMs, waited);
    else if ("problem" in volumes) this.#giveBack(pod, startMs, volumes.problem);
    else void this.#bindWithVolumes(volumes, startMs, waited);
  }

  /** Evicts the victims. Pods of lower priority that waited for the same node must look for another. */
  async #preempt(
    pod: V1Pod,
    { node, victims }: Extract<Decision, { kind: "preempt" }>,
  ): Promise<void> {
    const { nominations } = this.#state;
    const { writes } = this.#workerFor(pod);
    for (const other of [...nominations.on(node.name)]) {
      if (priorityOf(other) >= priorityOf(pod)) continue;
      nominations.delete(other.metadata?.uid ?? "");
      writes.clearNomination(other);
      this.#queue.tryAgain(other);
    }
    const uid = pod.metadata?.uid ?? "";
    this.#evicting.add(uid);
    const isDone = await writes.evict(pod, node.name, victims);
    this.#evicting.delete(uid);
    if (!isDone) this.#queue.tryAgain(pod);
  }

  /** Its volumes first: they may take minutes. */
  async #bindWithVolumes(
    volumes: PendingVolumes,
    startMs: number,
    waited: Waited | undefined,
  ): Promise<void> {
    const { pod, plan } = volumes;
    this.#workerFor(pod).writes.expect(pod, plan.node);
    const preBindMs = this.#options.clock.monotonic();
    const outcome = await this.#volumes.bind(volumes);
    this.#lap(this.#workerFor(pod).meter, "PreBind", outcome === "bound", preBindMs);
    if (outcome === "bound") return this.#bind(pod, plan.node, startMs, waited);
    this.#giveBack(pod, startMs, outcome === "gone" ? undefined : outcome.problem);
  }

  /** The Pod does not get the node that it was assumed on. `problem` `undefined`: it has gone. */
  #giveBack(pod: V1Pod, startMs: number, problem: string | undefined): void {
    const { writes, meter } = this.#workerFor(pod);
    meter.error(this.#options.clock.monotonic() - startMs);
    this.#queue.retryLater(pod);
    this.#free(pod, this.#state.forget(pod));
    if (problem === undefined || !this.#isThere(pod)) return;
    // As it is now: the node that it was expected on may stand there.
    writes.sayFailure(this.#options.cache.get(Pod, keyOf(pod))!, problem);
  }

  async #bind(
    pod: V1Pod,
    node: string,
    startMs: number,
    waited: Waited | undefined,
  ): Promise<void> {
    const { writes, meter } = this.#workerFor(pod);
    this.#bindings++;
    const binder = this.#extenders.find(
      (extender) => extender.settings.bindVerb !== "" && extender.isInterested(pod),
    );
    const bindMs = this.#options.clock.monotonic();
    const outcome = await writes.bind(pod, node, binder);
    this.#bindings--;
    const nowMs = this.#lap(meter, "Bind", outcome === "bound", bindMs);
    if (outcome !== "bound")
      this.#giveBack(pod, startMs, outcome === "gone" ? undefined : outcome.problem);
    else {
      meter.scheduled(nowMs - startMs);
      if (waited) this.#metrics.placed(waited.attempts, nowMs - waited.addedMs);
    }
    this.#planTurn();
  }

  /** @returns now */
  #lap(meter: ProfileMeter, point: ExtensionPoint, isDone: boolean, sinceMs: number): number {
    const nowMs = this.#options.clock.monotonic();
    meter.point(point, isDone ? "Success" : "Error", nowMs - sinceMs);
    return nowMs;
  }

  #planRest(): void {
    const { clock } = this.#options;
    this.#rest ??= clock.after(this.#lastTurnMs + REST_MS - clock.monotonic(), () => {
      this.#rest = undefined;
      if (clock.monotonic() - this.#lastTurnMs >= REST_MS)
        for (const { decider } of this.#workers.values()) decider.rest();
      else this.#planRest();
    });
  }
}

function isFinished(pod: V1Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}
