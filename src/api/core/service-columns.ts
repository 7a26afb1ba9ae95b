import type { V1Service, V1ServicePort } from "../../gen/types.ts";
import type { Column } from "../machinery/resource.ts";
import { ageColumn, formatLabels, nameColumn, textColumn, wide } from "../strategy/columns.ts";

/** @spec k8s@1.36 printers.go printService */
export const serviceColumns: readonly Column<V1Service>[] = [
  nameColumn(),
  textColumn("Type", "How the service is reached", (service) => service.spec?.type ?? ""),
  textColumn(
    "Cluster-IP",
    "Address inside the cluster",
    (service) => service.spec?.clusterIPs?.[0] ?? "<none>",
  ),
  textColumn("External-IP", "Addresses from outside", formatExternalAddress),
  textColumn(
    "Port(s)",
    "Ports, node ports and protocols",
    (service) => (service.spec?.ports ?? []).map(formatPort).join(",") || "<none>",
  ),
  ageColumn(),
  wide(
    textColumn("Selector", "Which pods serve", (service) => formatLabels(service.spec?.selector)),
  ),
];

function formatExternalAddress(service: V1Service): string {
  const externalIPs = service.spec?.externalIPs ?? [];
  switch (service.spec?.type) {
    case "ClusterIP":
    case "NodePort":
      return externalIPs.join(",") || "<none>";
    case "LoadBalancer":
      return [...ingressAddresses(service), ...externalIPs].join(",") || "<pending>";
    case "ExternalName":
      return service.spec.externalName ?? "";
    default:
      return "<unknown>";
  }
}

/** Sorted, each once. */
function ingressAddresses(service: V1Service): string[] {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  const addresses = ingress.map(({ ip, hostname }) => ip || hostname || "").filter(Boolean);
  return [...new Set(addresses)].sort();
}

function formatPort({ port, nodePort, protocol }: V1ServicePort): string {
  return nodePort ? `${port}:${nodePort}/${protocol ?? ""}` : `${port}/${protocol ?? ""}`;
}
