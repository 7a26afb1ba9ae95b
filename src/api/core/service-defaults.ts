import type { V1Service, V1ServicePort, V1ServiceSpec, V1ServiceStatus } from "../../gen/types.ts";
import { fill, mapField, mapItems, withField } from "../strategy/strategy.ts";

/** How long a client stays with its endpoint: three hours, upstream's value. */
const AFFINITY_SECONDS = 10800;

/** @spec k8s@1.36 pkg/apis/core/v1 defaults.go SetDefaults_Service */
export function withServiceDefaults(service: V1Service): V1Service {
  const specified = mapField(fill<V1Service>(service, { spec: {} }), "spec", withSpecDefaults);
  return specified.spec?.type === "LoadBalancer"
    ? mapField(specified, "status", withStatusDefaults)
    : specified;
}

function withSpecDefaults(spec: V1ServiceSpec): V1ServiceSpec {
  const typed = fill(spec, { sessionAffinity: "None", type: "ClusterIP" });
  const ported = mapField(typed, "ports", (ports) => mapItems(ports, withPortDefaults));
  const sticky = withAffinityDefaults(ported);
  const external = isExternallyReachable(sticky)
    ? fill(sticky, { externalTrafficPolicy: "Cluster" })
    : sticky;
  if (spec.type === "ExternalName") return external;
  const internal = fill(withFamilies(external), { internalTrafficPolicy: "Cluster" });
  return internal.type === "LoadBalancer"
    ? fill(internal, { allocateLoadBalancerNodePorts: true })
    : internal;
}

/** Whether traffic from outside the cluster may arrive. */
export function isExternallyReachable(spec: V1ServiceSpec): boolean {
  return (
    spec.type === "LoadBalancer" ||
    spec.type === "NodePort" ||
    (spec.type === "ClusterIP" && (spec.externalIPs ?? []).length > 0)
  );
}

function withPortDefaults(port: V1ServicePort): V1ServicePort {
  const filled = fill(port, { protocol: "TCP" });
  return filled.targetPort === undefined || filled.targetPort === 0 || filled.targetPort === ""
    ? { ...filled, targetPort: filled.port }
    : filled;
}

function withAffinityDefaults(spec: V1ServiceSpec): V1ServiceSpec {
  if (spec.sessionAffinity === "None") return withField(spec, "sessionAffinityConfig", undefined);
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  return spec.sessionAffinity === "ClientIP" && seconds === undefined
    ? { ...spec, sessionAffinityConfig: { clientIP: { timeoutSeconds: AFFINITY_SECONDS } } }
    : spec;
}

/** What is known of the families without the cluster's ranges; the rest is the allocator's. */
function withFamilies(spec: V1ServiceSpec): V1ServiceSpec {
  const families = spec.ipFamilies ?? [];
  const wantsTwo = (spec.clusterIPs ?? []).length === 2 || families.length === 2;
  const policed = wantsTwo ? fill(spec, { ipFamilyPolicy: "RequireDualStack" }) : spec;
  const [only] = families;
  return policed.ipFamilyPolicy === "RequireDualStack" && families.length === 1 && only
    ? { ...policed, ipFamilies: [only, only === "IPv4" ? "IPv6" : "IPv4"] }
    : policed;
}

function withStatusDefaults(status: V1ServiceStatus): V1ServiceStatus {
  return mapField(status, "loadBalancer", (balancer) =>
    mapField(balancer, "ingress", (ingress) =>
      mapItems(ingress, (entry) => (entry.ip ? fill(entry, { ipMode: "VIP" }) : entry)),
    ),
  );
}
