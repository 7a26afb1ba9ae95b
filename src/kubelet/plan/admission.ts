import { conflicts, hostPortsOf } from "../../api/core/host-ports.ts";
import { matchesAnyTerm } from "../../api/core/node-selector-terms.ts";
import { add, amountsOf, podRequests } from "../../api/core/pod-requests.ts";
import { isTolerated } from "../../api/core/tolerations.ts";
import { qosClassOf } from "../runtime/qos.ts";
import type { Pressure } from "./eviction.ts";
import type { V1Node, V1Pod } from "../../gen/types.ts";

/** Why a Pod may not run on this node: its status' reason and message. */
export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

/** @spec scheduling SystemCriticalPriority */
const PRIORITY_CRITICAL = 2_000_000_000;
const OS_LABEL = "kubernetes.io/os";
const OS = "linux";

/** Resources in the order in which the first lack is reported. */
const FIRST = ["cpu", "memory", "ephemeral-storage"];

/**
 * Whether a Pod that was bound to this node may run beside those that are there: the scheduler may have been wrong, or
 * somebody else has bound it. `undefined`: it may.
 *
 * `active`: admitted Pods that have not ended. `allocatable`: the node's resources for Pods.
 * @spec k8s@1.36 pkg/kubelet/lifecycle/predicate.go Admit
 */
export function rejectionOf(
  pod: V1Pod,
  active: readonly V1Pod[],
  node: V1Node,
  allocatable: Readonly<Record<string, string>>,
  pressures: ReadonlySet<Pressure>,
): Rejection | undefined {
  return (
    pressureProblem(pod, pressures) ??
    osProblem(pod) ??
    groupsProblem(pod, node) ??
    lackOf(pod, active, allocatable) ??
    affinityProblem(pod, node) ??
    portProblem(pod, active) ??
    taintProblem(pod, node)
  );
}

/**
 * A node that is short takes critical Pods alone; short of nothing but memory, also those that ask for some.
 *
 * @spec k8s@1.36 pkg/kubelet/eviction/eviction_manager.go Admit
 */
function pressureProblem(pod: V1Pod, pressures: ReadonlySet<Pressure>): Rejection | undefined {
  if (pressures.size === 0 || (pod.spec?.priority ?? 0) >= PRIORITY_CRITICAL) return undefined;
  const isMemoryAlone = pressures.size === 1 && pressures.has("MemoryPressure");
  const taint = { key: "node.kubernetes.io/memory-pressure", effect: "NoSchedule" };
  const mayStay =
    qosClassOf(pod) !== "BestEffort" || isTolerated(taint, pod.spec?.tolerations ?? []);
  if (isMemoryAlone && mayStay) return undefined;
  const message = `The node had condition: [${[...pressures].join(" ")}]. `;
  return { reason: "Evicted", message };
}

function osProblem({ metadata, spec }: V1Pod): Rejection | undefined {
  const label = metadata?.labels?.[OS_LABEL];
  if (label !== undefined && label !== OS)
    return {
      reason: "PodOSSelectorNodeLabelDoesNotMatch",
      message: "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
    };
  if (spec?.os === undefined || spec.os.name === OS) return undefined;
  return {
    reason: "PodOSNotSupported",
    message: "Failed to admit pod as the OS field doesn't match node OS",
  };
}

/** A runtime that adds the groups of the image would give the Pod more than it may have. @spec KEP-3619 */
function groupsProblem({ spec }: V1Pod, { status }: V1Node): Rejection | undefined {
  const isStrict = spec?.securityContext?.supplementalGroupsPolicy === "Strict";
  if (!isStrict || status?.features?.supplementalGroupsPolicy) return undefined;
  return {
    reason: "SupplementalGroupsPolicyNotSupported",
    message: "SupplementalGroupsPolicy=Strict is not supported in this node",
  };
}

/** The first resource that the node has too little of for this Pod beside the others. */
export function lackOf(
  pod: V1Pod,
  active: readonly V1Pod[],
  allocatable: Readonly<Record<string, string>>,
): Rejection | undefined {
  const capacity = amountsOf(allocatable);
  const podsMax = capacity.get("pods") ?? 0;
  if (active.length + 1 > podsMax) return lack("pods", 1, active.length, podsMax);
  const wanted = podRequests(pod);
  const used = new Map<string, number>();
  for (const other of active) add(used, podRequests(other));
  for (const name of [...FIRST, ...[...wanted.keys()].filter((key) => !FIRST.includes(key))]) {
    const number = wanted.get(name) ?? 0;
    const all = capacity.get(name);
    // What no node has is given by someone else, as dynamic resources are.
    if (number === 0 || all === undefined) continue;
    if (number > all - (used.get(name) ?? 0)) return lack(name, number, used.get(name) ?? 0, all);
  }
  return undefined;
}

function lack(name: string, requested: number, used: number, capacity: number): Rejection {
  return {
    reason: `OutOf${name}`,
    message:
      `Node didn't have enough resource: ${name}, requested: ${requested}, ` +
      `used: ${used}, capacity: ${capacity}`,
  };
}

function affinityProblem({ spec }: V1Pod, node: V1Node): Rejection | undefined {
  const labels = node.metadata?.labels ?? {};
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const isSelected =
    Object.entries(spec?.nodeSelector ?? {}).every(([key, value]) => labels[key] === value) &&
    (!required || matchesAnyTerm(required.nodeSelectorTerms, node));
  return isSelected
    ? undefined
    : predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
}

function portProblem(pod: V1Pod, active: readonly V1Pod[]): Rejection | undefined {
  const wanted = hostPortsOf(pod);
  if (wanted.length === 0) return undefined;
  const held = active.flatMap(hostPortsOf);
  return held.some((port) => wanted.some((own) => conflicts(own, port)))
    ? predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    : undefined;
}

/** Only what would evict it at once: a Pod that is bound in spite of NoSchedule runs. */
function taintProblem({ spec }: V1Pod, node: V1Node): Rejection | undefined {
  const isRefused = (node.spec?.taints ?? []).some(
    (taint) => taint.effect === "NoExecute" && !isTolerated(taint, spec?.tolerations ?? []),
  );
  return isRefused
    ? predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate")
    : undefined;
}

function predicate(name: string, words: string): Rejection {
  return { reason: name, message: `Predicate ${name} failed: ${words}` };
}
