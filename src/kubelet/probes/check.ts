import type { V1Container, V1HTTPGetAction, V1Probe } from "../../gen/types.ts";

/** One HTTP request of a probe or hook. */
export interface HttpCheck {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What is asked, with names of ports and hosts resolved. */
export type Check =
  | { readonly kind: "exec"; readonly command: readonly string[] }
  | { readonly kind: "http"; readonly check: HttpCheck }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | {
      readonly kind: "grpc";
      readonly host: string;
      readonly port: number;
      readonly service: string;
    };

/** Header that tells a server who asks. @spec k8s@1.36 pkg/probe/http/request.go */
const USER_AGENT = "kube-probe/1.36";

/** What a probe asks of a container at `podIp`. @throws {Error} a named port that the container does not have. */
export function checkOf(probe: V1Probe, container: V1Container, podIp: string): Check {
  if (probe.exec) return { kind: "exec", command: probe.exec.command ?? [] };
  if (probe.httpGet) return { kind: "http", check: httpCheck(probe.httpGet, container, podIp) };
  if (probe.tcpSocket) {
    const port = portOf(probe.tcpSocket.port, container);
    return { kind: "tcp", host: probe.tcpSocket.host || podIp, port };
  }
  if (probe.grpc)
    return {
      kind: "grpc",
      host: podIp,
      port: probe.grpc.port,
      service: probe.grpc.service ?? "",
    };
  throw new Error(`missing probe handler for container ${container.name}`);
}

/** What an HTTP handler of a probe or hook asks. @throws {Error} a named port that the container does not have. */
export function httpCheck(
  action: V1HTTPGetAction,
  container: V1Container,
  podIp: string,
): HttpCheck {
  const headers: Record<string, string> = { "User-Agent": USER_AGENT, Accept: "*/*" };
  for (const { name, value } of action.httpHeaders ?? []) {
    for (const known of Object.keys(headers))
      if (known.toLowerCase() === name.toLowerCase()) delete headers[known];
    if (value !== "") headers[name] = value;
  }
  return {
    scheme: action.scheme?.toLowerCase() === "https" ? "https" : "http",
    host: action.host || podIp,
    port: portOf(action.port, container),
    path: action.path ?? "/",
    headers,
  };
}

function portOf(port: number | string, container: V1Container): number {
  const numeric = Number(port);
  if (Number.isInteger(numeric) && numeric > 0) return numeric;
  const named = container.ports?.find(({ name }) => name === port);
  if (!named)
    throw new Error(`couldn't find port: ${JSON.stringify(port)} in container ${container.name}`);
  return named.containerPort;
}
