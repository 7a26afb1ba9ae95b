import type { V1Service } from "../../gen/types.ts";

/**
 * The variables that tell a container where Services are: of its own namespace, and always the API server's.
 *
 * @spec k8s@1.36 pkg/kubelet/envvars/envvars.go FromServices; kubelet_pods.go getServiceEnvVarMap
 */
export function serviceVariables(
  services: readonly V1Service[],
  namespace: string,
  isLinked: boolean,
): Readonly<Record<string, string>> {
  const chosen = services.filter(({ metadata, spec }) => {
    const hasAddress =
      spec?.clusterIP !== undefined && spec.clusterIP !== "" && spec.clusterIP !== "None";
    const isMaster = metadata?.namespace === "default" && metadata.name === "kubernetes";
    return hasAddress && (isMaster || (isLinked && metadata?.namespace === namespace));
  });
  return Object.fromEntries(chosen.flatMap(variablesOf));
}

function variablesOf({ metadata, spec }: V1Service): readonly (readonly [string, string])[] {
  const prefix = variableName(metadata?.name ?? "");
  const host = spec?.clusterIP ?? "";
  const ports = spec?.ports ?? [];
  const first = ports[0];
  if (!first) return [];
  const named = ports.filter(({ name }) => name !== undefined && name !== "");
  return [
    [`${prefix}_SERVICE_HOST`, host],
    [`${prefix}_SERVICE_PORT`, String(first.port)],
    ...named.map(
      ({ name, port }) => [`${prefix}_SERVICE_PORT_${variableName(name!)}`, String(port)] as const,
    ),
    [`${prefix}_PORT`, url(first.protocol, host, first.port)],
    ...ports.flatMap(({ port, protocol = "TCP" }) => {
      const link = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
      return [
        [link, url(protocol, host, port)],
        [`${link}_PROTO`, protocol.toLowerCase()],
        [`${link}_PORT`, String(port)],
        [`${link}_ADDR`, host],
      ] as const;
    }),
  ];
}

function url(protocol = "TCP", host: string, port: number): string {
  const address = host.includes(":") ? `[${host}]` : host;
  return `${protocol.toLowerCase()}://${address}:${port}`;
}

function variableName(name: string): string {
  return name.replaceAll("-", "_").toUpperCase();
}
