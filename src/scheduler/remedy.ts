import type { V1Toleration } from "../gen/types.ts";
import { isTolerated } from "../api/core/tolerations.ts";
import type { NodeInfo } from "./node-info.ts";
import { freeAmount } from "./plugins/node-resources-fit.ts";

/**
 * What would have to change for a plugin to accept a node: in plain words, with the command where there is one.
 *
 * `input`: what the plugin reads of the Pod.
 */
export function remedyFor(
  plugin: string,
  reasons: readonly string[],
  input: unknown,
  node: NodeInfo,
): string {
  const remedy = REMEDIES[plugin];
  return remedy ? remedy(node, input, reasons) : "";
}

type Remedy = (node: NodeInfo, input: unknown, reasons: readonly string[]) => string;

const REMEDIES: Readonly<Record<string, Remedy>> = {
  NodeUnschedulable: ({ name }) => `kubectl uncordon ${name}`,
  NodeName: (_node, wanted) => `the Pod asks for node ${String(wanted)} alone`,
  TaintToleration: (node, tolerations) => taints(node, tolerations as readonly V1Toleration[]),
  NodeAffinity: labels,
  NodePorts: () => "the Pods on this node that hold the same host ports would have to go",
  NodeResourcesFit: room,
  PodTopologySpread: (_node, _input, reasons) =>
    reasons[0]?.includes("missing required label")
      ? "the node lacks a label that a topologySpreadConstraint names as its topologyKey"
      : "its domain has too many of these Pods already: fewer here, more in the emptiest domain, or a larger maxSkew",
  InterPodAffinity: (_node, _input, reasons) => AFFINITY[reasons[0] ?? ""] ?? "",
};

const AFFINITY: Readonly<Record<string, string>> = {
  "node(s) didn't match pod affinity rules":
    "a Pod that the required podAffinity selects would have to run in this node's domain",
  "node(s) didn't match pod anti-affinity rules":
    "the Pods in this node's domain that the required podAntiAffinity selects would have to go",
  "node(s) didn't satisfy existing pods anti-affinity rules":
    "a Pod in this node's domain has an anti-affinity against this one: it would have to go",
};

function taints({ name, taints: all }: NodeInfo, tolerations: readonly V1Toleration[]): string {
  return all
    .filter(({ effect }) => effect !== "PreferNoSchedule")
    .filter((taint) => !isTolerated(taint, tolerations))
    .map(({ key, value, effect }) => {
      const text = `${key}${value ? `=${value}` : ""}:${effect}`;
      return `a toleration of ${text}, or kubectl taint node ${name} ${key}:${effect}-`;
    })
    .join("; ");
}

function labels(node: NodeInfo, input: unknown): string {
  const { selector } = input as { readonly selector: readonly (readonly [string, string])[] };
  const own = node.node.metadata?.labels ?? {};
  const missing = selector.filter(([key, value]) => own[key] !== value);
  if (missing.length === 0)
    return "the node would have to match a term of the Pod's required node affinity";
  return `kubectl label node ${node.name} ${missing.map((pair) => pair.join("=")).join(" ")}`;
}

function room(node: NodeInfo, input: unknown): string {
  const { requests } = input as { readonly requests: readonly (readonly [string, number])[] };
  const short = requests
    .filter(([name, amount]) => amount > freeAmount(node, name))
    .map(([name, amount]) => {
      const [has, free] = [node.allocatable.get(name), freeAmount(node, name)];
      const asked = `asks for ${amountText(name, amount)} ${name}`;
      if (amount > has) return `${asked}, the node has ${amountText(name, has)} in all`;
      return `${asked}, ${amountText(name, Math.max(0, free))} of ${amountText(name, has)} is free`;
    });
  const isFull = node.pods.size >= node.podsMax;
  return [...(isFull ? [`the node takes ${node.podsMax} Pods and has them`] : []), ...short].join(
    "; ",
  );
}

const MEBI = 1024 * 1024;

/** cpu in thousandths where it is not whole, bytes in Mi. */
function amountText(name: string, amount: number): string {
  if (name === "cpu") return amount % 1000 === 0 ? String(amount / 1000) : `${amount}m`;
  const isBytes =
    name === "memory" || name === "ephemeral-storage" || name.startsWith("hugepages-");
  return isBytes ? `${Math.round(amount / MEBI)}Mi` : String(amount);
}
