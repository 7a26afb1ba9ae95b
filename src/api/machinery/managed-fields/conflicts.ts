import { quoteGo } from "../go-format.ts";
import type { StatusError } from "../status-error.ts";
import { applyConflict } from "../status-errors.ts";
import { hasPath, pathsOf, type FieldSet } from "./field-set.ts";
import type { ManagedSet, Managers } from "./managers.ts";
import { formatPath, type PathElement } from "./path-element.ts";

/** A field that an apply would take from another manager. */
export interface FieldConflict {
  readonly key: string;
  readonly manager: ManagedSet;
  readonly path: readonly PathElement[];
}

/** One conflict per field, in the order of managers and of their sets. */
export function fieldConflicts(
  managers: Managers,
  sets: readonly (readonly [string, FieldSet])[],
): readonly FieldConflict[] {
  return sets.flatMap(([key, set]) =>
    pathsOf(set).map((path) => ({ key, manager: managers.get(key)!, path })),
  );
}

/** The conflicts about fields that `allowed` does not hold. */
export function conflictsOutside(
  conflicts: readonly FieldConflict[],
  allowed: FieldSet,
): readonly FieldConflict[] {
  return conflicts.filter(({ path }) => !hasPath(allowed, path));
}

/**
 * 409 with one cause per field, in upstream's words, which kubectl prints.
 *
 * @spec k8s@1.36 managedfields/internal/conflict.go
 */
export function conflictError(conflicts: readonly FieldConflict[]): StatusError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${nameOf(manager)}`,
    field: formatPath(path),
  }));
  return applyConflict(causes, messageOf(conflicts));
}

function messageOf(conflicts: readonly FieldConflict[]): string {
  const [first] = conflicts;
  if (first && conflicts.length === 1)
    return `Apply failed with 1 conflict: conflict with ${nameOf(first.manager)}: ${formatPath(first.path)}`;
  const lines: string[] = [];
  let last: string | undefined;
  for (const { key, manager, path } of conflicts) {
    if (key !== last) lines.push(`conflicts with ${nameOf(manager)}:`);
    last = key;
    lines.push(`- ${formatPath(path)}`);
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`;
}

function nameOf({ manager, operation, apiVersion, subresource }: ManagedSet): string {
  const name = quoteGo(manager) + (subresource ? ` with subresource ${quoteGo(subresource)}` : "");
  return operation === "Update" ? `${name} using ${apiVersion}` : name;
}
