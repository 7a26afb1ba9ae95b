import type { V1LimitRange, V1LimitRangeItem } from "../../gen/types.ts";
import {
  duplicate,
  forbidden,
  invalid,
  required,
  type FieldError,
} from "../machinery/field-error.ts";
import { validateQualifiedName } from "../machinery/names.ts";
import {
  compareQuantities,
  parseQuantity,
  quantityProblem,
  type Quantity,
} from "../machinery/quantity.ts";
import { each, invalids, when, type Errors } from "../strategy/checks.ts";
import { canOvercommit, validateResourceName } from "./resource-validation.ts";

const TYPES = new Set(["Pod", "Container", "PersistentVolumeClaim"]);
/** In the order in which their keys are looked at. */
const LISTS = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;

type List = (typeof LISTS)[number];

/** @spec k8s@1.36 pkg/apis/core/validation ValidateLimitRange */
export function validateLimitRange({ spec }: V1LimitRange): Errors {
  const seen = new Set<string>();
  return each(spec?.limits, "spec.limits", (item, field) => {
    const type = item.type ?? "";
    const isAgain = seen.has(type);
    seen.add(type);
    return [
      ...validateType(type, `${field}.type`),
      ...when(isAgain, duplicate(`${field}.type`, type)),
      ...validateNames(item, field),
      ...validateLists(item, field),
      ...validateBounds(item, field),
    ];
  });
}

function validateType(type: string, field: string): Errors {
  const qualified = invalids(field, type, validateQualifiedName(type));
  if (qualified.length > 0 || type.includes("/")) return qualified;
  const isKnown = TYPES.has(type);
  return when(!isKnown, invalid(field, type, "must be a standard limit type or fully qualified"));
}

/** @returns the amounts of `list` that are quantities; the others are reported by {@link validateNames} */
function amounts(item: V1LimitRangeItem, list: List): ReadonlyMap<string, Quantity> {
  const found = Object.entries(item[list] ?? {}).filter(([, text]) => !quantityProblem(text));
  return new Map(found.map(([name, text]) => [name, parseQuantity(text)]));
}

function validateNames(item: V1LimitRangeItem, field: string): Errors {
  const isOfContainers = item.type === "Pod" || item.type === "Container";
  return LISTS.flatMap((list) =>
    Object.entries(item[list] ?? {}).flatMap(([name, text]) => {
      const path = `${field}.${list}[${name}]`;
      const problem = quantityProblem(text);
      return [
        ...(isOfContainers
          ? validateResourceName(name, path)
          : invalids(path, name, validateQualifiedName(name))),
        ...(problem === undefined ? [] : [invalid(path, text, problem)]),
      ];
    }),
  );
}

/** Which lists an item of its type may have, and must. */
function validateLists(item: V1LimitRangeItem, field: string): Errors {
  const has = (list: "default" | "defaultRequest"): boolean =>
    Object.keys(item[list] ?? {}).length > 0;
  const notForPods = "may not be specified when `type` is 'Pod'";
  if (item.type === "Pod")
    return [
      ...when(has("default"), forbidden(`${field}.default`, notForPods)),
      ...when(has("defaultRequest"), forbidden(`${field}.defaultRequest`, notForPods)),
    ];
  const needsStorage = item.type === "PersistentVolumeClaim";
  const hasStorage = item.min?.["storage"] !== undefined || item.max?.["storage"] !== undefined;
  const missing = "either minimum or maximum storage value is required, but neither was provided";
  return when(needsStorage && !hasStorage, required(`${field}.limits`, missing));
}

/** The lists of one item as numbers, and their texts. */
interface Bounds {
  readonly path: (list: List, name: string) => string;
  readonly of: (list: List, name: string) => Quantity | undefined;
  readonly text: (list: List, name: string) => string;
}

function validateBounds(item: V1LimitRangeItem, field: string): Errors {
  const all = new Map(LISTS.map((list) => [list, amounts(item, list)]));
  const names = new Set(LISTS.flatMap((list) => [...all.get(list)!.keys()]));
  const bounds: Bounds = {
    path: (list, name) => `${field}.${list}[${name}]`,
    of: (list, name) => all.get(list)!.get(name),
    text: (list, name) => item[list]?.[name] ?? "",
  };
  return [...names].flatMap((name) => [
    ...ORDER.flatMap((rule) => validateOrder(bounds, name, rule)),
    ...validateRatio(bounds, name),
    ...validateOvercommit(bounds, name),
  ]);
}

/** Which list must not be above which, where that is said, and whose amount is shown there. */
type OrderRule = readonly [low: List, high: List, at: List, shown: List];

const ORDER: readonly OrderRule[] = [
  ["min", "max", "min", "min"],
  ["min", "defaultRequest", "defaultRequest", "defaultRequest"],
  ["defaultRequest", "max", "defaultRequest", "defaultRequest"],
  ["defaultRequest", "default", "defaultRequest", "defaultRequest"],
  ["min", "default", "default", "min"],
  ["default", "max", "default", "max"],
];

/** What a list's amount is called beside another. */
function wordsFor(list: List, other: List): string {
  if (list === "default")
    return other === "defaultRequest" ? "default limit value" : "default value";
  return list === "defaultRequest" ? "default request value" : `${list} value`;
}

function validateOrder(
  { of, text, path }: Bounds,
  name: string,
  [low, high, at, shown]: OrderRule,
): Errors {
  const [least, most] = [of(low, name), of(high, name)];
  if (!least || !most || compareQuantities(least, most) <= 0) return [];
  const detail =
    `${wordsFor(low, high)} ${text(low, name)} is greater than ` +
    `${wordsFor(high, low)} ${text(high, name)}`;
  return [invalid(path(at, name), text(shown, name), detail)];
}

function validateRatio({ of, text, path }: Bounds, name: string): Errors {
  const ratio = of("maxLimitRequestRatio", name);
  if (!ratio) return [];
  const [min, max] = [of("min", name), of("max", name)];
  const shown = text("maxLimitRequestRatio", name);
  const wrong = (detail: string): FieldError =>
    invalid(path("maxLimitRequestRatio", name), shown, detail);
  const isBelowOne = compareQuantities(ratio, parseQuantity("1")) < 0;
  const limit = min && max && min.nanos > 0n ? Number(max.nanos) / Number(min.nanos) : undefined;
  const isAbove = limit !== undefined && Number(ratio.nanos) / 1e9 > limit;
  return [
    ...when(isBelowOne, wrong(`ratio ${shown} is less than 1`)),
    ...when(isAbove, wrong(`ratio ${shown} is greater than max/min = ${limit?.toFixed(6)}`)),
  ];
}

/** What cannot be promised twice is asked for and limited alike. */
function validateOvercommit({ of, text, path }: Bounds, name: string): Errors {
  const [limit, request] = [of("default", name), of("defaultRequest", name)];
  if (canOvercommit(name) || !limit || !request || compareQuantities(limit, request) === 0)
    return [];
  const shown = text("defaultRequest", name);
  const detail = `default value ${text("default", name)} must equal to defaultRequest value ${shown} in ${name}`;
  return [invalid(path("defaultRequest", name), shown, detail)];
}
