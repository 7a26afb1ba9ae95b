import type { V1Node } from "../../gen/types.ts";
import type { Column } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn, wide } from "../strategy/columns.ts";

const ROLE_LABEL_PREFIX = "node-role.kubernetes.io/";
const ROLE_LABEL = "kubernetes.io/role";

/** @spec k8s@1.36 printers.go printNode */
export const nodeColumns: readonly Column<V1Node>[] = [
  nameColumn(),
  textColumn("Status", "Whether the node is ready, and takes new pods", formatStatus),
  textColumn(
    "Roles",
    "Roles out of the node's labels",
    (node) => rolesOf(node).join(",") || "<none>",
  ),
  ageColumn(),
  textColumn(
    "Version",
    "Version of the kubelet",
    (node) => node.status?.nodeInfo?.kubeletVersion ?? "",
  ),
  wide(
    textColumn("Internal-IP", "Address inside the cluster", (node) => address(node, "InternalIP")),
  ),
  wide(textColumn("External-IP", "Address from outside", (node) => address(node, "ExternalIP"))),
  wide(
    textColumn(
      "OS-Image",
      "Operating system",
      (node) => node.status?.nodeInfo?.osImage || "<unknown>",
    ),
  ),
  wide(
    textColumn(
      "Kernel-Version",
      "Version of the kernel",
      (node) => node.status?.nodeInfo?.kernelVersion || "<unknown>",
    ),
  ),
  wide(
    textColumn(
      "Container-Runtime",
      "Runtime and its version",
      (node) => node.status?.nodeInfo?.containerRuntimeVersion || "<unknown>",
    ),
  ),
];

function formatStatus(node: V1Node): string {
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  const readiness =
    ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return node.spec?.unschedulable ? `${readiness},SchedulingDisabled` : readiness;
}

function rolesOf(node: V1Node): string[] {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(node.metadata?.labels ?? {})) {
    if (key.startsWith(ROLE_LABEL_PREFIX)) roles.add(key.slice(ROLE_LABEL_PREFIX.length));
    else if (key === ROLE_LABEL) roles.add(value);
  }
  roles.delete("");
  return [...roles].sort();
}

function address(node: V1Node, type: string): string {
  return node.status?.addresses?.find((candidate) => candidate.type === type)?.address ?? "<none>";
}
