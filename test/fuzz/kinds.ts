import { catalog } from "../../src/api/catalog.ts";
import { applyType } from "../../src/api/machinery/managed-fields/apply-type.ts";
import { EMPTY_SET } from "../../src/api/machinery/managed-fields/field-set.ts";
import type { ManagedScope } from "../../src/api/machinery/managed-fields/scope.ts";
import { loadSchemas } from "../../src/api/machinery/schema-set.ts";
import type { TypeSchema } from "../../src/api/machinery/schema.ts";

export const schemas = loadSchemas();

/** `apps/v1/Deployment`: the kinds that are served, as inputs name them. */
export const KINDS = catalog
  .map(({ kind: { group, version, kind } }) => `${group}/${version}/${kind}`)
  .filter((key) => rootOf(key) !== undefined);

function rootOf(key: string): TypeSchema | undefined {
  const [group, version, kind] = key.split("/") as [string, string, string];
  return schemas.root(group, version, kind);
}

/** The type of a kind of {@link KINDS}. */
export function typeOf(key: string): TypeSchema {
  return rootOf(key)!;
}

/** What apiVersion and kind say in an object of this kind. */
export function headOf(key: string): { readonly apiVersion: string; readonly kind: string } {
  const [group, version, kind] = key.split("/") as [string, string, string];
  return { apiVersion: group === "" ? version : `${group}/${version}`, kind };
}

/** Objects of this kind as server-side apply sees them; no other version is known. */
export function managedScope(key: string): ManagedScope {
  const { apiVersion } = headOf(key);
  const type = applyType(schemas, typeOf(key));
  return {
    apiVersion,
    type,
    subresource: "",
    reset: EMPTY_SET,
    convert: (object, other) => (other === apiVersion ? { type, object } : undefined),
  };
}
