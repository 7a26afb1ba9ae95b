import { formatGoValue } from "./go-format.ts";
import { getOwn, isRecord, jsonTypeName, setOwn } from "./json-value.ts";
import type { JsonRecord } from "./json-value.ts";
import { mergeByKey, mergeScalars, orderList } from "./merge-list.ts";
import type { FieldSchema, SchemaSet, TypeSchema } from "./schema.ts";
import { badRequest } from "./status-errors.ts";

/**
 * Strategic merge patch: a merge patch that merges lists by key where the type says so.
 *
 * Steps for each object, as upstream: (1) `$patch: replace|delete` takes the whole object; (2) `$retainKeys` clears the
 * other fields; (3) `$setElementOrder/LIST` merges and orders that list; (4) the remaining fields merge, null deletes,
 * `$deleteFromPrimitiveList/LIST` removes values.
 * @bounds as deep as its arguments, which decoding has cut at depth 100.
 * @spec k8s@1.36 apimachinery util/strategicpatch/patch.go, util/mergepatch/errors.go
 */

const PATCH = "$patch";
const RETAIN_KEYS = "$retainKeys";
const SET_ORDER = "$setElementOrder";
const DELETE_VALUES = "$deleteFromPrimitiveList";

/**
 * Applies `patch` to an object of `type`. The result may share parts with both; neither changes.
 *
 * @throws {StatusError} BadRequest in upstream's words; upstream answers some of them with 500, which blames the wrong side.
 */
export function applyStrategicMergePatch(
  original: JsonRecord,
  patch: unknown,
  type: TypeSchema,
  schemas: SchemaSet,
): JsonRecord {
  if (!isRecord(patch)) {
    const problem = `json: cannot unmarshal ${jsonTypeName(patch)} into Go value of type map[string]interface {}`;
    throw badRequest(`error decoding patch: ${problem}`);
  }
  return new StrategicMerge(schemas).records(original, patch, (name) => getField(type, name));
}

/** The schema of a field by name; `undefined`: unknown, merged as plain JSON. */
type FieldLookup = (name: string) => FieldSchema | undefined;

function getField(type: TypeSchema, name: string): FieldSchema | undefined {
  return Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
}

class StrategicMerge {
  readonly #schemas: SchemaSet;

  constructor(schemas: SchemaSet) {
    this.#schemas = schemas;
  }

  records(original: JsonRecord, patch: JsonRecord, fields: FieldLookup): JsonRecord {
    if (Object.hasOwn(patch, PATCH)) return this.#wholeObject(patch, fields);
    const merged: Record<string, unknown> = { ...retained(original, patch) };
    const ordered = this.#orderedLists(merged, patch, fields);
    for (const key of Object.keys(patch)) {
      if (key === RETAIN_KEYS || ordered.has(key) || key.startsWith(SET_ORDER)) continue;
      if (key.startsWith(DELETE_VALUES)) deleteValues(merged, key, patch[key]);
      else this.#field(merged, key, patch[key], fields(key));
    }
    return merged;
  }

  /** `$patch: replace` and `$patch: delete` in an object. */
  #wholeObject(patch: JsonRecord, fields: FieldLookup): JsonRecord {
    const { [PATCH]: directive, ...rest } = patch;
    if (directive === "replace") return this.records({}, rest, fields);
    if (directive === "delete") return {};
    throw badDirective(directive, patch);
  }

  #field(
    merged: Record<string, unknown>,
    key: string,
    value: unknown,
    schema: FieldSchema | undefined,
  ): void {
    const old = getOwn(merged, key);
    const isAbsentDeleted = old === undefined && isRecord(value) && value[PATCH] === "delete";
    if (value === null || isAbsentDeleted) delete merged[key];
    else if (isRecord(value)) setOwn(merged, key, this.#record(old, value, schema));
    else if (Array.isArray(value)) setOwn(merged, key, this.#list(old, value, schema));
    else setOwn(merged, key, value);
  }

  #record(old: unknown, patch: JsonRecord, schema: FieldSchema | undefined): JsonRecord {
    const isReplaced = strategyOf(schema) === "replace";
    const base = isRecord(old) && !isReplaced ? old : {};
    return this.records(base, patch, this.#fieldsOf(schema));
  }

  #fieldsOf(schema: FieldSchema | undefined): FieldLookup {
    if (schema?.type === "ref" && schema.ref !== undefined) {
      const type = this.#schemas.type(schema.ref);
      return (name) => getField(type, name);
    }
    return () => (schema?.type === "map" ? schema.items : undefined);
  }

  #list(
    old: unknown,
    patch: readonly unknown[],
    schema: FieldSchema | undefined,
  ): readonly unknown[] {
    if (strategyOf(schema) !== "merge") return patch.map((item) => this.#plain(item));
    const original: readonly unknown[] = Array.isArray(old) ? (old as unknown[]) : [];
    if (original.length === 0 && patch.length === 0) return original;
    if (elementKind([...original, ...patch]) !== "object") return mergeScalars(original, patch);
    const mergeKey = schema?.patchMergeKey;
    if (mergeKey === undefined) throw badRequest("cannot merge lists without merge key for slice");
    const fields = this.#fieldsOf(schema?.items);
    const merge = (left: JsonRecord, right: JsonRecord): JsonRecord =>
      this.records(left, right, fields);
    return mergeByKey(original as JsonRecord[], patch as JsonRecord[], mergeKey, merge);
  }

  /** An item of a list that is replaced: directives and nulls in it mean nothing, and go. */
  #plain(item: unknown): unknown {
    if (Array.isArray(item)) return item.map((inner) => this.#plain(inner));
    return isRecord(item) ? this.records({}, item, () => undefined) : item;
  }

  /** Step 3. Returns the keys of `patch` that it has used up. */
  #orderedLists(
    merged: Record<string, unknown>,
    patch: JsonRecord,
    fields: FieldLookup,
  ): ReadonlySet<string> {
    const done = new Set<string>();
    for (const directive of Object.keys(patch)) {
      if (!directive.startsWith(SET_ORDER)) continue;
      const key = listName(directive, SET_ORDER, "setElementOrder");
      const order = requireList(patch[directive]);
      const schema = fields(key);
      const old = Object.hasOwn(merged, key) ? requireList(merged[key]) : undefined;
      const change = Object.hasOwn(patch, key) ? requireList(patch[key]) : undefined;
      if (old === undefined && change === undefined) continue;
      const mergeKey = schema?.patchMergeKey;
      checkOrder(change ?? [], order, mergeKey);
      const list = change === undefined ? old! : this.#list(old, change, schema);
      setOwn(merged, key, orderList(list, order, old ?? [], mergeKey));
      done.add(key);
    }
    return done;
  }
}

/** The strategy of a list or object beside `retainKeys`. @spec extractRetainKeysPatchStrategy */
function strategyOf(schema: FieldSchema | undefined): "merge" | "replace" | undefined {
  const strategies = schema?.patchStrategy ?? [];
  return strategies.find((strategy) => strategy !== "retainKeys") as
    "merge" | "replace" | undefined;
}

/** Step 2. @spec applyRetainKeysDirective */
function retained(original: JsonRecord, patch: JsonRecord): JsonRecord {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return original;
  const malformed = "invalid patch format of retainKeys";
  const keys = patch[RETAIN_KEYS];
  if (!Array.isArray(keys)) throw badRequest(malformed);
  const kept = new Set<unknown>(keys);
  for (const [key, value] of Object.entries(patch)) {
    const isDirective =
      key === RETAIN_KEYS || key.startsWith(SET_ORDER) || key.startsWith(DELETE_VALUES);
    if (value !== null && !isDirective && !kept.has(key)) throw badRequest(malformed);
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => kept.has(key)));
}

function deleteValues(merged: Record<string, unknown>, directive: string, values: unknown): void {
  const key = listName(directive, DELETE_VALUES, "primitive");
  const old = getOwn(merged, key);
  if (!Array.isArray(old)) return;
  const gone = new Set(requireList(values));
  merged[key] = old.filter((item: unknown) => !gone.has(item));
}

/** `$setElementOrder/containers` → `containers` */
function listName(directive: string, prefix: string, what: string): string {
  const name = directive.slice(prefix.length + 1);
  if (directive[prefix.length] !== "/") throw badRequest(`invalid patch format of ${what} list`);
  return name;
}

function requireList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw badRequest(`expected a []interface {}, but received a ${goType(value)}`);
}

function goType(value: unknown): string {
  if (isRecord(value)) return "map[string]interface {}";
  if (value === null) return "%!s(<nil>)";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return jsonTypeName(value);
}

function elementKind(items: readonly unknown[]): string {
  const kinds = new Set(items.map(jsonTypeName));
  if (kinds.has("array")) throw badRequest("lists of lists are not supported");
  if (kinds.size > 1)
    throw badRequest(`list element types are not identical: ${formatGoValue(items)}`);
  return [...kinds][0]!;
}

/** The patch's items must stand in the order list, in the same order. @spec validatePatchWithSetOrderList */
function checkOrder(
  patch: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string | undefined,
): void {
  if (patch.length === 0 || order.length === 0) return;
  const keyOf = (item: unknown): unknown =>
    mergeKey === undefined ? item : isRecord(item) ? getOwn(item, mergeKey) : undefined;
  const kept = patch.filter((item) => !(isRecord(item) && Object.hasOwn(item, PATCH)));
  let at = 0;
  for (const item of kept) {
    const key = keyOf(item);
    while (at < order.length && keyOf(order[at]) !== key) at++;
    if (at === order.length) {
      const [patchText, orderText] = [formatGoValue(patch), formatGoValue(order)];
      throw badRequest(
        `The order in patch list:\n${patchText}\n doesn't match ${SET_ORDER} list:\n${orderText}\n`,
      );
    }
    at++;
  }
}

/** A `$patch` that is neither delete nor replace. @spec mergepatch.ErrBadPatchType */
function badDirective(directive: unknown, record: JsonRecord): Error {
  return badRequest(
    `unknown patch type: ${formatGoValue(directive)} in map: ${formatGoValue(record)}`,
  );
}
