import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FieldSchema, TypeSchema } from "../../src/api/machinery/schema.ts";
import { groupNamed } from "./naming.ts";

/** A type of an API version that upstream has left behind. */
export interface OlderType {
  /** `io.k8s.api.extensions.v1beta1.Deployment` */
  readonly name: string;
  /** The type that it is made from; absent: it has nothing but its changes. */
  readonly base?: string;
  readonly changes: readonly FieldChange[];
}

interface FieldChange {
  readonly field: string;
  readonly oldName?: string;
  /** What the field or its items refer to. */
  readonly ref?: string;
  readonly number?: number;
  /** A field that the base lacks. */
  readonly type?: "ref" | "int32" | "int64" | "string";
  readonly isGone?: boolean;
  readonly isOptional?: boolean;
}

type Definition = Readonly<Record<string, unknown>> & {
  readonly properties?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly required?: readonly string[];
};

const nameOf = (short: string): string => `io.k8s.api.${short}`;

/** Reads `facts/older.txt`; its notation is explained at its head. Lists of kinds are added. */
export function readOlder(root: string, names: ReadonlySet<string>): readonly OlderType[] {
  const text = readFileSync(join(root, "tools/generate/facts/older.txt"), "utf8");
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map(parseLine).flatMap((type) => {
    if (type.base === undefined || !names.has(`${type.base}List`)) return [type];
    const changes = [{ field: "items", ref: type.name }];
    return [type, { name: `${type.name}List`, base: `${type.base}List`, changes }];
  });
}

function parseLine(line: string): OlderType {
  const [name, rest = ""] = line.split(" = ") as [string, string?];
  const words = rest.split(" ");
  const hasBase = /^[a-z]+\.v\w+\.[A-Z]\w*$/.test(words[0] ?? "");
  return {
    name: nameOf(name),
    ...(hasBase && { base: nameOf(words[0]!) }),
    changes: words.slice(hasBase ? 1 : 0).map((word) => parseChange(word, line)),
  };
}

const CHANGE =
  /^(?:([?-])(\w+)|(\w+)<(\w+)|(\w+)=(\d+)(?::(?:>([\w.]+)|(int32|int64)))?|(\w+)>([\w.]+)|(\w+):string)$/;

function parseChange(word: string, line: string): FieldChange {
  const match = CHANGE.exec(word);
  if (!match) throw new Error(`facts/older.txt: cannot read ${word} in: ${line}`);
  const [
    ,
    mark,
    marked,
    renamed,
    oldName,
    numbered,
    number,
    message,
    scalar,
    referring,
    ref,
    text,
  ] = match;
  if (text) return { field: text, type: "string" };
  if (mark === "-") return { field: marked!, isGone: true };
  if (mark === "?") return { field: marked!, isOptional: true };
  if (renamed) return { field: renamed, oldName: oldName! };
  if (referring) return { field: referring, ref: nameOf(ref!) };
  if (message)
    return { field: numbered!, number: Number(number), type: "ref", ref: nameOf(message) };
  return {
    field: numbered!,
    number: Number(number),
    ...(scalar && { type: scalar as "int32" | "int64" }),
  };
}

/** The schemas of the older types. @throws {Error} a base or a field of one does not exist */
export function olderSchemas(
  types: readonly OlderType[],
  schemas: readonly TypeSchema[],
): readonly TypeSchema[] {
  const byName = new Map(schemas.map((schema) => [schema.name, schema]));
  return types.map(({ name, base, changes }) => {
    const later = base === undefined ? undefined : byName.get(base);
    if (base !== undefined && !later) throw new Error(`facts/older.txt: there is no ${base}`);
    const fields = changed(later?.fields ?? {}, changes, name, changedField);
    return { name, fields, ...(later?.isRoot && { isRoot: true, kind: kindOf(name) }) };
  });
}

/** The definitions of the older types, in the form that those of all others have. */
export function olderDefinitions(types: readonly OlderType[], file: string): string {
  const byName = new Map(
    file.split("\n").map((line) => [line.slice(0, line.indexOf("\t")), line.split("\t")[1]!]),
  );
  const lines = types.map(({ name, base, changes }) => {
    const later = (base ? JSON.parse(byName.get(base)!) : { type: "object" }) as Definition;
    const isKind = later["x-kubernetes-group-version-kind"] !== undefined;
    const optional = changes.filter((change) => change.isOptional || change.isGone);
    const required = later.required?.filter(
      (field) => !optional.some((change) => change.field === field),
    );
    const { required: all, ...rest } = later;
    void all;
    const definition = {
      ...rest,
      ...(required && required.length > 0 && { required }),
      properties: changed(later.properties ?? {}, changes, name, changedProperty),
      ...(isKind && { "x-kubernetes-group-version-kind": [kindOf(name)] }),
    };
    return `${name}\t${JSON.stringify(definition)}\n`;
  });
  return lines.join("");
}

/** The fields of a type after its changes, in order. */
function changed<F>(
  fields: Readonly<Record<string, F>>,
  changes: readonly FieldChange[],
  type: string,
  change: (field: F | undefined, by: FieldChange) => F,
): Readonly<Record<string, F>> {
  let entries = Object.entries(fields);
  for (const by of changes) {
    const at = entries.findIndex(([name]) => name === (by.oldName ?? by.field));
    if (at < 0 && by.type === undefined)
      throw new Error(`facts/older.txt: ${type} is made from a type without ${by.field}`);
    const entry = [by.field, change(entries[at]?.[1], by)] as [string, F];
    if (by.isGone) entries = entries.filter((_, index) => index !== at);
    else if (at < 0) entries = [...entries, entry];
    else entries = entries.map((old, index) => (index === at ? entry : old));
  }
  return Object.fromEntries(entries);
}

function changedField(field: FieldSchema | undefined, by: FieldChange): FieldSchema {
  const { type, ref, number, isOptional } = by;
  const numbered = number === undefined ? {} : { number };
  if (!field && type === "string") return { type };
  if (!field)
    return type === "ref"
      ? { type, ref: ref!, ...numbered }
      : { type: "integer", format: type as "int32", ...numbered };
  const { isRequired, ...rest } = field;
  return {
    ...rest,
    ...(ref !== undefined && (field.items ? { items: { ...field.items, ref } } : { ref })),
    ...(isRequired && !isOptional && { isRequired }),
    ...numbered,
  };
}

function changedProperty(
  property: Readonly<Record<string, unknown>> | undefined,
  { type, ref }: FieldChange,
): Readonly<Record<string, unknown>> {
  const target = ref === undefined ? {} : { $ref: `#/definitions/${ref}` };
  if (!property && type === "string") return { type };
  if (!property) return type === "ref" ? target : { type: "integer", format: type };
  if (ref === undefined) return property;
  return property["items"] ? { ...property, items: target } : { ...property, ...target };
}

function kindOf(name: string): NonNullable<TypeSchema["kind"]> {
  const [kind, version, folder] = name.split(".").reverse() as [string, string, string];
  return { group: groupNamed(folder), version, kind };
}
