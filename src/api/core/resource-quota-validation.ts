import type { V1ResourceQuota, V1ResourceQuotaSpec } from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { invalid, notSupported, required } from "../machinery/field-error.ts";
import { validateQualifiedName } from "../machinery/names.ts";
import { FIELD_IMMUTABLE, IS_NEGATIVE } from "../machinery/object-meta-validation.ts";
import { parseQuantity, quantityProblem } from "../machinery/quantity.ts";
import { each, invalids, when, type Errors } from "../strategy/checks.ts";
import { needsSelector, POD_SCOPES, scopesOf, scopeCounts } from "../quota/scopes.ts";

/** What a quota may bound without a slash in its name. @spec k8s@1.36 pkg/apis/core/helper standardQuotaResources */
const STANDARD = new Set(
  (
    "cpu memory ephemeral-storage requests.cpu requests.memory requests.storage " +
    "requests.ephemeral-storage limits.cpu limits.memory limits.ephemeral-storage pods " +
    "resourcequotas services replicationcontrollers secrets persistentvolumeclaims configmaps " +
    "services.nodeports services.loadbalancers"
  ).split(" "),
);
const HUGE_PAGES = /^(requests\.)?hugepages-/;
/** Counted in whole pieces. @spec helper integerResources */
const WHOLE =
  /^(count\/.*|pods|resourcequotas|services|replicationcontrollers|secrets|configmaps|persistentvolumeclaims|services\.(nodeports|loadbalancers))$/;
const CONFLICTS = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;
const OPERATORS = ["DoesNotExist", "Exists", "In", "NotIn"];
const NANOS = 1_000_000_000n;

type Amounts = Readonly<Record<string, string>> | undefined;

/** @spec k8s@1.36 pkg/apis/core/validation ValidateResourceQuotaSpec */
export function validateResourceQuota({ spec = {} }: V1ResourceQuota): Errors {
  return [
    ...validateAmounts(spec.hard, "spec.hard"),
    ...validateScopes(spec),
    ...validateSelector(spec),
  ];
}

/** The objects that a quota counts stay the same ones. @spec ValidateResourceQuotaUpdate */
export function validateQuotaChange({ spec }: V1ResourceQuota, old: V1ResourceQuota): Errors {
  const sorted = (scopes: readonly string[] | undefined): readonly string[] =>
    [...new Set(scopes ?? [])].sort();
  return [
    ...when(
      !equalSemantic(sorted(spec?.scopes), sorted(old.spec?.scopes)),
      invalid("spec.scopes", spec?.scopes, FIELD_IMMUTABLE),
    ),
    ...when(
      !equalSemantic(spec?.scopeSelector, old.spec?.scopeSelector),
      invalid("spec.scopeSelector", spec?.scopeSelector, FIELD_IMMUTABLE),
    ),
  ];
}

/** @spec ValidateResourceQuotaStatusUpdate */
export function validateQuotaStatus({ status }: V1ResourceQuota): Errors {
  return [
    ...validateAmounts(status?.hard, "status.hard"),
    ...validateAmounts(status?.used, "status.used"),
  ];
}

function validateAmounts(amounts: Amounts, field: string): Errors {
  return Object.entries(amounts ?? {}).flatMap(([name, amount]) => {
    const path = `${field}[${name}]`;
    const problem = quantityProblem(amount);
    const names = validateName(name, path);
    if (problem !== undefined) return [...names, invalid(path, amount, problem)];
    const { nanos } = parseQuantity(amount);
    return [
      ...names,
      ...when(nanos < 0n, invalid(path, amount, IS_NEGATIVE)),
      ...when(
        WHOLE.test(name) && nanos % NANOS !== 0n,
        invalid(path, amount, "must be an integer"),
      ),
    ];
  });
}

function validateName(name: string, field: string): Errors {
  const qualified = invalids(field, name, validateQualifiedName(name));
  if (qualified.length > 0 || name.includes("/")) return qualified;
  const isKnown = STANDARD.has(name) || HUGE_PAGES.test(name);
  return when(!isKnown, invalid(field, name, "must be a standard resource for quota"));
}

function validateScopes({ scopes = [], hard }: V1ResourceQuotaSpec): Errors {
  return [
    ...scopes.flatMap((scope) => validateScope(scope, scopes, hard, "spec.scopes")),
    ...when(areInConflict(scopes), invalid("spec.scopes", scopes, "conflicting scopes")),
  ];
}

function validateScope(scope: string, all: unknown, hard: Amounts, field: string): Errors {
  if (!POD_SCOPES.has(scope)) return [invalid(field, all, "unsupported scope")];
  return Object.keys(hard ?? {})
    .filter((name) => (STANDARD.has(name) || HUGE_PAGES.test(name)) && !scopeCounts(scope, name))
    .map(() => invalid(field, all, "unsupported scope applied to resource"));
}

function areInConflict(scopes: readonly string[]): boolean {
  return CONFLICTS.some((pair) => pair.every((scope) => scopes.includes(scope)));
}

function validateSelector(spec: V1ResourceQuotaSpec): Errors {
  const field = "spec.scopeSelector.matchExpressions";
  const terms = spec.scopeSelector?.matchExpressions;
  const names = (terms ?? []).map(({ scopeName }) => scopeName);
  return [
    ...each(terms, field, ({ scopeName, operator, values = [] }, path) => [
      ...validateScope(scopeName, scopeName, spec.hard, `${path}.scopeName`),
      ...(needsSelector(scopeName) || operator === "Exists"
        ? []
        : [
            invalid(
              `${path}.operator`,
              operator,
              "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, " +
                "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, " +
                "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
            ),
          ]),
      ...(OPERATORS.includes(operator)
        ? validateValues(operator, values, `${path}.values`)
        : [notSupported(`${path}.operator`, operator, OPERATORS)]),
    ]),
    ...when(areInConflict(names), invalid(field, scopesOf(spec), "conflicting scopes")),
  ];
}

function validateValues(operator: string, values: readonly string[], field: string): Errors {
  if (operator === "In" || operator === "NotIn")
    return when(
      values.length === 0,
      required(
        field,
        "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      ),
    );
  return when(
    values.length > 0,
    invalid(
      field,
      values,
      "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
    ),
  );
}
