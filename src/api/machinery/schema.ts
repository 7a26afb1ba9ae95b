/**
 * The shape of the API types at run time: what decoding, field validation, patches, server-side apply and OpenAPI read.
 *
 * Built by the generator into `src/gen`; field order is upstream's, so walking `fields` gives the order of the wire.
 */
export interface TypeSchema {
  /** `io.k8s.api.core.v1.Pod`: the name in OpenAPI v2 and v3. */
  readonly name: string;
  readonly fields: Readonly<Record<string, FieldSchema>>;
  /** True for types that stand at the top of a document: they have apiVersion and kind. */
  readonly isRoot?: boolean;
  /** Set for those: what apiVersion and kind say. */
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
}

export type FieldType =
  | "string"
  | "integer"
  | "number"
  | "boolean"
  /** `type` names another TypeSchema. */
  | "ref"
  | "array"
  /** Keys free, values as `items` says; keys are sorted on the wire. */
  | "map"
  /** string or integer */
  | "intOrString"
  /** string, or a number that is turned into one */
  | "quantity"
  | "time"
  | "microTime"
  /** base64 text */
  | "bytes"
  /** any JSON (RawExtension, FieldsV1, JSON); kept as it came */
  | "any";

export interface FieldSchema {
  readonly type: FieldType;
  /** For `ref`: the TypeSchema's name. */
  readonly ref?: string;
  /** For `integer`: 32 or 64 bits. */
  readonly format?: "int32" | "int64";
  /** For `array` and `map`. */
  readonly items?: FieldSchema;
  readonly isRequired?: boolean;
  /** Strategic merge patch. @spec struct tags patchStrategy, patchMergeKey */
  readonly patchStrategy?: readonly ("merge" | "replace" | "retainKeys")[];
  readonly patchMergeKey?: string;
  /** Server-side apply. @spec struct tags listType, listMapKey, mapType, structType */
  readonly listType?: "atomic" | "set" | "map";
  readonly listMapKeys?: readonly string[];
  readonly mapType?: "atomic" | "granular";
  /** Go shows the field even when nothing set it, though the API does not require it: no pointer, or no `omitempty`. */
  readonly isPresent?: boolean;
  /** Of a key of a list: what an item has that does not say. */
  readonly default?: string;
  /** Its number in protobuf; a field without one does not travel as protobuf. */
  readonly number?: number;
  /** Numbers of the messages it stands in, outermost first: protobuf nests what Go embeds and JSON shows as one. */
  readonly within?: readonly number[];
  /** Protobuf: a zero was meant. Of other scalars a zero is what Go sends for "not set". */
  readonly isPointer?: boolean;
}

/** All types, by name. */
export interface SchemaSet {
  /** @throws {AssertionError} unknown: a mistake in the generator or the catalog, not in input. */
  type(name: string): TypeSchema;
  /** The root type of a kind; `undefined` when the generator knows none. */
  root(group: string, version: string, kind: string): TypeSchema | undefined;
}
