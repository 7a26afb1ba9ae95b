import { MACHINE_LABEL } from "../api/storage/own-volumes.ts";
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
  NodeDeclaredFeatures: (_node, needed) =>
    `its kubelet does not declare ${(needed as readonly string[]).join(" and ")} (status.declaredFeatures)`,
  NodePorts: () => "the Pods on this node that hold the same host ports would have to go",
  NodeResourcesFit: room,
  PodTopologySpread: (_node, _input, reasons) =>
    reasons[0]?.includes("missing required label")
      ? "the node lacks a label that a topologySpreadConstraint names as its topologyKey"
      : "its domain has too many of these Pods already: fewer here, more in the emptiest domain, or a larger maxSkew",
  VolumeBinding: (_node, _input, reasons) => reasons.map((one) => VOLUMES[one]).join("; "),
  VolumeRestrictions: (_node, _input, reasons) => VOLUMES[reasons[0] ?? ""] ?? "",
  VolumeZone: () => "its volume is in another zone: kubectl get pv --show-labels",
  NodeVolumeLimits: ({ name }) =>
    `the node's driver takes no more volumes (kubectl get csinode ${name} -o yaml): Pods with volumes there would have to go`,
  InterPodAffinity: (_node, _input, reasons) => AFFINITY[reasons[0] ?? ""] ?? "",
};

const VOLUMES: Readonly<Record<string, string>> = {
  "node(s) didn't match PersistentVolume's node affinity":
    "its volume can be used on other nodes only: kubectl get pv -o yaml shows them as nodeAffinity",
  "node(s) didn't find available persistent volumes to bind":
    "no free volume of the claim's class fits here and the class makes none: kubectl get pv,storageclass",
  "node(s) did not have enough free storage":
    "the class's driver has no room for the claim here: kubectl get csistoragecapacity -A",
  "node(s) had no available disk": "a Pod on this node that has the same disk would have to go",
  "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode":
    "the Pod that has the claim would have to go: kubectl describe pvc shows it as Used By",
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

/** Labels that say what a node is: to change them would make them wrong. */
const GIVEN: ReadonlySet<string> = new Set([
  "kubernetes.io/hostname",
  "kubernetes.io/os",
  "kubernetes.io/arch",
  MACHINE_LABEL,
]);

function labels(node: NodeInfo, input: unknown): string {
  const { selector } = input as { readonly selector: readonly (readonly [string, string])[] };
  const own = node.node.metadata?.labels ?? {};
  const missing = selector.filter(([key, value]) => own[key] !== value);
  if (missing.length === 0)
    return "the node would have to match a term of the Pod's required node affinity";
  if (missing.some(([key]) => GIVEN.has(key)))
    return "the Pod would have to ask for this node: its nodeSelector names another";
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
