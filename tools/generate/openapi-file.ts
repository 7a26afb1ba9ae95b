import type { FieldSchema, TypeSchema } from "../../src/api/machinery/schema.ts";
import type { Facts } from "./facts.ts";
import { factsOf } from "./facts.ts";
import type { Model, ModelField } from "./model.ts";
import type { TypeName } from "./naming.ts";

const MACHINERY = "io.k8s.apimachinery.pkg";

/** Types that the model package has folded into scalars; clients know them by name. */
const FOLDED: Readonly<Record<string, object>> = {
  [`${MACHINERY}.api.resource.Quantity`]: {
    description:
      "A fixed-point number with a suffix (`100m`, `1.5Gi`, `2e3`), written as text; plain numbers are accepted.",
    type: "string",
  },
  [`${MACHINERY}.util.intstr.IntOrString`]: {
    description: "A 32-bit integer or a text, for instance a count or a percentage.",
    type: "string",
    format: "int-or-string",
  },
  [`${MACHINERY}.apis.meta.v1.Time`]: {
    description: "A point in time in RFC 3339, to the second.",
    type: "string",
    format: "date-time",
  },
  [`${MACHINERY}.apis.meta.v1.MicroTime`]: {
    description: "A point in time in RFC 3339, to the microsecond.",
    type: "string",
    format: "date-time",
  },
  [`${MACHINERY}.apis.meta.v1.FieldsV1`]: {
    description: "A set of fields: a tree of `f:NAME`, `k:KEYS`, `v:VALUE` and `i:INDEX`.",
    type: "object",
  },
  [`${MACHINERY}.apis.meta.v1.Patch`]: { description: "The body of a patch.", type: "object" },
  [`${MACHINERY}.runtime.RawExtension`]: {
    description: "Any object, kept as it came.",
    type: "object",
  },
};

/**
 * The OpenAPI definitions of all types, one `NAME TAB JSON` a line: the server picks lines by name and parses only those.
 */
export function openapiFile(
  models: readonly Model[],
  names: ReadonlyMap<string, TypeName>,
  schemas: readonly TypeSchema[],
  facts: Facts,
): string {
  const about = new Map(
    models.map((model) => [names.get(model.name)!.openapi, model.description] as const),
  );
  const lines = models.map((model, index) => {
    const { folder, version, kind } = names.get(model.name)!;
    const isAtomic = factsOf(facts, folder, version, kind)?.isAtomic ?? false;
    const definition = definitionOf(model, schemas[index]!, isAtomic, about);
    return `${schemas[index]!.name}\t${JSON.stringify(definition)}\n`;
  });
  const folded = Object.entries(FOLDED).map(([name, body]) => `${name}\t${JSON.stringify(body)}\n`);
  return [...lines, ...folded].join("");
}

/** Descriptions of types, for fields that the model package says nothing of: those that refer to one. */
type About = ReadonlyMap<string, string>;

function definitionOf(model: Model, schema: TypeSchema, isAtomic: boolean, about: About): object {
  const described = new Map(model.fields.map((field) => [field.name, field]));
  const properties = Object.entries(schema.fields).map(([name, field]) => [
    name,
    property(field, described.get(name)!, model, about),
  ]);
  const required = model.fields.filter((field) => field.isRequired).map((field) => field.name);
  return {
    ...(model.description && { description: model.description }),
    type: "object",
    ...(required.length > 0 && { required }),
    ...(properties.length > 0 && { properties: Object.fromEntries(properties) }),
    ...(schema.kind && { "x-kubernetes-group-version-kind": [schema.kind] }),
    ...(isAtomic && { "x-kubernetes-map-type": "atomic" }),
  };
}

function property(
  field: FieldSchema,
  { description: own, name }: ModelField,
  model: Model,
  about: About,
): object {
  const description = own || about.get(field.ref ?? field.items?.ref ?? "");
  const { patchStrategy, patchMergeKey, listType, listMapKeys, mapType } = field;
  return {
    ...(description && { description }),
    ...shape(field, name, model.name),
    ...(listType && { "x-kubernetes-list-type": listType }),
    ...(listMapKeys && { "x-kubernetes-list-map-keys": listMapKeys }),
    ...(mapType && field.type !== "ref" && { "x-kubernetes-map-type": mapType }),
    ...(patchStrategy && { "x-kubernetes-patch-strategy": patchStrategy.join(",") }),
    ...(patchMergeKey && { "x-kubernetes-patch-merge-key": patchMergeKey }),
  };
}

function shape(field: FieldSchema, name: string, model: string): object {
  switch (field.type) {
    case "ref":
      return { $ref: `#/definitions/${field.ref!}` };
    case "array":
      return { type: "array", items: shape(field.items!, name, model) };
    case "map":
      return { type: "object", additionalProperties: shape(field.items!, name, model) };
    case "quantity":
      return { $ref: `#/definitions/${MACHINERY}.api.resource.Quantity` };
    case "intOrString":
      return { $ref: `#/definitions/${MACHINERY}.util.intstr.IntOrString` };
    case "time":
      return { $ref: `#/definitions/${MACHINERY}.apis.meta.v1.Time` };
    case "microTime":
      return { $ref: `#/definitions/${MACHINERY}.apis.meta.v1.MicroTime` };
    case "bytes":
      return { type: "string", format: "byte" };
    case "integer":
      return { type: "integer", format: field.format ?? "int64" };
    case "number":
      return { type: "number", format: "double" };
    case "any":
      return anyShape(name, model);
    default:
      return { type: field.type };
  }
}

/** Schemas of custom resources hold any JSON, a boolean too; every other free-form field is an object. */
function anyShape(name: string, model: string): object {
  if (model === "V1JSONSchemaProps") return {};
  const type = name === "fieldsV1" ? "apis.meta.v1.FieldsV1" : "runtime.RawExtension";
  return { $ref: `#/definitions/${MACHINERY}.${type}` };
}
