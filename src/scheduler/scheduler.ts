import { Node } from "../api/core/node.ts";
import { Pod } from "../api/core/pod.ts";
import { keyOf, type KubeObject } from "../api/machinery/object.ts";
import { isStatusError } from "../api/machinery/status-error.ts";
import { formatTime, type Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import type { Cache, CacheChange } from "../client/cache.ts";
import type { Client } from "../client/client.ts";
import type { V1Node, V1Pod, V1PodCondition } from "../gen/types.ts";
import { decide } from "./cycle.ts";
import type { Plugin } from "./framework.ts";
import { DEFAULT_PLUGINS } from "./plugins/all.ts";
import { SchedulingQueue } from "./queue.ts";
import { SchedulerCache } from "./scheduler-cache.ts";

/** Pods decided in a row before the event loop gets its turn. Doubling doubles the longest stall (about 0.1 ms a Pod). */
const CYCLES_PER_TURN = 32;
/** Bindings under way at once. More would only wait in the server's queue. */
const BINDINGS_MAX = 256;

/** Where events go; `EventRecorder` is one. */
export interface SchedulerEvents {
  record(
    source: string,
    event: {
      readonly type: "Normal" | "Warning";
      readonly reason: string;
      readonly message: string;
      readonly regarding: KubeObject;
      readonly kind?: typeof Pod;
      readonly action: string;
    },
  ): void;
}

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
 * goes out while the next cycle runs; the binding comes back by the watch and ends the assumption.
 * Guarantees: nothing is decided before the caches are synced; a binding that fails gives the room back and the Pod is
 * tried again; the Pod's condition and event name the reason in upstream's words.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #name: string;
  readonly #plugins: readonly Plugin[];
  readonly #state = new SchedulerCache();
  readonly #queue: SchedulingQueue;
  #isRunning = false;
  #isTurnPlanned = false;
  #bindings = 0;
  #next = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#name = options.name ?? "default-scheduler";
    this.#plugins = options.plugins ?? DEFAULT_PLUGINS;
    this.#queue = new SchedulingQueue(options.clock, this.#plugins, () => this.#planTurn());
  }

  /** Resolves when the caches are synced and decisions have begun. */
  async start(): Promise<void> {
    const { cache } = this.#options;
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
    this.#queue.close();
  }

  #onNode({ key, old, object }: CacheChange<V1Node>): void {
    if (!object) return this.#state.removeNode(key.name);
    this.#state.setNode(object);
    this.#queue.wake({ kind: "node", node: object, old });
  }

  #onPod({ old, object }: CacheChange<V1Pod>): void {
    const isOn = object !== undefined && Boolean(object.spec?.nodeName) && !isFinished(object);
    if (isOn) this.#state.setPod(object);
    else if (old && this.#state.removePod(old.metadata?.uid ?? ""))
      this.#queue.wake({ kind: "pod-freed", pod: old });
    if (object && this.#isOurs(object)) this.#queue.add(object);
    else if (old) this.#queue.remove(old);
  }

  #isOurs(pod: V1Pod): boolean {
    return (
      !pod.spec?.nodeName &&
      pod.spec?.schedulerName === this.#name &&
      !pod.metadata?.deletionTimestamp &&
      !isFinished(pod) &&
      (pod.spec.schedulingGates ?? []).length === 0 &&
      !this.#state.isAssumed(pod)
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
    for (let count = 0; this.#isRunning; count++) {
      if (this.#bindings >= BINDINGS_MAX) return;
      if (count === CYCLES_PER_TURN) return this.#planTurn();
      const pod = this.#queue.pop();
      if (!pod) return;
      this.#cycle(pod);
    }
  }

  #cycle(pod: V1Pod): void {
    const nodes = this.#state.nodes();
    const decision = decide(pod, nodes, this.#plugins, this.#options.random, this.#next);
    if (decision.kind === "unschedulable") {
      this.#queue.refuse(pod, decision.plugins);
      this.#sayWhyNot(pod, decision.message);
      return;
    }
    this.#next = (this.#next + decision.feasible) % nodes.length;
    this.#state.assume(pod, decision.node.name);
    void this.#bind(pod, decision.node.name);
  }

  async #bind(pod: V1Pod, node: string): Promise<void> {
    const { client, events, logger } = this.#options;
    const key = keyOf(pod);
    this.#bindings++;
    try {
      await client.createSubresource(Pod, key, "binding", bindingOf(pod, node));
      events.record(this.#name, {
        type: "Normal",
        reason: "Scheduled",
        message: `Successfully assigned ${key.namespace}/${key.name} to ${node}`,
        regarding: pod,
        kind: Pod,
        action: "Binding",
      });
    } catch (error) {
      this.#state.forget(pod);
      const isGone = isStatusError(error, "NotFound") || isStatusError(error, "Conflict");
      if (!isGone)
        logger.warning("binding failed", {
          pod: `${key.namespace}/${key.name}`,
          node,
          error: String(error),
        });
      this.#queue.retryLater(pod);
    } finally {
      this.#bindings--;
      this.#planTurn();
    }
  }

  #sayWhyNot(pod: V1Pod, message: string): void {
    const { client, events, logger, clock } = this.#options;
    events.record(this.#name, {
      type: "Warning",
      reason: "FailedScheduling",
      message,
      regarding: pod,
      kind: Pod,
      action: "Scheduling",
    });
    const condition = unschedulableCondition(pod, message, formatTime(clock.now()));
    if (!condition) return;
    const body = { status: { conditions: [condition] } };
    client
      .patch(Pod, keyOf(pod), { type: "strategic", body }, { subresource: "status" })
      .catch((error: unknown) => {
        if (!isStatusError(error, "NotFound"))
          logger.warning("writing a pod's condition failed", { error: String(error) });
      });
  }
}

function isFinished(pod: V1Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

function bindingOf(pod: V1Pod, node: string): KubeObject & { readonly target: object } {
  const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name, namespace, uid },
    target: { apiVersion: "v1", kind: "Node", name: node },
  };
}

/** `undefined`: the Pod says so already. @spec k8s@1.36 PodScheduled=False, reason Unschedulable */
function unschedulableCondition(
  pod: V1Pod,
  message: string,
  now: string,
): V1PodCondition | undefined {
  const known = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (known?.status === "False" && known.reason === "Unschedulable" && known.message === message)
    return undefined;
  const lastTransitionTime = known?.status === "False" ? known.lastTransitionTime : now;
  return {
    type: "PodScheduled",
    status: "False",
    reason: "Unschedulable",
    message,
    ...(pod.metadata?.generation === undefined
      ? {}
      : { observedGeneration: pod.metadata.generation }),
    ...(lastTransitionTime ? { lastTransitionTime } : {}),
  } as V1PodCondition;
}
