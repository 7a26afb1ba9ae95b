import type {
  V1JobSpec,
  V1PodFailurePolicy,
  V1PodFailurePolicyOnExitCodesRequirement,
  V1PodFailurePolicyRule,
  V1SuccessPolicy,
  V1SuccessPolicyRule,
} from "../../gen/types.ts";
import {
  duplicate,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
} from "../machinery/field-error.ts";
import { validateQualifiedName } from "../machinery/names.ts";
import { each, invalids, maybe, nonNegative, when, type Errors } from "../strategy/checks.ts";
import { countIndexes } from "./index-set.ts";

/** Rules of one policy, and patterns of one rule: each failed Pod is held against all of them. */
const RULES_MAX = 20;
const PATTERNS_MAX = 20;
/** There are no more exit codes. */
const EXIT_CODES_MAX = 255;
/** Of the text of a rule's indexes, in bytes. */
const INDEXES_BYTES_MAX = 64 * 1024;

const ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS = ["In", "NotIn"];
const STATUSES = ["False", "True", "Unknown"];

/** @spec k8s@1.36 pkg/apis/batch/validation validatePodFailurePolicy */
export function validatePodFailurePolicy(
  { rules = [] }: V1PodFailurePolicy,
  spec: V1JobSpec,
  path: string,
): Errors {
  return [
    ...when(rules.length > RULES_MAX, tooMany(`${path}.rules`, rules.length, RULES_MAX)),
    ...each(rules, `${path}.rules`, (rule, field) => validateFailureRule(rule, spec, field)),
  ];
}

function validateFailureRule(rule: V1PodFailurePolicyRule, spec: V1JobSpec, path: string): Errors {
  const { onExitCodes, onPodConditions = [] } = rule;
  const hasConditions = onPodConditions.length > 0;
  return [
    ...validateAction(rule.action, spec, `${path}.action`),
    ...maybe(onExitCodes, (codes) => validateExitCodes(codes, spec, `${path}.onExitCodes`)),
    ...when(
      onPodConditions.length > PATTERNS_MAX,
      tooMany(`${path}.onPodConditions`, onPodConditions.length, PATTERNS_MAX),
    ),
    ...each(onPodConditions, `${path}.onPodConditions`, ({ type = "", status = "" }, field) => [
      ...invalids(`${field}.type`, type, validateQualifiedName(type)),
      ...requiredValue(`${field}.status`, status, STATUSES),
    ]),
    ...when(
      onExitCodes !== undefined && hasConditions,
      invalid(path, undefined, "specifying both OnExitCodes and OnPodConditions is not supported"),
    ),
    ...when(
      onExitCodes === undefined && !hasConditions,
      invalid(path, undefined, "specifying one of OnExitCodes and OnPodConditions is required"),
    ),
  ];
}

function validateAction(action: string | undefined, spec: V1JobSpec, field: string): Errors {
  if (action === "FailIndex") {
    const rule = "requires the backoffLimitPerIndex to be set";
    return when(spec.backoffLimitPerIndex === undefined, invalid(field, action, rule));
  }
  return requiredValue(field, action ?? "", ACTIONS);
}

/** One of a list; the message of an absent one lists them as Go prints a list of texts. */
function requiredValue(field: string, value: string, supported: readonly string[]): Errors {
  const shown = supported.map((text) => JSON.stringify(text)).join(" ");
  if (value === "") return [required(field, `valid values: [${shown}]`)];
  return when(!supported.includes(value), notSupported(field, value, supported));
}

function validateExitCodes(
  { operator = "", containerName, values = [] }: V1PodFailurePolicyOnExitCodesRequirement,
  { template }: V1JobSpec,
  path: string,
): Errors {
  const { containers = [], initContainers = [] } = template?.spec ?? {};
  const names = [...containers, ...initContainers].map(({ name }) => name);
  const unknown = "must be one of the container or initContainer names in the pod template";
  const isOrdered = values.every((value, index) => index === 0 || values[index - 1]! <= value);
  return [
    ...requiredValue(`${path}.operator`, operator, OPERATORS),
    ...maybe(containerName, (name) =>
      when(!names.includes(name), invalid(`${path}.containerName`, name, unknown)),
    ),
    ...when(
      values.length === 0,
      invalid(`${path}.values`, values, "at least one value is required"),
    ),
    ...when(
      values.length > EXIT_CODES_MAX,
      tooMany(`${path}.values`, values.length, EXIT_CODES_MAX),
    ),
    ...each(values, `${path}.values`, (value, field, index) => [
      ...when(
        operator === "In" && value === 0,
        invalid(field, value, "must not be 0 for the In operator"),
      ),
      ...when(values.indexOf(value) < index, duplicate(field, value)),
    ]),
    ...when(!isOrdered, invalid(`${path}.values`, values, "must be ordered")),
  ];
}

/** @spec k8s@1.36 pkg/apis/batch/validation validateSuccessPolicy */
export function validateSuccessPolicy(
  { rules = [] }: V1SuccessPolicy,
  { completions = 0 }: V1JobSpec,
  path: string,
): Errors {
  const missing = "at least one rules must be specified when the successPolicy is specified";
  return [
    ...when(rules.length === 0, required(`${path}.rules`, missing)),
    ...when(rules.length > RULES_MAX, tooMany(`${path}.rules`, rules.length, RULES_MAX)),
    ...each(rules, `${path}.rules`, (rule, field) => validateSuccessRule(rule, completions, field)),
  ];
}

function validateSuccessRule(
  { succeededCount: count, succeededIndexes: indexes }: V1SuccessPolicyRule,
  completions: number,
  path: string,
): Errors {
  const named = indexes === undefined ? undefined : countIndexes(indexes, completions);
  const total = named && "count" in named ? named.count : 0;
  const [countPath, indexesPath] = [`${path}.succeededCount`, `${path}.succeededIndexes`];
  const atMost = (max: number, what: string): string =>
    `must be less than or equal to ${max} (the number of ${what})`;
  return [
    ...when(
      count === undefined && indexes === undefined,
      required(path, "at least one of succeededCount or succeededIndexes must be specified"),
    ),
    ...when((indexes ?? "").length > INDEXES_BYTES_MAX, tooLong(indexesPath, INDEXES_BYTES_MAX)),
    ...(named && "problem" in named
      ? [invalid(indexesPath, indexes, `error parsing succeededIndexes: ${named.problem}`)]
      : []),
    ...nonNegative(countPath, count),
    ...when(
      (count ?? 0) > completions,
      invalid(countPath, count, atMost(completions, "specified completions")),
    ),
    ...when(
      indexes !== undefined && (count ?? 0) > total,
      invalid(countPath, count, atMost(total, "indexes in the specified succeededIndexes field")),
    ),
  ];
}
