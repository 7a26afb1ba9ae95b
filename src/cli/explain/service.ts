import type { V1EndpointSlice, V1Pod, V1Service, V1ServicePort } from "../../gen/types.ts";
import { commandFor, type Finding } from "./finding.ts";

/** What a Service is explained by. */
export interface ServiceWorld {
  readonly service: V1Service;
  /** All of its namespace. */
  readonly pods: readonly V1Pod[];
  /** Those that say they are the Service's. */
  readonly slices: readonly V1EndpointSlice[];
}

/** Whom a Service sends to, in one sentence, and why it is not more. */
export interface ServiceExplanation {
  readonly summary: string;
  readonly findings: readonly Finding[];
}

/** Pods that are told one by one; the others are counted. */
const PODS_MAX = 5;

/** Why a Service answers, or why not. @spec k8s@1.36 pkg/controller/endpointslice, staging endpointslice/util */
export function explainService(world: ServiceWorld): ServiceExplanation {
  const { service, slices } = world;
  const { type, externalName } = service.spec ?? {};
  if (type === "ExternalName")
    return {
      summary: `It is a name for ${externalName} in DNS, and sends nothing on.`,
      findings: [],
    };
  const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
  const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false);
  const summary =
    ready.length === 0
      ? "It has no ready endpoints: whoever connects is refused."
      : `It sends to ${ready.length} ready endpoint${ready.length === 1 ? "" : "s"}.`;
  return { summary, findings: [...selected(world, ready.length), ...unbalanced(service)] };
}

function selected({ service, pods, slices }: ServiceWorld, ready: number): readonly Finding[] {
  const selector = Object.entries(service.spec?.selector ?? {});
  if (selector.length === 0) return ready > 0 ? [] : [byHand(service, slices)];
  const own = pods.filter((pod) => matches(pod, selector) === selector.length);
  if (own.length === 0) return [nobody(service, selector, pods)];
  const ports = (service.spec?.ports ?? []).flatMap((port) => unknownPort(port, own));
  const ended = own.filter(({ status }) => isEnded(status?.phase));
  const unready = own.filter((pod) => !isEnded(pod.status?.phase) && !isReady(pod));
  const all = own.length === ended.length;
  return [
    ...ports,
    ...(all
      ? [{ problem: `all ${own.length} Pods that its selector matches have ended` }]
      : unready.slice(0, PODS_MAX).map(waiting)),
    ...(unready.length > PODS_MAX
      ? [{ problem: `${unready.length - PODS_MAX} more Pods are not ready` }]
      : []),
  ];
}

function byHand({ metadata }: V1Service, slices: readonly V1EndpointSlice[]): Finding {
  const label = `kubernetes.io/service-name=${metadata?.name}`;
  return {
    problem: `it has no selector, and ${slices.length === 0 ? "there is no EndpointSlice" : "no EndpointSlice with a ready endpoint"} labelled ${label}`,
    remedy: "a selector, or an EndpointSlice with that label",
  };
}

function matches({ metadata }: V1Pod, selector: readonly (readonly [string, string])[]): number {
  return selector.filter(([key, value]) => metadata?.labels?.[key] === value).length;
}

/** Names the Pod that comes nearest: most selectors that match nothing are off by one label. */
function nobody(
  { metadata }: V1Service,
  selector: readonly (readonly [string, string])[],
  pods: readonly V1Pod[],
): Finding {
  const wanted = selector.map((pair) => pair.join("=")).join(",");
  const problem = `its selector ${wanted} matches no Pod of the namespace`;
  const score = (pod: V1Pod): number =>
    matches(pod, selector) * 2 +
    selector.filter(([key]) => pod.metadata?.labels?.[key] !== undefined).length;
  const near = pods.reduce<V1Pod | undefined>(
    (best, pod) => (score(pod) > (best ? score(best) : 0) ? pod : best),
    undefined,
  );
  const more = commandFor(metadata?.namespace, "get pods --show-labels");
  if (!near) return { problem, remedy: "Pods with these labels, or another selector", more };
  const wrong = selector
    .filter(([key, value]) => near.metadata?.labels?.[key] !== value)
    .map(([key, value]) => {
      const has = near.metadata?.labels?.[key];
      return `${key}=${value} (it has ${has === undefined ? `no label ${key}` : `${key}=${has}`})`;
    });
  return {
    problem,
    remedy: `pod/${near.metadata?.name} comes nearest, but for ${wrong.join(", ")}`,
    more,
  };
}

function unknownPort({ name, port, targetPort }: V1ServicePort, pods: readonly V1Pod[]): Finding[] {
  if (typeof targetPort !== "string" || /^\d+$/.test(targetPort)) return [];
  const without = pods.filter((pod) => !portNames(pod).includes(targetPort));
  const [first] = without;
  if (!first) return [];
  const known = portNames(first);
  const whose = without.length === pods.length ? "none of its Pods" : `pod/${first.metadata?.name}`;
  const verb = without.length === pods.length ? "has" : "has not";
  return [
    {
      problem: `port ${name ?? port} goes to the container port named '${targetPort}', which ${whose} ${verb}`,
      remedy:
        known.length > 0
          ? `one of ${known.join(", ")} as targetPort, a number, or a container port of that name`
          : "a number as targetPort, or a container port of that name",
    },
  ];
}

function portNames({ spec }: V1Pod): readonly string[] {
  const sidecars = (spec?.initContainers ?? []).filter((one) => one.restartPolicy === "Always");
  return [...(spec?.containers ?? []), ...sidecars].flatMap(({ ports = [] }) =>
    ports.flatMap(({ name }) => (name ? [name] : [])),
  );
}

function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
}

function isEnded(phase: string | undefined): boolean {
  return phase === "Succeeded" || phase === "Failed";
}

function waiting({ metadata, spec, status }: V1Pod): Finding {
  const name = metadata?.name;
  const condition = status?.conditions?.find(({ type }) => type === "Ready");
  const why = spec?.nodeName
    ? condition?.message || status?.phase || "it has not begun"
    : "it has no node yet";
  return { problem: `pod/${name} is not ready: ${why}`, more: `skiff why pod/${name}` };
}

function unbalanced({ spec, status }: V1Service): readonly Finding[] {
  if (spec?.type !== "LoadBalancer" || (status?.loadBalancer?.ingress ?? []).length > 0) return [];
  return [
    {
      problem: "it has no address outside the cluster yet (type LoadBalancer)",
      remedy: "something that gives Services of this class their addresses, or type NodePort",
    },
  ];
}
