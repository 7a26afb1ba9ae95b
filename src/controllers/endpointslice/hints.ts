import type { Service } from "../../api/core/service.ts";

/** The older name wins where both are given. @spec k8s@1.36 staging/src/k8s.io/endpointslice/utils.go hintsEnabled */
const MODE_ANNOTATIONS = [
  "service.kubernetes.io/topology-aware-hints",
  "service.kubernetes.io/topology-mode",
];

/** True when the annotation asks for hints by the size of zones; it goes before {@link trafficDistributionOf}. */
export function isTopologyAuto({ metadata }: Service): boolean {
  const name = MODE_ANNOTATIONS.find(
    (annotation) => metadata?.annotations?.[annotation] !== undefined,
  );
  const mode = name && metadata?.annotations?.[name];
  return mode === "Auto" || mode === "auto";
}

/** Whose endpoints a client is to get first, as far as the Service says it and the annotation does not. */
export function trafficDistributionOf(
  service: Service,
): "PreferClose" | "PreferSameZone" | "PreferSameNode" | undefined {
  const wish = service.spec?.trafficDistribution;
  const isKnown = wish === "PreferClose" || wish === "PreferSameZone" || wish === "PreferSameNode";
  return isKnown && !isTopologyAuto(service) ? wish : undefined;
}
