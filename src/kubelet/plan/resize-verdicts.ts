import { parseTime, type Instant } from "../../base/clock.ts";
import { amountsOf, podRequests } from "../../api/core/pod-requests.ts";
import type { V1Pod } from "../../gen/types.ts";
import { qosClassOf } from "../runtime/qos.ts";
import { lackOf } from "./admission.ts";

/** A Pod whose specification asks for other resources than it was granted. */
export interface ResizeRequest {
  readonly wanted: V1Pod;
  readonly allocated: V1Pod;
}

/** Whether it gets them. */
export type ResizeVerdict =
  | { readonly kind: "granted" }
  | {
      /** Deferred: when others end. Infeasible: never on this node. */
      readonly kind: "Deferred" | "Infeasible";
      readonly message: string;
    };

type Allocatable = Readonly<Record<string, string>>;

/**
 * Who gets the resources he asks for, in the order in which it is asked: those that need no more, then the higher
 * priority, the firmer promise, the one that waits longest. What one gets the next do not find any more.
 *
 * `active`: all Pods of the node with what they were granted, those that ask among them.
 * @returns verdicts in that order, by uid.
 * @spec k8s@1.36 pkg/kubelet/allocation/allocation_manager.go retryPendingResizes, sortPendingResizes
 */
export function resizeVerdicts(
  requests: readonly ResizeRequest[],
  active: readonly V1Pod[],
  allocatable: Allocatable,
): ReadonlyMap<string, ResizeVerdict> {
  const present = new Map(active.map((pod) => [uidOf(pod), pod]));
  const verdicts = new Map<string, ResizeVerdict>();
  for (const { wanted } of [...requests].sort(byUrgency)) {
    const uid = uidOf(wanted);
    const others = [...present.values()].filter((pod) => uidOf(pod) !== uid);
    const verdict = verdictOn(wanted, others, allocatable);
    if (verdict.kind === "granted") present.set(uid, wanted);
    verdicts.set(uid, verdict);
  }
  return verdicts;
}

function verdictOn(
  wanted: V1Pod,
  others: readonly V1Pod[],
  allocatable: Allocatable,
): ResizeVerdict {
  const requests = podRequests(wanted);
  const capacity = amountsOf(allocatable);
  for (const name of ["memory", "cpu"]) {
    const [asked, all] = [requests.get(name) ?? 0, capacity.get(name) ?? Infinity];
    if (asked <= all) continue;
    const message = `Node didn't have enough capacity: ${name}, requested: ${asked}, capacity: ${all}`;
    return { kind: "Infeasible", message };
  }
  const lack = lackOf(wanted, others, allocatable);
  return lack ? { kind: "Deferred", message: lack.message } : { kind: "granted" };
}

function byUrgency(a: ResizeRequest, b: ResizeRequest): number {
  const rank = (isFirst: boolean): number => (isFirst ? 0 : 1);
  return (
    rank(!isIncrease(a)) - rank(!isIncrease(b)) ||
    (b.wanted.spec?.priority ?? 0) - (a.wanted.spec?.priority ?? 0) ||
    rank(qosClassOf(a.wanted) === "Guaranteed") - rank(qosClassOf(b.wanted) === "Guaranteed") ||
    pendingSince(a.wanted) - pendingSince(b.wanted)
  );
}

function isIncrease({ wanted, allocated }: ResizeRequest): boolean {
  const [after, before] = [podRequests(wanted), podRequests(allocated)];
  return ["cpu", "memory"].some((name) => (after.get(name) ?? 0) > (before.get(name) ?? 0));
}

/** One that does not wait yet comes last. */
function pendingSince({ status }: V1Pod): Instant {
  const condition = status?.conditions?.find(({ type }) => type === "PodResizePending");
  const since = condition?.lastTransitionTime;
  return since === undefined ? Number.MAX_SAFE_INTEGER : parseTime(since);
}

function uidOf({ metadata }: V1Pod): string {
  return metadata?.uid ?? "";
}
