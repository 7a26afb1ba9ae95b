import { equalSemantic } from "../machinery/equality.ts";

/** Differences named in one message. More would hide the rule that they break. */
const DIFFERENCES_MAX = 10;

/** One line for each field that differs: `spec.nodeName: "a" → "b"`. */
export function describeDifference(before: unknown, after: unknown, field: string): string[] {
  return differences(before, after, field).slice(0, DIFFERENCES_MAX);
}

function differences(before: unknown, after: unknown, field: string): string[] {
  if (equalSemantic(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length)
    return before.flatMap((item, index) => differences(item, after[index], `${field}[${index}]`));
  if (!isMap(before) || !isMap(after)) return [`  ${field}: ${show(before)} → ${show(after)}`];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(before[key], after[key], `${field}.${key}`));
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return value === undefined ? "unset" : JSON.stringify(value);
}
