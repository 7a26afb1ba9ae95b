import type { Definition } from "./definitions.ts";
import type { Document2 } from "./openapi.ts";
import type { Operation, PathItem } from "./operations.ts";
import type { Parameter } from "./parameters.ts";

/** Appends a field with its value. */
type Piece = (writer: Writer) => void;

const VARINT = 0;
const BYTES = 2;
/** Of the first buffer; it doubles until the document fits. */
const BYTES_MIN = 1 << 20;

/** Writes into one growing buffer: a document has a hundred thousand fields, too many for a buffer each. */
class Writer {
  #bytes = Buffer.allocUnsafe(BYTES_MIN);
  #at = 0;

  result(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }

  varint(value: number): void {
    this.#reserve(5);
    let rest = value;
    for (; rest > 127; rest >>>= 7) this.#bytes[this.#at++] = (rest & 127) | 128;
    this.#bytes[this.#at++] = rest;
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.varint(length);
    this.#reserve(length);
    this.#at += this.#bytes.write(value, this.#at);
  }

  /** A message begins, without its length. @returns what {@link close} wants. */
  open(): number {
    this.varint(0);
    return this.#at;
  }

  /** The message ends. A length of one byte was assumed; the content of a longer one is moved up. */
  close(content: number): void {
    const end = this.#at;
    const shift = varintSize(end - content) - 1;
    this.#reserve(shift);
    if (shift > 0) this.#bytes.copyWithin(content + shift, content, end);
    this.#at = content - 1;
    this.varint(end - content);
    this.#at = end + shift;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * this.#bytes.length + count);
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 127; rest >>>= 7) size++;
  return size;
}

const tag = (field: number, wire: number): number => (field << 3) | wire;

function message(field: number, ...pieces: readonly Piece[]): Piece {
  return (writer) => {
    writer.varint(tag(field, BYTES));
    const content = writer.open();
    for (const piece of pieces) piece(writer);
    writer.close(content);
  };
}

function text(field: number, value: string): Piece {
  return (writer) => {
    writer.varint(tag(field, BYTES));
    writer.text(value);
  };
}

function flag(field: number, isSet: boolean | undefined): Piece[] {
  if (!isSet) return [];
  const piece: Piece = (writer) => {
    writer.varint(tag(field, VARINT));
    writer.varint(1);
  };
  return [piece];
}

const optional = (field: number, value: string | undefined): Piece[] =>
  value === undefined || value === "" ? [] : [text(field, value)];

/**
 * An OpenAPI 2 document in gnostic's wire form, which every kubectl reads `/openapi/v2` in.
 *
 * Extensions travel as YAML text; JSON is YAML. One path or definition a step.
 * @spec gnostic openapiv2 OpenAPIv2.proto: the numbers below are its field numbers
 */
export function* encodeDocument(document: Document2): Generator<void, Buffer> {
  const { swagger, info, paths, definitions } = document;
  const writer = new Writer();
  text(1, swagger)(writer);
  message(2, text(1, info.title), text(2, info.version))(writer);
  yield* members(writer, 8, paths, (path, item) => named(2, path, pathItem(item)));
  yield* members(writer, 9, definitions, namedSchema);
  return writer.result();
}

/** A message with a piece for each of `values`, one a step. */
function* members<T>(
  writer: Writer,
  field: number,
  values: Readonly<Record<string, T>>,
  pieceOf: (name: string, value: T) => Piece,
): Generator<void, void> {
  writer.varint(tag(field, BYTES));
  const content = writer.open();
  for (const [name, value] of Object.entries(values)) {
    pieceOf(name, value)(writer);
    yield;
  }
  writer.close(content);
}

/** NamedPathItem, NamedSchema, NamedAny, NamedResponseValue are all {name = 1, value = 2}. */
const named = (field: number, name: string, value: readonly Piece[]): Piece =>
  message(field, text(1, name), message(2, ...value));

function namedSchemas(schemas: Readonly<Record<string, Definition>>): Piece[] {
  return Object.entries(schemas).map(([name, value]) => namedSchema(name, value));
}

function namedSchema(name: string, schema: Definition): Piece {
  return named(1, name, schemaPieces(schema));
}

function pathItem(item: PathItem): Piece[] {
  const methods = [
    [2, item.get],
    [3, item.put],
    [4, item.post],
    [5, item.delete],
    [8, item.patch],
  ] as const;
  return [
    ...methods.flatMap(([field, value]) => (value ? [message(field, ...operation(value))] : [])),
    ...item.parameters.map((value) => message(9, parameter(value))),
  ];
}

function operation(value: Operation): Piece[] {
  const responses = Object.entries(value.responses).map(([code, { description, schema }]) =>
    // ResponseValue.response = 1; Response.schema = 2 holds a SchemaItem.
    named(1, code, [
      message(
        1,
        text(1, description),
        ...(schema ? [message(2, message(1, ...schemaPieces(schema)))] : []),
      ),
    ]),
  );
  return [
    ...value.tags.map((item) => text(1, item)),
    text(3, value.description),
    text(5, value.operationId),
    ...value.produces.map((item) => text(6, item)),
    ...value.consumes.map((item) => text(7, item)),
    ...value.parameters.map((item) => message(8, parameter(item))),
    message(9, ...responses),
    ...extensions(13, value as unknown as Readonly<Record<string, unknown>>),
  ];
}

/** The content of a ParametersItem: parameter = 1, in it body_parameter = 1 or non_body_parameter = 2. */
function parameter({ name, in: place, ...rest }: Parameter): Piece {
  const { description, required, type = "string", uniqueItems, schema } = rest;
  if (place === "body") {
    const body = [
      ...optional(1, description),
      text(2, name),
      text(3, place),
      ...flag(4, required),
      message(5, ...schemaPieces(schema ?? {})),
    ];
    return message(1, message(1, ...body));
  }
  const isQuery = place === "query";
  const sub = [
    ...flag(1, required),
    text(2, place),
    ...optional(3, description),
    text(4, name),
    text(isQuery ? 6 : 5, type),
    ...flag(isQuery ? 19 : 18, uniqueItems),
  ];
  return message(1, message(2, message(isQuery ? 3 : 4, ...sub)));
}

function schemaPieces(schema: Definition): Piece[] {
  const { additionalProperties: additional, properties, items, required = [], type } = schema;
  return [
    ...optional(1, schema.$ref),
    ...optional(2, schema.format),
    ...optional(4, schema.description),
    ...(schema.default === undefined ? [] : [message(5, anyText(schema.default))]),
    ...required.map((name) => text(19, name)),
    ...(schema.enum ?? []).map((value) => message(20, anyText(value))),
    ...(additional === undefined ? [] : [message(21, ...additionalPieces(additional))]),
    ...(type === undefined ? [] : [message(22, text(1, type))]),
    ...(items ? [message(23, message(1, ...schemaPieces(items)))] : []),
    ...(properties ? [message(25, ...namedSchemas(properties))] : []),
    ...extensions(31, schema),
  ];
}

function additionalPieces(additional: Definition | boolean): Piece[] {
  return typeof additional === "boolean"
    ? flag(2, additional)
    : [message(1, ...schemaPieces(additional))];
}

/** Any.yaml = 2. */
const anyText = (value: unknown): Piece => text(2, JSON.stringify(value));

function extensions(field: number, value: Readonly<Record<string, unknown>>): Piece[] {
  return Object.entries(value)
    .filter(([key]) => key.startsWith("x-"))
    .map(([key, item]) => named(field, key, [anyText(item)]));
}
