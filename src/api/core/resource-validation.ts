import type { V1ResourceRequirements } from "../../gen/types.ts";
import {
  errorsOfEach,
  forbidden,
  invalid,
  notFound,
  required,
  tooMany,
} from "../machinery/field-error.ts";
import { each, invalids, requiredText, unique, when, type Errors } from "../strategy/checks.ts";
import { validateQualifiedName } from "../machinery/names.ts";
import { compareQuantities, parseQuantity, quantityProblem } from "../machinery/quantity.ts";
import { IS_NEGATIVE } from "../machinery/object-meta-validation.ts";

const HUGE_PAGES = "hugepages-";
const CONTAINER_RESOURCES = new Set(["cpu", "memory", "ephemeral-storage"]);

/** Resources that are counted in whole pieces. */
const WHOLE_RESOURCES = new Set([
  "pods",
  "services",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
]);

/** Nanos of one whole piece. */
const NANOS = 1_000_000_000n;

/** Kinds of resources of one container. People have ten; each costs some ten microseconds. Upstream has no limit. */
const RESOURCES_MAX = 1000;

/** Requests and limits of a container. @spec k8s@1.36 pkg/apis/core/validation ValidateContainerResourceRequirements */
export function validateResources(
  { limits = {}, requests = {}, claims }: V1ResourceRequirements,
  podClaims: ReadonlySet<string>,
  field: string,
): Errors {
  const names = Object.keys({ ...limits, ...requests });
  if (names.length > RESOURCES_MAX) return [tooMany(field, names.length, RESOURCES_MAX)];
  const hasHugePages = names.some((name) => name.startsWith(HUGE_PAGES));
  const hasPlain = names.some((name) => name === "cpu" || name === "memory");
  return [
    ...errorsOfEach(Object.entries(limits), ([name, amount]) =>
      validateAmount(name, amount, `${field}.limits[${name}]`),
    ),
    ...errorsOfEach(Object.entries(requests), ([name, amount]) => [
      ...validateAmount(name, amount, `${field}.requests[${name}]`),
      ...validateRequest(name, amount, limits[name], field),
    ]),
    ...when(hasHugePages && !hasPlain, forbidden(field, "HugePages require cpu or memory")),
    ...each(claims, `${field}.claims`, ({ name }, path) => [
      ...requiredText(`${path}.name`, name),
      ...when(!!name && !podClaims.has(name), notFound(`${path}.name`, name)),
    ]),
    ...unique(
      claims,
      (index) => `${field}.claims[${index}]`,
      (claim) => claim.name,
    ),
  ];
}

function validateAmount(name: string, amount: string, field: string): Errors {
  const names = validateResourceName(name, field);
  const problem = quantityProblem(amount);
  if (problem !== undefined) return [...names, invalid(field, amount, problem)];
  const { nanos } = parseQuantity(amount);
  const mustBeWhole = WHOLE_RESOURCES.has(name) || isExtended(name);
  return [
    ...names,
    ...when(nanos < 0n, invalid(field, amount, IS_NEGATIVE)),
    ...when(mustBeWhole && nanos % NANOS !== 0n, invalid(field, amount, "must be an integer")),
  ];
}

/** A name that requests and limits of containers may have. */
export function validateResourceName(name: string, field: string): Errors {
  const qualified = invalids(field, name, validateQualifiedName(name));
  if (qualified.length > 0) return qualified;
  if (name.includes("/"))
    return when(
      !isNative(name) && !isExtended(name),
      invalid(field, name, "doesn't follow extended resource name standard"),
    );
  return when(
    !CONTAINER_RESOURCES.has(name) && !name.startsWith(HUGE_PAGES),
    invalid(field, name, "must be a standard resource for containers"),
  );
}

/** Of Kubernetes' own: without a prefix, or with one of kubernetes.io. */
function isNative(name: string): boolean {
  return !name.includes("/") || name.split("/")[0]!.endsWith("kubernetes.io");
}

function isExtended(name: string): boolean {
  return !isNative(name) && !name.startsWith("requests.");
}

/** Only what can be taken back may be promised more than once. */
export function canOvercommit(name: string): boolean {
  return isNative(name) && !name.startsWith(HUGE_PAGES);
}

function validateRequest(
  name: string,
  amount: string,
  limit: string | undefined,
  field: string,
): Errors {
  if (limit === undefined) {
    const rule = "Limit must be set for non overcommitable resources";
    return when(!canOvercommit(name), required(`${field}.limits`, rule));
  }
  if (quantityProblem(amount) !== undefined || quantityProblem(limit) !== undefined) return [];
  const order = compareQuantities(parseQuantity(amount), parseQuantity(limit));
  if (order === 0) return [];
  const path = `${field}.requests`;
  if (!canOvercommit(name))
    return [invalid(path, amount, `must be equal to ${name} limit of ${limit}`)];
  return when(
    order > 0,
    invalid(path, amount, `must be less than or equal to ${name} limit of ${limit}`),
  );
}

/** A list of amounts: `overhead`, or what a node has. */
export function validateAmounts(amounts: Readonly<Record<string, string>>, field: string): Errors {
  return errorsOfEach(Object.entries(amounts), ([name, amount]) => {
    const path = `${field}[${name}]`;
    const problem = quantityProblem(amount);
    if (problem !== undefined) return [invalid(path, amount, problem)];
    const { nanos } = parseQuantity(amount);
    return [
      ...invalids(path, name, validateQualifiedName(name)),
      ...when(nanos < 0n, invalid(path, amount, IS_NEGATIVE)),
    ];
  });
}
