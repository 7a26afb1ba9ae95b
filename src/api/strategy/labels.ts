import type { V1LabelSelector } from "../../gen/types.ts";
import { forbidden, invalid, required } from "../machinery/field-error.ts";
import { validateLabelValue, validateQualifiedName } from "../machinery/names.ts";
import { each, invalids, when, type Errors } from "./checks.ts";

type Labels = Readonly<Record<string, string>>;

/** Keys and values of labels. @spec apimachinery meta/v1/validation ValidateLabels */
export function validateLabels(labels: Labels | undefined, field: string): Errors {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...invalids(field, key, validateQualifiedName(key)),
    ...invalids(field, value, validateLabelValue(value)),
  ]);
}

/** A label selector, if there is one. @spec apimachinery meta/v1/validation ValidateLabelSelector */
export function validateSelector(selector: V1LabelSelector | undefined, field: string): Errors {
  if (selector === undefined) return [];
  return [
    ...validateLabels(selector.matchLabels, `${field}.matchLabels`),
    ...each(selector.matchExpressions, `${field}.matchExpressions`, (requirement, path) => {
      const { key, operator, values = [] } = requirement;
      return [
        ...validateOperator(operator, values, path),
        ...invalids(`${path}.key`, key, validateQualifiedName(key ?? "")),
        ...each(values, `${path}.values`, (value, item) =>
          invalids(item, value, validateLabelValue(value)),
        ),
      ];
    }),
  ];
}

function validateOperator(operator: string, values: readonly string[], path: string): Errors {
  switch (operator) {
    case "In":
    case "NotIn": {
      const rule = "must be specified when `operator` is 'In' or 'NotIn'";
      return when(values.length === 0, required(`${path}.values`, rule));
    }
    case "Exists":
    case "DoesNotExist": {
      const rule = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      return when(values.length > 0, forbidden(`${path}.values`, rule));
    }
    default:
      return [invalid(`${path}.operator`, operator, "not a valid selector operator")];
  }
}

/** Whether the selector asks for nothing in particular. */
export function isEmptySelector({ matchLabels, matchExpressions }: V1LabelSelector): boolean {
  return Object.keys(matchLabels ?? {}).length === 0 && (matchExpressions ?? []).length === 0;
}

/** Whether labels satisfy a valid selector. @spec apimachinery labels Requirement.Matches */
export function isSelected(selector: V1LabelSelector, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const has = (key: string): boolean => Object.hasOwn(labels, key);
  return (
    Object.entries(matchLabels).every(([key, value]) => has(key) && labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      switch (operator) {
        case "In":
          return has(key) && values.includes(labels[key]!);
        case "NotIn":
          return !has(key) || !values.includes(labels[key]!);
        case "Exists":
          return has(key);
        default:
          return !has(key);
      }
    })
  );
}
