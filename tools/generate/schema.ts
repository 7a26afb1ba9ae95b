import type { FieldSchema, FieldType, TypeSchema } from "../../src/api/machinery/schema.ts";
import type { FieldFacts, Facts, TypeFacts } from "./facts.ts";
import { factsOf } from "./facts.ts";
import type { Model, ModelField } from "./model.ts";
import type { TypeName } from "./naming.ts";
import type { Numbers } from "./numbers.ts";

type Names = ReadonlyMap<string, TypeName>;

/** Fields that stand first in every type that has them, when no fact says otherwise. */
const FIRST = ["kind", "apiVersion", "metadata", "spec", "status"];

/** Turns every model into the schema that the server reads, in the order of the models. */
export function buildSchemas(
  models: readonly Model[],
  names: Names,
  facts: Facts,
  numbers: Numbers,
): readonly TypeSchema[] {
  const atomic = new Set(
    models
      .map((model) => model.name)
      .filter((name) => typeFacts(names, facts, name)?.isAtomic ?? false),
  );
  return models.map((model) => {
    const known = typeFacts(names, facts, model.name);
    const { folder, version, kind } = names.get(model.name)!;
    const numbered =
      numbers.get(`${folder}.${version}.${kind}`) ?? sameMessage(model, numbers, folder, kind);
    const fields = inOrder(model.fields, known?.order ?? []).map((field) => {
      const schema = {
        ...fieldSchema(field, names, known?.fields.get(field.name)),
        ...numbered?.get(field.name),
      };
      const isAtomic = schema.type === "ref" && atomic.has(field.type) && !schema.mapType;
      return [field.name, isAtomic ? { ...schema, mapType: "atomic" as const } : schema] as const;
    });
    return {
      name: names.get(model.name)!.openapi,
      fields: Object.fromEntries(fields),
      ...(isRoot(model) && { isRoot: true, kind: kindOf(names.get(model.name)!) }),
    };
  });
}

/** The numbers of the stable type of the same name, where it has the same fields: an alpha or beta of it is the same message. */
function sameMessage(model: Model, numbers: Numbers, folder: string, kind: string) {
  const stable = numbers.get(`${folder}.v1.${kind}`);
  const fields = model.fields.filter(({ name }) => name !== "kind" && name !== "apiVersion");
  const isSame = stable?.size === fields.length && fields.every(({ name }) => stable.has(name));
  return isSame ? stable : undefined;
}

const kindOf = ({ group, version, kind }: TypeName) => ({ group, version, kind });

/** Tops of documents that have no metadata; elsewhere apiVersion and kind together are a reference to another object. */
const BARE_ROOTS = ["V1APIGroup", "V1APIResourceList", "V1APIVersions", "V1DeleteOptions"];

/** A type that stands at the top of a document. */
export function isRoot(model: Model): boolean {
  const has = (name: string): boolean => model.fields.some((field) => field.name === name);
  return has("apiVersion") && has("kind") && (has("metadata") || BARE_ROOTS.includes(model.name));
}

function typeFacts(names: Names, facts: Facts, model: string): TypeFacts | undefined {
  const name = names.get(model)!;
  return factsOf(facts, name.folder, name.version, name.kind);
}

function inOrder(fields: readonly ModelField[], order: readonly string[]): readonly ModelField[] {
  const all = order.length > 0 ? order : FIRST;
  const place = (field: ModelField): number => {
    const index = all.indexOf(field.name);
    return index < 0 ? all.length : index;
  };
  // The sort is stable: fields without a fact keep the model's alphabetical order, at the end.
  return [...fields].sort((a, b) => place(a) - place(b));
}

function fieldSchema(field: ModelField, names: Names, facts?: FieldFacts): FieldSchema {
  const { isQuantity = false, ...marks } = facts ?? {};
  return {
    ...valueSchema(field.type, field.format, names, isQuantity),
    ...(field.isRequired && { isRequired: true }),
    ...(marks as Partial<FieldSchema>),
  };
}

const SCALARS: Readonly<Record<string, FieldType>> = {
  "number int32": "integer",
  "number int64": "integer",
  "number double": "number",
  "string byte": "bytes",
  "string ": "string",
  "boolean ": "boolean",
  "Date date-time": "time",
  "V1MicroTime date-time-micro": "microTime",
  "IntOrString int-or-string": "intOrString",
  "any ": "any",
  "object ": "any",
};

function valueSchema(type: string, format: string, names: Names, isQuantity: boolean): FieldSchema {
  const array = /^Array<(.*)>$/.exec(type);
  if (array) return { type: "array", items: valueSchema(array[1]!, format, names, isQuantity) };
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map) return { type: "map", items: valueSchema(map[1]!, format, names, isQuantity) };
  if (isQuantity && type === "string") return { type: "quantity" };
  const ref = names.get(type);
  if (ref && isQuantity) throw new Error(`${type} cannot be a quantity`);
  if (ref) return { type: "ref", ref: ref.openapi };
  const scalar = SCALARS[`${type} ${format}`] ?? (type === "any" ? "any" : undefined);
  if (!scalar) throw new Error(`unknown model type ${type} ${format}`);
  const isSized = format === "int32" || format === "int64";
  return { type: scalar, ...(scalar === "integer" && isSized && { format }) };
}
