import type { V1Service } from "../../gen/types.ts";
import { isHeadless } from "./service-validation.ts";

const OLD_HINTS = "service.kubernetes.io/topology-aware-hints";

/** Fields that are allowed and do nothing. @spec k8s@1.36 pkg/api/service warnings.go GetWarningsForService */
export function serviceWarnings({ metadata, spec = {} }: V1Service): readonly string[] {
  const isName = spec.type === "ExternalName";
  const rules: readonly [boolean, string][] = [
    [
      metadata?.annotations?.[OLD_HINTS] !== undefined,
      `annotation ${OLD_HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead`,
    ],
    [
      isHeadless(spec) && !!spec.loadBalancerIP,
      "spec.loadBalancerIP is ignored for headless services",
    ],
    [
      isHeadless(spec) && (spec.externalIPs ?? []).length > 0,
      "spec.externalIPs is ignored for headless services",
    ],
    [
      isHeadless(spec) && spec.sessionAffinity !== undefined && spec.sessionAffinity !== "None",
      "spec.SessionAffinity is ignored for headless services",
    ],
    [
      isName && (spec.externalIPs ?? []).length > 0,
      'spec.externalIPs is ignored when spec.type is "ExternalName"',
    ],
    [
      !isName && !!spec.externalName,
      'spec.externalName is ignored when spec.type is not "ExternalName"',
    ],
    [
      spec.trafficDistribution === "PreferClose",
      'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ],
  ];
  return rules.filter(([holds]) => holds).map(([, warning]) => warning);
}
