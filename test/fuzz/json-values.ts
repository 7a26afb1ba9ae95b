import type { FieldSchema, SchemaSet, TypeSchema } from "../../src/api/machinery/schema.ts";
import type { Draw } from "./draw.ts";

/** An object that may have a key called `__proto__`, as JSON.parse makes them. */
export function record(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries);
}

/** Any JSON value. */
export function anyValue(draw: Draw, depth = 4): unknown {
  const isFlat = depth <= 0;
  switch (draw.integer(isFlat ? 5 : 8)) {
    case 0:
      return null;
    case 1:
      return draw.chance(50);
    case 2:
      return finite(draw.number());
    case 3:
    case 4:
      return draw.text();
    case 5:
      return draw.times(draw.size(6), () => anyValue(draw, depth - 1));
    default:
      return anyRecord(draw, depth - 1);
  }
}

/** Any JSON object. */
export function anyRecord(draw: Draw, depth = 3): Record<string, unknown> {
  return record(draw.times(draw.size(6), () => [draw.key(), anyValue(draw, depth)] as const));
}

const finite = (value: number): number => (Number.isFinite(value) ? value : 0);

/** A value nested `depth` deep: lists, objects or both. */
export function deepText(draw: Draw, depth: number): string {
  const kind = draw.integer(3);
  const opened = (at: number): boolean => (kind === 2 ? at % 2 === 0 : kind === 0);
  let [before, after] = ["", ""];
  for (let at = 0; at < depth; at++) {
    before += opened(at) ? "[" : '{"a":';
    after = (opened(at) ? "]" : "}") + after;
  }
  return `${before}1${after}`;
}

/** What a value of a type is made with. */
interface Making {
  readonly draw: Draw;
  readonly schemas: SchemaSet;
  /** Percent of values that are of no fitting type. */
  readonly wrongPercent: number;
}

/** An object of a type, more or less: some fields, some of them wrong. */
export function typedRecord(
  draw: Draw,
  schemas: SchemaSet,
  type: TypeSchema,
  wrongPercent = 3,
): Record<string, unknown> {
  return typed({ draw, schemas, wrongPercent }, type, 5);
}

function typed(making: Making, type: TypeSchema, depth: number): Record<string, unknown> {
  const { draw, wrongPercent } = making;
  const fields = Object.entries(type.fields);
  const share = fields.length === 0 ? 0 : Math.min(60, 500 / fields.length);
  const entries = fields
    .filter(([, { isRequired }]) => draw.chance(isRequired ? 90 : share))
    .map(([name, field]) => [name, typedValue(making, field, depth - 1)] as const);
  const extra = draw.chance(wrongPercent) ? [[draw.key(), anyValue(draw, 2)] as const] : [];
  return record([...entries, ...extra]);
}

function typedValue(making: Making, field: FieldSchema, depth: number): unknown {
  const { draw, schemas, wrongPercent } = making;
  if (draw.chance(wrongPercent)) return anyValue(draw, 2);
  switch (field.type) {
    case "string":
      return draw.chance(60) ? draw.pick(PLAIN) : draw.text();
    case "integer":
      return draw.chance(80) ? draw.integer(100) : Math.trunc(draw.number());
    case "number":
      return draw.number();
    case "boolean":
      return draw.chance(50);
    case "intOrString":
      return draw.chance(50) ? draw.integer(100) : draw.pick(["50%", "http", "8080"]);
    case "quantity":
      return draw.chance(70) ? draw.pick(["1", "100m", "1Gi", "0.5", "1e3", 2]) : draw.text();
    case "time":
    case "microTime":
      return draw.chance(80) ? draw.pick(TIMES) : draw.text();
    case "bytes":
      return draw.chance(80) ? draw.bytes(draw.size(9)).toString("base64") : draw.text();
    case "any":
      return anyValue(draw, 2);
    case "ref":
      return depth <= 0 ? {} : typed(making, schemas.type(field.ref!), depth);
    case "array":
      return draw.times(draw.size(depth > 0 ? 4 : 1), () =>
        typedValue(making, field.items!, depth),
      );
    case "map":
      return record(
        draw.times(draw.size(depth > 0 ? 4 : 1), () => [
          draw.chance(70) ? draw.pick(PLAIN) : draw.key(),
          typedValue(making, field.items!, depth),
        ]),
      );
  }
}

const PLAIN = [
  "a",
  "b",
  "app",
  "default",
  "nginx:1",
  "x-1",
  "TCP",
  "Always",
  "a.example.com/b",
  "/x",
];
const TIMES = [
  ...["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456Z", "0001-01-01T00:00:00Z"],
  ...["2026-01-02T03:04:05+14:00", "9999-12-31T23:59:59Z"],
];

/** The keys under which everything inherits: nothing may ever be added to them. */
const ROOTS = [Object.prototype, Array.prototype, Function.prototype, String.prototype];
const before = ROOTS.map((root) => Reflect.ownKeys(root).length);

/** True while no input has reached what all objects share. */
export function isUnpolluted(): boolean {
  return ROOTS.every((root, index) => Reflect.ownKeys(root).length === before[index]);
}
