import type {
  V1Affinity,
  V1NodeAffinity,
  V1NodeSelector,
  V1NodeSelectorRequirement,
  V1NodeSelectorTerm,
  V1PodAffinity,
  V1PodAffinityTerm,
  V1Toleration,
  V1TopologySpreadConstraint,
} from "../../gen/types.ts";
import { duplicate, errorsOfEach, forbidden, invalid, required } from "../machinery/field-error.ts";
import {
  validateDnsLabel,
  validateDnsSubdomain,
  validateLabelValue,
  validateQualifiedName,
} from "../machinery/names.ts";
import {
  NOT_POSITIVE,
  each,
  invalids,
  maybe,
  oneOf,
  requiredText,
  when,
  type Errors,
} from "../strategy/checks.ts";
import { validateLabelSelector } from "../machinery/label-selector.ts";

const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";
const TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/** Where a pod wants to be. @spec k8s@1.36 pkg/apis/core/validation validateAffinity */
export function validateAffinity(affinity: V1Affinity, field: string): Errors {
  return [
    ...maybe(affinity.nodeAffinity, (node) => validateNodeAffinity(node, `${field}.nodeAffinity`)),
    ...maybe(affinity.podAffinity, (pods) => validatePodAffinity(pods, `${field}.podAffinity`)),
    ...maybe(affinity.podAntiAffinity, (pods) =>
      validatePodAffinity(pods, `${field}.podAntiAffinity`),
    ),
  ];
}

function validateNodeAffinity(affinity: V1NodeAffinity, field: string): Errors {
  return [
    ...maybe(affinity[REQUIRED], (selector) =>
      validateNodeSelector(selector, `${field}.${REQUIRED}`),
    ),
    ...each(affinity[PREFERRED], `${field}.${PREFERRED}`, ({ weight, preference }, path) => [
      ...validateWeight(weight, path),
      ...validateNodeTerm(preference ?? {}, `${path}.preference`),
    ]),
  ];
}

/** Which nodes a Pod or a volume may be used on. @spec ValidateNodeSelector */
export function validateNodeSelector({ nodeSelectorTerms }: V1NodeSelector, field: string): Errors {
  const path = `${field}.nodeSelectorTerms`;
  if ((nodeSelectorTerms ?? []).length === 0)
    return [required(path, "must have at least one node selector term")];
  return each(nodeSelectorTerms, path, validateNodeTerm);
}

function validateWeight(weight: number, path: string): Errors {
  const isFine = weight >= 1 && weight <= 100;
  return when(!isFine, invalid(`${path}.weight`, weight, "must be in the range 1-100"));
}

function validateNodeTerm(term: V1NodeSelectorTerm, path: string): Errors {
  return [
    ...each(term.matchExpressions, `${path}.matchExpressions`, validateNodeRequirement),
    ...each(term.matchFields, `${path}.matchFields`, validateNodeField),
  ];
}

function validateNodeRequirement(
  { key, operator, values = [] }: V1NodeSelectorRequirement,
  path: string,
): Errors {
  return [
    ...validateNodeOperator(operator, values, path),
    ...invalids(`${path}.key`, key, validateQualifiedName(key ?? "")),
    ...(operator === "In" || operator === "NotIn"
      ? each(values, `${path}.values`, (value, item) =>
          invalids(item, value, validateLabelValue(value)),
        )
      : []),
  ];
}

function validateNodeOperator(operator: string, values: readonly string[], path: string): Errors {
  const field = `${path}.values`;
  switch (operator) {
    case "In":
    case "NotIn": {
      const rule = "must be specified when `operator` is 'In' or 'NotIn'";
      return when(values.length === 0, required(field, rule));
    }
    case "Exists":
    case "DoesNotExist": {
      const rule = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      return when(values.length > 0, forbidden(field, rule));
    }
    case "Gt":
    case "Lt": {
      const rule = "must be specified single value when `operator` is 'Lt' or 'Gt'";
      return when(values.length !== 1, required(field, rule));
    }
    default:
      return [invalid(`${path}.operator`, operator, "not a valid selector operator")];
  }
}

function validateNodeField(
  { key, operator, values = [] }: V1NodeSelectorRequirement,
  path: string,
): Errors {
  const isIn = operator === "In" || operator === "NotIn";
  const rule = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
  return [
    ...(isIn
      ? when(values.length !== 1, required(`${path}.values`, rule))
      : [invalid(`${path}.operator`, operator, "not a valid selector operator")]),
    ...(key === "metadata.name"
      ? each(values, `${path}.values`, (value, item) =>
          invalids(item, value, validateDnsSubdomain(value)),
        )
      : [invalid(`${path}.key`, key, "not a valid field selector key")]),
  ];
}

function validatePodAffinity(affinity: V1PodAffinity, field: string): Errors {
  return [
    ...each(affinity[REQUIRED], `${field}.${REQUIRED}`, validatePodTerm),
    ...each(affinity[PREFERRED], `${field}.${PREFERRED}`, ({ weight, podAffinityTerm }, path) => [
      ...validateWeight(weight, path),
      ...maybe(podAffinityTerm, (term) => validatePodTerm(term, `${path}.podAffinityTerm`)),
    ]),
  ];
}

function validatePodTerm(term: V1PodAffinityTerm, path: string): Errors {
  const { topologyKey, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  const mismatched = new Set(mismatchLabelKeys);
  return [
    ...validateLabelSelector(term.labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
    ...errorsOfEach(term.namespaces ?? [], (name) =>
      invalids(`${path}.namespace`, name, validateDnsLabel(name)),
    ),
    ...validateLabelKeys(
      matchLabelKeys,
      term.labelSelector !== undefined,
      `${path}.matchLabelKeys`,
    ),
    ...validateLabelKeys(
      mismatchLabelKeys,
      term.labelSelector !== undefined,
      `${path}.mismatchLabelKeys`,
    ),
    ...errorsOfEach(matchLabelKeys, (key, index) =>
      when(
        mismatched.has(key),
        invalid(
          `${path}.matchLabelKeys[${index}]`,
          key,
          "exists in both matchLabelKeys and mismatchLabelKeys",
        ),
      ),
    ),
    ...requiredText(`${path}.topologyKey`, topologyKey, "can not be empty"),
    ...invalids(`${path}.topologyKey`, topologyKey, validateQualifiedName(topologyKey ?? "")),
  ];
}

function validateLabelKeys(keys: readonly string[], hasSelector: boolean, field: string): Errors {
  if (keys.length === 0) return [];
  if (!hasSelector)
    return [forbidden(field, "must not be specified when labelSelector is not set")];
  return each(keys, field, (key, path) => invalids(path, key, validateQualifiedName(key)));
}

/** How pods spread over the cluster. @spec validateTopologySpreadConstraints */
export function validateSpread(
  constraints: readonly V1TopologySpreadConstraint[] | undefined,
  field: string,
): Errors {
  const keyOf = ({ topologyKey, whenUnsatisfiable }: V1TopologySpreadConstraint): string =>
    `{${topologyKey}, ${whenUnsatisfiable}}`;
  const last = new Map((constraints ?? []).map((constraint, index) => [keyOf(constraint), index]));
  return each(constraints, field, (constraint, path, index) => [
    ...validateConstraint(constraint, path),
    ...when(
      index < last.get(keyOf(constraint))!,
      duplicate(`${path}.{topologyKey, whenUnsatisfiable}`, keyOf(constraint)),
    ),
  ]);
}

function validateConstraint(constraint: V1TopologySpreadConstraint, path: string): Errors {
  const { maxSkew, minDomains, topologyKey, whenUnsatisfiable: action } = constraint;
  const onlyHard = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`;
  const actions = ["DoNotSchedule", "ScheduleAnyway"];
  return [
    ...when(!(maxSkew > 0), invalid(`${path}.maxSkew`, maxSkew, NOT_POSITIVE)),
    ...requiredText(`${path}.topologyKey`, topologyKey, "can not be empty"),
    ...oneOf(`${path}.whenUnsatisfiable`, action ?? "", actions),
    ...maybe(minDomains, (domains) => [
      ...when(domains <= 0, invalid(`${path}.minDomains`, domains, NOT_POSITIVE)),
      ...when(action !== "DoNotSchedule", invalid(`${path}.minDomains`, domains, onlyHard)),
    ]),
    ...oneOf(`${path}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, ["Honor", "Ignore"]),
    ...oneOf(`${path}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, ["Honor", "Ignore"]),
    ...validateLabelKeys(
      constraint.matchLabelKeys ?? [],
      constraint.labelSelector !== undefined,
      `${path}.matchLabelKeys`,
    ),
    ...validateLabelSelector(constraint.labelSelector, `${path}.labelSelector`),
  ];
}

/** Taints that a pod bears. @spec ValidateTolerations */
export function validateTolerations(
  tolerations: readonly V1Toleration[] | undefined,
  field: string,
): Errors {
  return each(tolerations, field, (toleration, path) => {
    const { key, operator, effect, tolerationSeconds } = toleration;
    const anyKey =
      'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    return [
      ...(key ? invalids(`${path}.key`, key, validateQualifiedName(key)) : []),
      ...when(!key && operator !== "Exists", invalid(`${path}.operator`, operator ?? "", anyKey)),
      ...when(
        tolerationSeconds !== undefined && effect !== "NoExecute",
        invalid(
          `${path}.effect`,
          effect ?? "",
          "effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
      ),
      ...validateTolerationOperator(toleration, `${path}.operator`),
      ...(effect ? oneOf(`${path}.effect`, effect, TAINT_EFFECTS) : []),
    ];
  });
}

function validateTolerationOperator(toleration: V1Toleration, field: string): Errors {
  const { operator, value = "" } = toleration;
  if (!operator || operator === "Equal") {
    const messages = validateLabelValue(value);
    return when(messages.length > 0, invalid(field, value, messages.join(";")));
  }
  if (operator !== "Exists") return oneOf(field, operator, ["Equal", "Exists"]);
  const rule = "value must be empty when `operator` is 'Exists'";
  return when(value !== "", invalid(field, toleration, rule));
}
