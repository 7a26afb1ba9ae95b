import type { Definition } from "./definitions.ts";
import type { Operation, PathItem } from "./operations.ts";
import type { Parameter } from "./parameters.ts";

const QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";

/** A definition in the form of OpenAPI 3. */
export function namedSchema3(definition: Definition, name: string): object {
  const { type, ...rest } = definition;
  if (name === QUANTITY) return { ...rest, oneOf: [{ type: "string" }, { type: "number" }] };
  if (name === INT_OR_STRING) return { ...rest, oneOf: [{ type: "integer" }, { type: "string" }] };
  return schema3(type === undefined ? rest : { type, ...rest });
}

/** A reference may have no siblings in OpenAPI 3, so one with a description goes into `allOf`. */
function schema3(schema: Definition): object {
  const { $ref, properties, items, additionalProperties, ...rest } = schema;
  const target = $ref && { $ref: $ref.replace("#/definitions/", "#/components/schemas/") };
  if (target) return Object.keys(rest).length === 0 ? target : { allOf: [target], ...rest };
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, value]) => [name, schema3(value)]),
      ),
    }),
    ...(items && { items: schema3(items) }),
    ...(additionalProperties !== undefined && {
      additionalProperties:
        typeof additionalProperties === "boolean"
          ? additionalProperties
          : schema3(additionalProperties),
    }),
  };
}

/** A path in the form of OpenAPI 3. */
export function pathItem3(item: PathItem): object {
  return Object.fromEntries(
    Object.entries(item).map(([key, value]) => [
      key,
      key === "parameters"
        ? (value as readonly Parameter[]).map(parameter3)
        : operation3(value as Operation),
    ]),
  );
}

function operation3(operation: Operation): object {
  const { consumes, produces, parameters, responses, ...rest } = operation;
  const body = parameters.find((parameter) => parameter.in === "body");
  const content = (types: readonly string[], schema: Definition): object =>
    Object.fromEntries(types.map((type) => [type, { schema: schema3(schema) }]));
  return {
    ...rest,
    parameters: parameters.filter((parameter) => parameter !== body).map(parameter3),
    ...(body?.schema && {
      requestBody: {
        ...(body.required && { required: true }),
        content: content(consumes, body.schema),
      },
    }),
    responses: Object.fromEntries(
      Object.entries(responses).map(([code, { description, schema }]) => [
        code,
        { description, ...(schema && { content: content(produces, schema) }) },
      ]),
    ),
  };
}

function parameter3({ type, uniqueItems, schema, ...rest }: Parameter): object {
  void schema;
  return { ...rest, schema: { type, ...(uniqueItems && { uniqueItems }) } };
}
