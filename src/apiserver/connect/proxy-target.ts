import { badRequest, serviceUnavailable } from "../../api/machinery/status-errors.ts";
import { quoteGo } from "../../api/machinery/go-format.ts";
import type { V1EndpointSlice, V1Pod, V1Service } from "../../gen/types.ts";
import type { Random } from "../../base/random.ts";
import type { BackendAddress } from "../../wire/http-proxy/backend.ts";
import { kubeletAddress } from "./kubelet-address.ts";
import type { Lookup } from "./lookup.ts";

/** Where a proxied request goes, and whether as the API server (to kubelets) or as nobody. */
export interface ProxyTarget {
  readonly address: BackendAddress;
  readonly isKubelet: boolean;
}

/** What finding a target needs. */
export interface TargetSources {
  readonly lookup: Lookup;
  readonly random: Random;
  readonly isReachable: (address: string) => boolean;
}

interface SplitName {
  readonly scheme: "http" | "https";
  readonly name: string;
  /** A number or a name; "": not said. */
  readonly port: string;
}

const DEFAULT_PORTS = { http: 80, https: 443 } as const;

/** `name`, `name:port` or `scheme:name:port`. `undefined`: none of them. @spec apimachinery util/net SplitSchemeNamePort */
export function splitName(id: string): SplitName | undefined {
  const parts = id.split(":");
  if (parts.length > 3) return undefined;
  const [name = "", port = ""] = parts.length === 3 ? parts.slice(1) : parts;
  const scheme = parts.length === 3 ? parts[0]! : "";
  if (name === "" || (scheme !== "" && scheme !== "http" && scheme !== "https")) return undefined;
  return { scheme: scheme === "" ? "http" : scheme, name, port };
}

/**
 * The pod's own address, and the port that is asked for, else the first that its containers name.
 *
 * @throws {StatusError} BadRequest, NotFound.
 * @spec k8s@1.36 pkg/registry/core/pod/strategy.go ResourceLocation
 */
export function podTarget(sources: TargetSources, namespace: string, id: string): ProxyTarget {
  const split = splitName(id);
  if (!split) throw badRequest(`invalid pod request ${quoteGo(id)}`);
  const { scheme, name } = split;
  const pod = sources.lookup.pod(namespace, name);
  const host = podAddresses(pod)[0] ?? "";
  if (!sources.isReachable(host)) throw badRequest("address not allowed");
  const declared = pod.spec?.containers.find(({ ports }) => ports?.length)?.ports?.[0];
  const port = split.port === "" ? declared?.containerPort : portNumber(split.port);
  return { address: { scheme, host, port: port ?? DEFAULT_PORTS[scheme] }, isKubelet: false };
}

/**
 * One of the service's ready endpoints, at random.
 *
 * @throws {StatusError} BadRequest, NotFound, ServiceUnavailable.
 * @spec k8s@1.36 pkg/registry/core/service/storage/storage.go ResourceLocation
 */
export function serviceTarget(sources: TargetSources, namespace: string, id: string): ProxyTarget {
  const split = splitName(id);
  if (!split) throw badRequest(`invalid service request ${quoteGo(id)}`);
  const { scheme, name } = split;
  const portName = servicePortName(sources.lookup.service(namespace, name), split);
  const choices = sources.lookup
    .slices(namespace, name)
    .flatMap((slice) => endpointsOf(slice, portName, namespace, sources));
  if (choices.length === 0)
    throw serviceUnavailable(`no endpoints available for service ${quoteGo(name)}`);
  const { host, port } = choices[sources.random.integer(choices.length)]!;
  return { address: { scheme, host, port }, isKubelet: false };
}

/**
 * The node's kubelet, or another port of the node.
 *
 * @throws {StatusError} BadRequest, NotFound.
 * @spec k8s@1.36 pkg/registry/core/node/strategy.go ResourceLocation
 */
export function nodeTarget(sources: TargetSources, id: string): ProxyTarget {
  const split = splitName(id);
  if (!split) throw badRequest(`invalid node request ${quoteGo(id)}`);
  const kubelet = kubeletAddress(sources.lookup.node(split.name));
  if (!sources.isReachable(kubelet.host)) throw badRequest("address not allowed");
  if (split.port === "" || split.port === String(kubelet.port))
    return { address: kubelet, isKubelet: true };
  const { scheme, port } = split;
  return { address: { scheme, host: kubelet.host, port: portNumber(port) }, isKubelet: false };
}

/** The name of the port that is asked for by name or number. @throws {StatusError} ServiceUnavailable */
function servicePortName(service: V1Service, { name, port }: SplitName): string {
  if (!/^[+-]?\d+$/.test(port)) return port;
  const found = service.spec?.ports?.find((one) => one.port === Number(port));
  if (found) return found.name ?? "";
  throw serviceUnavailable(`no service port ${Number(port)} found for service ${quoteGo(name)}`);
}

function endpointsOf(
  { endpoints = [], ports = [] }: V1EndpointSlice,
  portName: string,
  namespace: string,
  sources: TargetSources,
): { readonly host: string; readonly port: number }[] {
  const port = ports.find(({ name = "" }) => name === portName)?.port;
  if (port === undefined) return [];
  return endpoints.flatMap(({ addresses, conditions, targetRef }) => {
    const [host] = addresses;
    if (host === undefined || conditions?.ready === false || !sources.isReachable(host)) return [];
    // Whoever may write endpoints must not make the API server reach addresses that are no pod of the namespace.
    if (!targetRef?.name || targetRef.namespace !== namespace) return [];
    const pod = sources.lookup.podIfPresent(namespace, targetRef.name);
    return pod && podAddresses(pod).includes(host) ? [{ host, port }] : [];
  });
}

function podAddresses({ status }: V1Pod): readonly string[] {
  const all = (status?.podIPs ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
  return all.length > 0 || !status?.podIP ? all : [status.podIP];
}

/** @throws {StatusError} BadRequest: no port's number. */
function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port > 0 && port <= 65_535) return port;
  throw badRequest(`invalid port ${quoteGo(text)}`);
}
