import { formatTime, parseTime, type Instant } from "../../base/clock.ts";
import { formatKey, keyOf, parseKey } from "../../api/machinery/object.ts";
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pod.ts";
import type { MetricRegistry } from "../../base/metrics.ts";
import type { Cache } from "../../client/cache.ts";
import type { Plan, PlannedEvent } from "../../reconciler/controller.ts";
import { taintId, type Taint } from "../../reconciler/node-state.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import type { LoopMeter } from "../../reconciler/loop-meter.ts";
import type { Loop } from "../../reconciler/runner.ts";
import { fixedKinds } from "../../reconciler/served-kinds.ts";

type Toleration = NonNullable<NonNullable<Pod["spec"]>["tolerations"]>[number];

/** A NoExecute taint and since when it counts. */
export interface ActiveTaint {
  readonly taint: Taint;
  readonly since: Instant;
}

/** @spec k8s@1.36 pkg/controller/tainteviction/metrics/metrics.go */
function meter(registry: MetricRegistry): LoopMeter {
  const deletions = registry.counter(
    "taint_eviction_controller_pod_deletions_total",
    "Total number of Pods deleted by TaintEvictionController since its start.",
  );
  deletions.add([], 0);
  return {
    planned:
      ({ plan }) =>
      ({ applied }) => {
        for (const index of applied.results.keys())
          if (plan.writes?.[index]?.verb === "delete") deletions.add();
      },
  };
}

/**
 * Deletes Pods from nodes with a NoExecute taint: at once those that do not tolerate it, after `tolerationSeconds` those
 * that tolerate it for a time.
 *
 * A taint without `timeAdded` counts from when this process saw it first.
 * @spec k8s@1.36 pkg/controller/tainteviction/taint_eviction.go
 */
export function taintEvictionLoop(cache: Cache): Loop {
  const seen = new Map<string, Map<string, Instant>>();
  /** Pods whose end is set, by uid. */
  const pending = new Set<string>();
  const told = (pod: Pod, decided: Plan): Plan => {
    const uid = pod.metadata?.uid ?? "";
    if (decided.wakeAt !== undefined) pending.add(uid);
    else if (pending.delete(uid) && !decided.writes)
      return { ...decided, events: [cancelled(pod)] };
    return decided;
  };
  return {
    name: "taint-eviction-controller",
    kinds: fixedKinds([Pod, Node]),
    meter,
    keysOf({ kind, key, old, object }) {
      if (kind === Node) {
        if (noExecute(object as Node | undefined).length === 0) seen.delete(key.name);
        if (idsOf(old as Node | undefined) === idsOf(object as Node | undefined)) return [];
        const isOn = (pod: Pod): boolean => pod.spec?.nodeName === key.name;
        return cache.list(Pod, { where: isOn }).map((pod) => formatKey(keyOf(pod)));
      }
      const pod = object as Pod | undefined;
      if (!pod && old?.metadata?.uid) pending.delete(old.metadata.uid);
      const name = pod?.spec?.nodeName;
      if (!name) return [];
      // A node that is tainted later brings its Pods with it.
      const taints = noExecute(cache.get(Node, { namespace: "", name }));
      const isNew = name !== (old as Pod | undefined)?.spec?.nodeName;
      return taints.length > 0 && (isNew || pod.spec?.tolerations !== undefined)
        ? [formatKey(key)]
        : [];
    },
    decide(text, now) {
      const pod = cache.get(Pod, parseKey(text));
      const name = pod?.spec?.nodeName;
      const node = name && cache.get(Node, { namespace: "", name });
      if (!pod || !node) return undefined;
      const taints = noExecute(node);
      const primary = { kind: Pod, object: pod, observesGeneration: false };
      if (taints.length === 0) return { plan: told(pod, {}), primary };
      const times = seen.get(name) ?? new Map<string, Instant>();
      seen.set(name, times);
      const active = taints.map((taint) => ({ taint, since: sinceOf(taint, times, now) }));
      return { plan: told(pod, plan(pod, active, now)), primary };
    },
  };
}

function noExecute(node: Node | undefined): readonly Taint[] {
  return (node?.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");
}

function idsOf(node: Node | undefined): string {
  return JSON.stringify(noExecute(node));
}

function sinceOf(taint: Taint, times: Map<string, Instant>, now: Instant): Instant {
  if (taint.timeAdded !== undefined) return parseTime(taint.timeAdded);
  const id = `${taintId(taint)} ${taint.value ?? ""}`;
  const since = times.get(id) ?? now;
  times.set(id, since);
  return since;
}

/** Pure; see {@link taintEvictionLoop}. */
export function plan(pod: Pod, taints: readonly ActiveTaint[], now: Instant): Plan {
  if (isBeingDeleted(pod)) return {};
  const at = Math.min(...taints.map((active) => evictionAt(pod, active)));
  if (at === Infinity) return {};
  if (at > now) return { wakeAt: at };
  const { namespace, name } = keyOf(pod);
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "DeletionByTaintManager",
    message: "Taint manager: deleting due to NoExecute taint",
    ...(pod.metadata?.generation && { observedGeneration: pod.metadata.generation }),
    lastTransitionTime: formatTime(now),
  };
  const ifUid = pod.metadata?.uid ?? "";
  const key = { namespace, name };
  return {
    writes: [
      {
        verb: "patch",
        kind: Pod,
        key,
        type: "strategic",
        subresource: "status",
        ifUid,
        patch: { status: { conditions: [condition] } },
      },
      { verb: "delete", kind: Pod, key, ifUid },
    ],
    events: [
      {
        type: "Normal",
        reason: "TaintManagerEviction",
        message: `Marking for deletion Pod ${namespace}/${name}`,
      },
    ],
  };
}

function cancelled(pod: Pod): PlannedEvent {
  const { namespace, name } = keyOf(pod);
  const message = `Cancelling deletion of Pod ${namespace}/${name}`;
  return { type: "Normal", reason: "TaintManagerEviction", message };
}

/** When the taint ends the Pod; a Pod that came to a tainted node counts from its own beginning. */
function evictionAt(pod: Pod, { taint, since }: ActiveTaint): Instant {
  const matching = (pod.spec?.tolerations ?? []).filter((toleration) =>
    tolerates(toleration, taint),
  );
  if (matching.length === 0) return -Infinity;
  const limits = matching.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
  if (limits.length === 0) return Infinity;
  return Math.max(since, boundSince(pod)) + Math.max(0, Math.min(...limits)) * 1000;
}

function boundSince(pod: Pod): Instant {
  const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  const text = scheduled?.lastTransitionTime ?? pod.metadata?.creationTimestamp ?? "";
  const since = parseTime(text);
  return Number.isNaN(since) ? 0 : since;
}

/** @spec k8s@1.36 core/v1 Toleration.ToleratesTaint */
function tolerates(
  { key = "", operator = "Equal", value = "", effect = "" }: Toleration,
  taint: Taint,
): boolean {
  if (effect !== "" && effect !== taint.effect) return false;
  if (key !== "" && key !== taint.key) return false;
  return (
    operator === "Exists" || (operator === "Equal" && value === (taint.value ?? "") && key !== "")
  );
}
