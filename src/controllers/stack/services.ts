import { publishedName, randomPortsName } from "../../api/compose/labels.ts";
import type { ComposeService } from "../../api/compose/stack.ts";
import type { V1ServicePort, V1ServiceSpec } from "../../gen/types.ts";
import { protocolOf } from "./pod-template.ts";

/**
 * The port of a Service that only gives a name to Pods: nobody need listen there, but clients of old releases expect one.
 *
 * @spec compose-on-kubernetes internal/convert/service.go headlessPort
 */
const NAME_ONLY: V1ServicePort = {
  name: "headless",
  port: 55555,
  protocol: "TCP",
  targetPort: 55555,
};

/** The Services of a service: its name inside the cluster, and what leads to it from outside. */
export function servicesOf(
  service: ComposeService,
  selector: Readonly<Record<string, string>>,
): readonly { readonly name: string; readonly spec: V1ServiceSpec }[] {
  const { name = "", ports = [] } = service;
  const published = unique(ports.filter((port) => port.published));
  const others = unique(ports.filter((port) => !port.published));
  return [
    { name, spec: { ...insideSpec(service), selector } },
    ...(published.length > 0
      ? [
          {
            name: publishedName(name),
            spec: { type: "LoadBalancer", selector, ports: published },
          },
        ]
      : []),
    ...(others.length > 0
      ? [{ name: randomPortsName(name), spec: { type: "NodePort", selector, ports: others } }]
      : []),
  ];
}

/** An address of its own where it says which ports it has; else its name leads to its Pods. */
function insideSpec(service: ComposeService): V1ServiceSpec {
  const { internal_ports: inner = [], internal_service_type: type } = service;
  const hasAddress = type ? type === "ClusterIP" : inner.length > 0;
  if (!hasAddress) return { type: "ClusterIP", clusterIP: "None", ports: [NAME_ONLY] };
  if (inner.length === 0) return { type: "ClusterIP", ports: [NAME_ONLY] };
  const ports = unique(inner.map(({ port = 0, protocol = "" }) => ({ target: port, protocol })));
  return { type: "ClusterIP", ports };
}

/** One port of a Service for each port and protocol, named as upstream's tool names them: `8080-tcp`. */
function unique(ports: NonNullable<ComposeService["ports"]>): readonly V1ServicePort[] {
  const byName = new Map(
    ports.map(({ target = 0, published, protocol }): [string, V1ServicePort] => {
      const port = published || target;
      const name = `${port}-${protocolOf(protocol).toLowerCase()}`;
      return [name, { name, port, protocol: protocolOf(protocol), targetPort: target }];
    }),
  );
  return [...byName.values()];
}

/** `spec` with what the server has given to `old`: addresses, families, node ports of ports by the same name. */
export function withGiven(spec: V1ServiceSpec, old: V1ServiceSpec): V1ServiceSpec {
  const nodePorts = new Map(old.ports?.map(({ name, nodePort }) => [name, nodePort]));
  const isExternal = spec.type !== "ClusterIP";
  const ports = spec.ports?.map((port) => {
    const nodePort = isExternal ? nodePorts.get(port.name) : undefined;
    return nodePort ? { ...port, nodePort } : port;
  });
  return { ...old, ...spec, ...(ports && { ports }) };
}

/** True when `old` cannot become `spec`: with an address of its own, or without. */
export function needsReplacement(spec: V1ServiceSpec, old: V1ServiceSpec): boolean {
  return (spec.clusterIP === "None") !== (old.clusterIP === "None");
}
