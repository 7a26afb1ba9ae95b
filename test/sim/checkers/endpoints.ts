import type { V1EndpointSlice, V1Endpoints, V1Pod, V1Service } from "../../../src/gen/types.ts";
import type { Checker } from "./checker.ts";
import { isOver } from "./pod-requests.ts";
import { keyOf, WorldState } from "./world-state.ts";

/** At rest the endpoints of each Service, in both of their forms, are the addresses of the ready Pods that it selects. */
export const endpoints: Checker = {
  name: "endpoints",
  checkAtRest({ changes }) {
    const state = WorldState.after(changes);
    return state.list<V1Service>("services").flatMap((service) => judge(service, state));
  },
};

function judge(service: V1Service, state: WorldState): readonly string[] {
  const selector = Object.entries(service.spec?.selector ?? {});
  if (selector.length === 0) return [];
  const { namespace, name } = service.metadata!;
  const isOwn = ({ metadata }: V1Pod): boolean =>
    metadata?.namespace === namespace &&
    selector.every(([key, value]) => metadata?.labels?.[key] === value);
  const due = state
    .list<V1Pod>("pods")
    .filter((pod) => isOwn(pod) && isServing(pod, service))
    .map(({ status }) => status!.podIP!);
  const old = state.get<V1Endpoints>("endpoints", keyOf(service));
  const ready = (old?.subsets ?? []).flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip));
  const sliced = state
    .list<V1EndpointSlice>("discovery.k8s.io/endpointslices")
    .filter(
      ({ metadata }) =>
        metadata?.namespace === namespace &&
        metadata?.labels?.["kubernetes.io/service-name"] === name,
    )
    .flatMap(({ endpoints: all }) => all ?? [])
    .filter(({ conditions }) => conditions?.ready ?? true)
    .flatMap(({ addresses }) => addresses);
  return [
    ...differs(`Endpoints of ${keyOf(service)}`, ready, due),
    ...differs(`EndpointSlices of ${keyOf(service)}`, sliced, due),
  ];
}

function isServing(pod: V1Pod, { spec }: V1Service): boolean {
  const { status, metadata } = pod;
  if (!status?.podIP || isOver(pod) || metadata?.deletionTimestamp) return false;
  const ready = status.conditions?.find(({ type }) => type === "Ready")?.status === "True";
  return ready || (spec?.publishNotReadyAddresses ?? false);
}

function differs(what: string, got: readonly string[], due: readonly string[]): readonly string[] {
  const [is, wanted] = [[...got].sort().join(" "), [...due].sort().join(" ")];
  return is === wanted ? [] : [`${what}: ${is || "none"}, due were ${wanted || "none"}`];
}
