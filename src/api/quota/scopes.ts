import type {
  V1Pod,
  V1PodAffinityTerm,
  V1ResourceQuotaSpec,
  V1ScopedResourceSelectorRequirement,
} from "../../gen/types.ts";
import { qosClassOf } from "../core/pod-qos.ts";

/** Scopes that choose among Pods. @spec k8s@1.36 pkg/apis/core/helper IsStandardResourceQuotaScope */
export const POD_SCOPES: ReadonlySet<string> = new Set([
  "Terminating",
  "NotTerminating",
  "BestEffort",
  "NotBestEffort",
  "PriorityClass",
  "CrossNamespacePodAffinity",
]);

const COMPUTE = /^((requests|limits)\.)?(cpu|memory|ephemeral-storage)$/;

/** True where `scope` can choose among what `name` counts. @spec IsResourceQuotaScopeValidForResource */
export function scopeCounts(scope: string, name: string): boolean {
  if (name === "pods") return true;
  return scope !== "BestEffort" && COMPUTE.test(name);
}

/** True of the scope that has values to choose from. */
export function needsSelector(scope: string): boolean {
  return scope === "PriorityClass";
}

/** All scopes of a quota, in the form of a selector. @spec k8s@1.36 apiserver quota/v1/generic getScopeSelectorsFromQuota */
export function scopesOf(
  spec: V1ResourceQuotaSpec | undefined,
): readonly V1ScopedResourceSelectorRequirement[] {
  const plain = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" }));
  return [...plain, ...(spec?.scopeSelector?.matchExpressions ?? [])];
}

/** True of a Pod that all scopes choose. @spec k8s@1.36 pkg/quota/v1/evaluator/core/pods.go podMatchesScopeFunc */
export function isInScopes(spec: V1ResourceQuotaSpec | undefined, pod: V1Pod): boolean {
  return scopesOf(spec).every((scope) => isInScope(scope, pod));
}

function isInScope(requirement: V1ScopedResourceSelectorRequirement, { spec }: V1Pod): boolean {
  switch (requirement.scopeName) {
    case "Terminating":
      return isTerminating(spec);
    case "NotTerminating":
      return !isTerminating(spec);
    case "BestEffort":
      return qosClassOf(spec!) === "BestEffort";
    case "NotBestEffort":
      return qosClassOf(spec!) !== "BestEffort";
    case "PriorityClass":
      return hasClass(requirement, spec?.priorityClassName ?? "");
    case "CrossNamespacePodAffinity":
      return looksAcrossNamespaces(spec);
    default:
      return false;
  }
}

function isTerminating(spec: V1Pod["spec"]): boolean {
  return (spec?.activeDeadlineSeconds ?? -1) >= 0;
}

function hasClass(
  { operator, values = [] }: V1ScopedResourceSelectorRequirement,
  name: string,
): boolean {
  switch (operator) {
    case "Exists":
      return name !== "";
    case "DoesNotExist":
      return name === "";
    case "In":
      return name !== "" && values.includes(name);
    default:
      return name === "" || !values.includes(name);
  }
}

function looksAcrossNamespaces(spec: V1Pod["spec"]): boolean {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  const terms: readonly V1PodAffinityTerm[] = [podAffinity, podAntiAffinity].flatMap((side) => [
    ...(side?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(side?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ podAffinityTerm }) => podAffinityTerm,
    ),
  ]);
  return terms.some((term) => (term.namespaces?.length ?? 0) > 0 || !!term.namespaceSelector);
}
