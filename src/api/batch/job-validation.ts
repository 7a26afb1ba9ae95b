import type { V1Job, V1JobSpec } from "../../gen/types.ts";
import { validateTemplate } from "../core/template-validation.ts";
import { invalid, notSupported, required, tooLong } from "../machinery/field-error.ts";
import { labelSelectorOf, validateLabelSelector } from "../machinery/label-selector.ts";
import { regexMessage, validateDnsLabel, validateDnsSubdomain } from "../machinery/names.ts";
import { invalids, maybe, nonNegative, oneOf, when, type Errors } from "../strategy/checks.ts";
import { validateGeneratedSelector } from "./generated-selector.ts";
import { validatePodFailurePolicy, validateSuccessPolicy } from "./job-policy-validation.ts";
import { isIndexed } from "./job-state.ts";

/** Indexes of an Indexed Job are written out in its status: more at once, or more failed, would not fit. */
const INDEXED_PARALLELISM_MAX = 100_000;
const FAILED_INDEXES_MAX = 100_000;
/** Above so many completions, the two limits after it hold where indexes fail one by one. */
const COMPLETIONS_HIGH = 100_000;
const HIGH_PARALLELISM_MAX = 10_000;
const HIGH_FAILED_INDEXES_MAX = 10_000;
/** Of `managedBy`, in bytes. */
const MANAGED_BY_MAX = 63;

/** @spec k8s@1.36 pkg/apis/batch/validation ValidateJob */
export function validateJob(job: V1Job, requiresPrefixedLabels = true): Errors {
  const { spec, metadata } = job;
  if (spec === undefined) return [required("spec.selector"), required("spec.template")];
  return [
    ...validateGeneratedSelector(job, requiresPrefixedLabels),
    ...validateJobSpec(spec, "spec"),
    ...validateSelector(spec),
    ...validateHostname(metadata?.name ?? "", spec),
  ];
}

function validateSelector({ selector, template }: V1JobSpec): Errors {
  if (selector === undefined) return [required("spec.selector")];
  const labels = template?.metadata?.labels ?? {};
  return [
    ...validateLabelSelector(selector, "spec.selector"),
    ...when(
      !labelSelectorOf(selector).matches(labels),
      invalid(
        "spec.template.metadata.labels",
        labels,
        "`selector` does not match template `labels`",
      ),
    ),
  ];
}

/** Pods of an Indexed Job have their index in their host name. */
function validateHostname(name: string, spec: V1JobSpec): Errors {
  if (!isIndexed(spec) || !spec.completions || spec.completions < 0) return [];
  const longest = `${name}-${spec.completions - 1}`;
  return when(
    validateDnsLabel(longest).length > 0,
    invalid(
      "metadata.name",
      name,
      `will not able to create pod with invalid DNS label: ${longest}`,
    ),
  );
}

/** What a Job and the Job template of a CronJob have in common. @spec validateJobSpec */
export function validateJobSpec(spec: V1JobSpec, path: string): Errors {
  return [
    ...nonNegative(`${path}.parallelism`, spec.parallelism),
    ...nonNegative(`${path}.completions`, spec.completions),
    ...nonNegative(`${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds),
    ...nonNegative(`${path}.backoffLimit`, spec.backoffLimit),
    ...nonNegative(`${path}.ttlSecondsAfterFinished`, spec.ttlSecondsAfterFinished),
    ...nonNegative(`${path}.backoffLimitPerIndex`, spec.backoffLimitPerIndex),
    ...nonNegative(`${path}.maxFailedIndexes`, spec.maxFailedIndexes),
    ...when(
      spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined,
      required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified"),
    ),
    ...maybe(spec.managedBy, (manager) => validateManager(manager, `${path}.managedBy`)),
    ...oneOf(`${path}.completionMode`, spec.completionMode, ["NonIndexed", "Indexed"]),
    ...(isIndexed(spec) ? validateIndexed(spec, path) : validateNonIndexed(spec, path)),
    ...maybe(spec.podFailurePolicy, (policy) =>
      validatePodFailurePolicy(policy, spec, `${path}.podFailurePolicy`),
    ),
    ...maybe(spec.successPolicy, (policy) =>
      isIndexed(spec)
        ? validateSuccessPolicy(policy, spec, `${path}.successPolicy`)
        : [invalid(`${path}.successPolicy`, policy, "requires indexed completion mode")],
    ),
    ...oneOf(
      `${path}.podReplacementPolicy`,
      spec.podReplacementPolicy,
      spec.podFailurePolicy ? ["Failed"] : ["Failed", "TerminatingOrFailed"],
    ),
    ...(spec.template === undefined
      ? [required(`${path}.template`)]
      : validateTemplate(spec.template, `${path}.template`)),
    ...validateRestartPolicy(spec, `${path}.template.spec.restartPolicy`),
  ];
}

function validateIndexed(spec: V1JobSpec, path: string): Errors {
  const { completions, parallelism = 0, maxFailedIndexes: failed, backoffLimitPerIndex } = spec;
  const failedPath = `${path}.maxFailedIndexes`;
  const isHigh = (completions ?? 0) > COMPLETIONS_HIGH && backoffLimitPerIndex !== undefined;
  const whenHigh = `when completions are above ${COMPLETIONS_HIGH} and used with backoff limit per index`;
  const atMost = (max: number, rest = ""): string =>
    `must be less than or equal to ${max}${rest && ` ${rest}`}`;
  return [
    ...when(
      completions === undefined,
      required(`${path}.completions`, "when completion mode is Indexed"),
    ),
    ...when(
      parallelism > INDEXED_PARALLELISM_MAX,
      invalid(
        `${path}.parallelism`,
        parallelism,
        atMost(INDEXED_PARALLELISM_MAX, "when completion mode is Indexed"),
      ),
    ),
    ...when(
      completions !== undefined && failed !== undefined && failed > completions,
      invalid(failedPath, failed, "must be less than or equal to completions"),
    ),
    ...when(
      (failed ?? 0) > FAILED_INDEXES_MAX,
      invalid(failedPath, failed, atMost(FAILED_INDEXES_MAX)),
    ),
    ...when(
      isHigh && failed === undefined,
      required(failedPath, `must be specified when completions is above ${COMPLETIONS_HIGH}`),
    ),
    ...when(
      isHigh && parallelism > HIGH_PARALLELISM_MAX,
      invalid(`${path}.parallelism`, parallelism, atMost(HIGH_PARALLELISM_MAX, whenHigh)),
    ),
    ...when(
      isHigh && (failed ?? 0) > HIGH_FAILED_INDEXES_MAX,
      invalid(failedPath, failed, atMost(HIGH_FAILED_INDEXES_MAX, whenHigh)),
    ),
  ];
}

function validateNonIndexed(spec: V1JobSpec, path: string): Errors {
  const { backoffLimitPerIndex, maxFailedIndexes, completionMode = "NonIndexed" } = spec;
  if (completionMode !== "NonIndexed") return [];
  const rule = "requires indexed completion mode";
  return [
    ...maybe(backoffLimitPerIndex, (limit) => [
      invalid(`${path}.backoffLimitPerIndex`, limit, rule),
    ]),
    ...maybe(maxFailedIndexes, (limit) => [invalid(`${path}.maxFailedIndexes`, limit, rule)]),
  ];
}

/** The defaults of Pods say Always, which a Job cannot have. */
function validateRestartPolicy({ template, podFailurePolicy }: V1JobSpec, field: string): Errors {
  const { restartPolicy: policy = "" } = template?.spec ?? {};
  if (policy === "" || policy === "Always")
    return [required(field, 'valid values: "OnFailure", "Never"')];
  if (policy !== "OnFailure" && policy !== "Never")
    return [notSupported(field, policy, ["OnFailure", "Never"])];
  return when(
    podFailurePolicy !== undefined && policy !== "Never",
    invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified'),
  );
}

const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const HTTP_PATH_FORM = new RegExp(`^${HTTP_PATH}$`);

/** `example.com/controller`. @spec apimachinery util/validation IsDomainPrefixedPath */
function validateManager(manager: string, field: string): Errors {
  if (manager === "") return [required(field)];
  const slash = manager.indexOf("/");
  const [host, path] = [manager.slice(0, Math.max(slash, 0)), manager.slice(slash + 1)];
  if (host === "" || path === "")
    return [
      invalid(field, manager, 'must be a domain-prefixed path (such as "acme.io/foo")'),
      ...when(manager.length > MANAGED_BY_MAX, tooLong(field, MANAGED_BY_MAX)),
    ];
  return [
    ...invalids(field, host, validateDnsSubdomain(host)),
    ...when(
      !HTTP_PATH_FORM.test(path),
      invalid(field, path, regexMessage("Invalid path", HTTP_PATH)),
    ),
    ...when(manager.length > MANAGED_BY_MAX, tooLong(field, MANAGED_BY_MAX)),
  ];
}
