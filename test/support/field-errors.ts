import type { FieldError } from "../../src/api/machinery/field-error.ts";

/** Errors in one line each, for tables: `spec.ports[0].port Invalid 0: must be …`. */
export function errorLines(errors: readonly FieldError[]): string[] {
  return errors.map(({ type, field, badValue, detail }) => {
    const value = typeof badValue === "object" || badValue === undefined ? "" : ` ${badValue}`;
    return `${field} ${type}${type === "NotFound" || type === "Duplicate" ? value : ""}${detail && `: ${detail}`}`;
  });
}
