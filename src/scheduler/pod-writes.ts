import { Pod } from "../api/core/pod.ts";
import { keyOf, type KubeObject } from "../api/machinery/object.ts";
import { isStatusError, StatusError } from "../api/machinery/status-error.ts";
import { formatTime, sleep, type Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Client } from "../client/client.ts";
import type { V1Pod, V1PodCondition } from "../gen/types.ts";
import type { Extender } from "./extender.ts";

/**
 * How often one reason is told again by an event, in ms: events are kept for an hour, and a Pod that waits for longer must
 * still say why. Halving it doubles the events of a cluster that is full.
 */
const TELL_AGAIN_MS = 5 * 60_000;
/** Before the server is asked again what has become of a binding, in ms. Doubling doubles how long a lost one waits. */
const ASK_AGAIN_MS = 1000;
/** Characters of an event's message. @spec events.k8s.io validation NoteLengthLimit; schedule_one.go truncateMessage */
const MESSAGE_CHARACTERS_MAX = 1024;

interface ScheduleEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** What was tried. */
  readonly action: "Binding" | "Scheduling" | "Preempting";
}

/** Where events go; `EventRecorder` is one. */
export interface SchedulerEvents {
  record(
    source: string,
    event: ScheduleEvent & { readonly regarding: KubeObject; readonly kind?: typeof Pod },
  ): void;
}

interface Told {
  readonly message: string;
  readonly atMs: number;
}

/** `gone`: the Pod is, or somebody else was faster. `problem`: it is where it was, on no node. */
export type BindOutcome = "bound" | "gone" | { readonly problem: string };

/** What the scheduler writes: bindings, and why a Pod has none. */
export class PodWrites {
  readonly #name: string;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #events: SchedulerEvents;
  /** Of Pods that wait, by uid. */
  readonly #told = new Map<string, Told>();

  constructor(name: string, client: Client, clock: Clock, logger: Logger, events: SchedulerEvents) {
    this.#name = name;
    this.#client = client;
    this.#clock = clock;
    this.#logger = logger;
    this.#events = events;
  }

  /**
   * `binder`: an extender that does it.
   *
   * Resolves when it is certain: room that was given back for a binding which has been carried out after all would be given away
   * twice.
   */
  async bind(pod: V1Pod, node: string, binder?: Pick<Extender, "bind">): Promise<BindOutcome> {
    const key = keyOf(pod);
    try {
      if (binder) await binder.bind(pod, node);
      else await this.#client.createSubresource(Pod, key, "binding", bindingOf(pod, node));
    } catch (error) {
      const isGone = isStatusError(error, "NotFound") || isStatusError(error, "Conflict");
      const fields = { pod: `${key.namespace}/${key.name}`, node, error: String(error) };
      if (!isGone) this.#logger.warning("binding failed", fields);
      const text = error instanceof Error ? error.message : String(error);
      const problem = binder ? text : `running Bind plugin "DefaultBinder": ${text}`;
      if (isRefusal(error) || !(await this.#isOn(pod, node))) return isGone ? "gone" : { problem };
    }
    const message = `Successfully assigned ${key.namespace}/${key.name} to ${node}`;
    this.#record(pod, { type: "Normal", reason: "Scheduled", message, action: "Binding" });
    return "bound";
  }

  /** What the server says, however long it takes to hear it. */
  async #isOn(pod: V1Pod, node: string): Promise<boolean> {
    for (;;) {
      try {
        const { metadata, spec } = await this.#client.get(Pod, keyOf(pod));
        return metadata?.uid === pod.metadata?.uid && spec?.nodeName === node;
      } catch (error) {
        if (isStatusError(error, "NotFound")) return false;
      }
      await sleep(this.#clock, ASK_AGAIN_MS);
    }
  }

  /** Something failed that is not the Pod's fault, and is tried again. @spec v1 PodReasonSchedulerError */
  sayFailure(pod: V1Pod, message: string): void {
    this.sayWhyNot(pod, message, undefined, "SchedulerError");
  }

  /** An event and the Pod's condition; both only when they say something new. `nominated`: the node that is kept for it. */
  sayWhyNot(pod: V1Pod, message: string, nominated?: string, reason = "Unschedulable"): void {
    const uid = pod.metadata?.uid ?? "";
    const told = this.#told.get(uid);
    const nowMs = this.#clock.monotonic();
    if (told?.message !== message || nowMs - told.atMs >= TELL_AGAIN_MS) {
      this.#told.set(uid, { message, atMs: nowMs });
      const event = { reason: "FailedScheduling", message: shortened(message) };
      this.#record(pod, { type: "Warning", ...event, action: "Scheduling" });
    }
    const condition = unschedulableCondition(pod, reason, message, formatTime(this.#clock.now()));
    const known = pod.status?.nominatedNodeName || undefined;
    if (!condition && known === nominated) return;
    this.#patchStatus(pod, {
      ...(condition && { conditions: [condition] }),
      ...(known !== nominated && { nominatedNodeName: nominated ?? null }),
    });
  }

  /** It will be bound there when what it waits for is done. @spec KEP-5278; k8s@1.36 schedule_one.go bindingCycle */
  expect(pod: V1Pod, node: string): void {
    if (pod.status?.nominatedNodeName !== node) this.#patchStatus(pod, { nominatedNodeName: node });
  }

  /** The node is kept for somebody else. */
  clearNomination(pod: V1Pod): void {
    if (pod.status?.nominatedNodeName) this.#patchStatus(pod, { nominatedNodeName: null });
  }

  /**
   * Makes room for `pod`: each victim is told why, and deleted.
   *
   * @returns false: some are still there.
   * @spec k8s@1.36 framework/preemption PreemptPod
   */
  async evict(pod: V1Pod, node: string, victims: readonly V1Pod[]): Promise<boolean> {
    const done = await Promise.all(
      victims
        .filter(({ metadata }) => !metadata?.deletionTimestamp)
        .map((victim) => this.#evictOne(pod, node, victim)),
    );
    return done.every(Boolean);
  }

  async #evictOne(pod: V1Pod, node: string, victim: V1Pod): Promise<boolean> {
    const key = keyOf(victim);
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "PreemptionByScheduler",
      message: `${pod.spec?.schedulerName ?? ""}: preempting to accommodate a higher priority pod`,
      lastTransitionTime: formatTime(this.#clock.now()),
      ...observedGeneration(victim),
    };
    const body = { status: { conditions: [condition] } };
    try {
      await this.#client.patch(Pod, key, { type: "strategic", body }, { subresource: "status" });
      await this.#client.delete(Pod, key, { ifUid: victim.metadata?.uid ?? "" });
    } catch (error) {
      if (isStatusError(error, "NotFound") || isStatusError(error, "Conflict")) return true;
      this.#logger.warning("evicting a pod failed", { ...key, error: String(error) });
      return false;
    }
    const message = `Preempted by pod ${pod.metadata?.uid ?? ""} on node ${node}`;
    this.#record(victim, { type: "Normal", reason: "Preempted", message, action: "Preempting" });
    return true;
  }

  #patchStatus(pod: V1Pod, status: object): void {
    this.#client
      .patch(Pod, keyOf(pod), { type: "strategic", body: { status } }, { subresource: "status" })
      .catch((error: unknown) => {
        if (!isStatusError(error, "NotFound"))
          this.#logger.warning("writing a pod's status failed", { error: String(error) });
      });
  }

  /** The Pod waits no more. */
  forget(pod: V1Pod): void {
    this.#told.delete(pod.metadata?.uid ?? "");
  }

  #record(pod: V1Pod, event: ScheduleEvent): void {
    this.#events.record(this.#name, { ...event, regarding: pod, kind: Pod });
  }
}

/** The server has surely not carried it out: it says so, and does not mean that it did before. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    !isStatusError(error, "Conflict") &&
    !isStatusError(error, "Timeout")
  );
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

function shortened(message: string): string {
  const end = " ...";
  return message.length <= MESSAGE_CHARACTERS_MAX
    ? message
    : message.slice(0, MESSAGE_CHARACTERS_MAX - end.length) + end;
}

/** `undefined`: the Pod says so already. @spec k8s@1.36 PodScheduled=False, reason Unschedulable */
function unschedulableCondition(
  pod: V1Pod,
  reason: string,
  message: string,
  now: string,
): V1PodCondition | undefined {
  const known = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (known?.status === "False" && known.reason === reason && known.message === message)
    return undefined;
  const lastTransitionTime = known?.status === "False" ? known.lastTransitionTime : now;
  return {
    type: "PodScheduled",
    status: "False",
    reason,
    message,
    ...observedGeneration(pod),
    ...(lastTransitionTime ? { lastTransitionTime } : {}),
  } as V1PodCondition;
}

function observedGeneration({ metadata }: V1Pod): { readonly observedGeneration?: number } {
  return metadata?.generation === undefined ? {} : { observedGeneration: metadata.generation };
}
