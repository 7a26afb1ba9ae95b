import { equalJson } from "./equality.ts";
import { DEPTH_MAX } from "./json-bounds.ts";
import { cloneJson, getOwn, isRecord, jsonTypeName, setOwn } from "./json-value.ts";
import type { JsonRecord } from "./json-value.ts";
import { badRequest, patchRejected, requestEntityTooLarge } from "./status-errors.ts";

/** Operations of one patch. @spec apiserver endpoints/handlers/patch.go maxJSONPatchOperations */
export const JSON_PATCH_OPERATIONS_MAX = 10_000;
/** Bytes that `copy` may add to one object; without it 30 copies of a part into itself fill the memory. @spec JSONPatchMaxCopyBytes */
export const JSON_PATCH_COPY_BYTES_MAX = 3 * 1024 * 1024;

/**
 * Values that the operations of one patch may move or look at, all together: an operation at the front of a long list moves all of
 * it, and ten thousand of those would hold up the server for seconds. This much takes some 50 ms.
 */
export const JSON_PATCH_STEPS_MAX = 5_000_000;

/**
 * Applies an RFC 6902 patch to a copy of `original`.
 *
 * Beyond the RFC, as upstream's library: negative indices count from the end, `test` for null passes on an absent key,
 * only `replace` and `test` take the whole document as path.
 * @throws {StatusError} BadRequest: no patch; RequestEntityTooLarge: too many operations; Invalid: an operation does
 *   not apply to this object (nothing is changed then).
 * @bounds {@link JSON_PATCH_OPERATIONS_MAX}, {@link JSON_PATCH_COPY_BYTES_MAX}, {@link JSON_PATCH_STEPS_MAX}; copies are at most
 *   as deep as documents.
 * @spec RFC 6902, RFC 6901; evanphx/json-patch v4.12 patch.go; k8s@1.36 apiserver endpoints/handlers/patch.go
 */
export function applyJsonPatch(original: JsonRecord, patch: unknown): JsonRecord {
  const operations = decodeOperations(patch);
  let document: unknown = cloneJson(original);
  const spent: Spent = { copiedBytes: 0, steps: 0 };
  for (const operation of operations) {
    document = applyOperation(document, operation, spent);
    if (spent.steps > JSON_PATCH_STEPS_MAX)
      throw requestEntityTooLarge(
        `The allowed maximum of values moved or compared by a JSON patch is ${JSON_PATCH_STEPS_MAX}`,
      );
  }
  if (!isRecord(document)) throw patchRejected("the patched document is not an object");
  if (isDeeper(document, DEPTH_MAX)) throw patchRejected("the patched document is too deep");
  return document;
}

/** What the operations so far have cost. */
interface Spent {
  copiedBytes: number;
  steps: number;
}

interface Operation {
  readonly op: string;
  readonly path: string | undefined;
  readonly from: string | undefined;
  readonly hasValue: boolean;
  readonly value: unknown;
}

/** Where an operation acts: an object or array of the document, and a key of it. */
interface Place {
  readonly container: Record<string, unknown> | unknown[];
  readonly key: string;
}

function decodeOperations(patch: unknown): readonly Operation[] {
  if (!Array.isArray(patch)) throw undecodable(patch, "[]handlers.jsonPatchOp");
  if (patch.length > JSON_PATCH_OPERATIONS_MAX)
    throw requestEntityTooLarge(
      `The allowed maximum operations in a JSON patch is ${JSON_PATCH_OPERATIONS_MAX}, got ${patch.length}`,
    );
  return patch.map(decodeOperation);
}

function decodeOperation(item: unknown): Operation {
  if (!isRecord(item)) throw undecodable(item, "handlers.jsonPatchOp");
  const text = (name: string): string | undefined => {
    const value = getOwn(item, name) ?? undefined;
    if (value === undefined || typeof value === "string") return value;
    throw undecodable(value, `string`, name);
  };
  return {
    op: text("op") ?? "unknown",
    path: text("path"),
    from: text("from"),
    hasValue: Object.hasOwn(item, "value"),
    value: getOwn(item, "value"),
  };
}

function undecodable(value: unknown, goType: string, fieldName?: string): Error {
  const into = fieldName === undefined ? "Go value" : `Go struct field jsonPatchOp.${fieldName}`;
  return badRequest(
    `error decoding patch: json: cannot unmarshal ${jsonTypeName(value)} into ${into} of type ${goType}`,
  );
}

/** Returns the document: the same, changed in place, or the one that replaces it. */
function applyOperation(document: unknown, operation: Operation, spent: Spent): unknown {
  const { op, hasValue, value } = operation;
  const path = pathOf(operation);
  switch (op) {
    case "add":
      add(placeOf(document, path, op), cloneJson(value ?? null), path, spent);
      return document;
    case "remove":
      remove(placeOf(document, path, op), path, spent);
      return document;
    case "replace":
      if (path === "") return cloneJson(value);
      replace(placeOf(document, path, op), cloneJson(value ?? null), path);
      return document;
    case "move":
      return move(document, operation, path, spent);
    case "copy":
      return copy(document, operation, path, spent);
    case "test":
      test(document, path, hasValue ? value : null, spent);
      return document;
    default:
      throw patchRejected(`Unexpected kind: ${op}`);
  }
}

function pathOf({ op, path }: Operation): string {
  if (path !== undefined) return path;
  const why = "operation missing path field: missing value";
  throw patchRejected(`${op} operation failed to decode path: ${why}`);
}

function fromOf({ op, from }: Operation): string {
  if (from !== undefined) return from;
  const why = "operation, missing from field: missing value";
  throw patchRejected(`${op} operation failed to decode from: ${why}`);
}

function placeOf(document: unknown, path: string, op: string, what = "path"): Place {
  const place = find(document, path);
  if (place) return place;
  throw patchRejected(
    `${op} operation does not apply: doc is missing ${what}: "${path}": missing value`,
  );
}

/** `undefined`: no such container, or the path is no JSON pointer. */
function find(document: unknown, path: string): Place | undefined {
  const [root, ...parts] = path.split("/");
  if (root !== "" || parts.length === 0) return undefined;
  const key = decodePart(parts.pop()!);
  let container: unknown = document;
  for (const part of parts) container = child(container, decodePart(part));
  if (Array.isArray(container)) return { container, key };
  return isRecord(container) ? { container, key } : undefined;
}

/** @spec RFC 6901 section 4: ~1 first, so that ~01 becomes ~1 */
function decodePart(part: string): string {
  return part.includes("~") ? part.replaceAll("~1", "/").replaceAll("~0", "~") : part;
}

function child(container: unknown, key: string): unknown {
  if (isRecord(container)) return getOwn(container, key);
  if (!Array.isArray(container)) return undefined;
  const index = indexOf(key, container.length);
  return index === undefined ? undefined : (container[index] as unknown);
}

/** An index below `length`; negative ones count from the end. */
function indexOf(key: string, length: number): number | undefined {
  if (!/^[+-]?[0-9]{1,9}$/.test(key)) return undefined;
  const index = Number(key) < 0 ? Number(key) + length : Number(key);
  return index >= 0 && index < length ? index : undefined;
}

function requireIndex(key: string, length: number, context: string): number {
  const index = indexOf(key, length);
  if (index !== undefined) return index;
  const why = /^[+-]?[0-9]+$/.test(key)
    ? `Unable to access invalid index: ${Number(key)}: invalid index referenced`
    : `value was not a proper array index: '${key}': strconv.Atoi: parsing "${key}": invalid syntax`;
  throw patchRejected(`${context}: ${why}`);
}

function add({ container, key }: Place, value: unknown, path: string, spent: Spent): void {
  if (!Array.isArray(container)) setOwn(container, key, value);
  else if (key === "-") container.push(value);
  else {
    const index = requireIndex(key, container.length + 1, `error in add for path: '${path}'`);
    spent.steps += container.length - index;
    container.splice(index, 0, value);
  }
}

function remove({ container, key }: Place, path: string, spent: Spent): unknown {
  const context = `error in remove for path: '${path}'`;
  if (Array.isArray(container)) {
    const index = requireIndex(key, container.length, context);
    spent.steps += container.length - index;
    return container.splice(index, 1)[0];
  }
  if (!Object.hasOwn(container, key))
    throw patchRejected(`${context}: Unable to remove nonexistent key: ${key}: missing value`);
  const value = container[key];
  delete container[key];
  return value;
}

function replace(place: Place, value: unknown, path: string): void {
  const { container, key } = place;
  requireValue(place, `replace operation does not apply: doc is missing key: ${path}`);
  if (Array.isArray(container)) container[indexOf(key, container.length)!] = value;
  else setOwn(container, key, value);
}

function requireValue({ container, key }: Place, context: string): unknown {
  const value = child(container, key);
  if (value === undefined) throw patchRejected(`${context}: missing value`);
  return value;
}

function move(document: unknown, operation: Operation, path: string, spent: Spent): unknown {
  const from = fromOf(operation);
  const source = placeOf(document, from, "move", "from path");
  requireValue(source, `error in move for path: '${from}'`);
  const value = remove(source, from, spent);
  add(placeOf(document, path, "move", "destination path"), value, path, spent);
  return document;
}

function copy(document: unknown, operation: Operation, path: string, spent: Spent): unknown {
  const from = fromOf(operation);
  const source = placeOf(document, from, "copy", "from path");
  const value = requireValue(source, `error in copy for from: '${from}'`);
  const target = placeOf(document, path, "copy", "destination path");
  // Copies of copies double the depth each time, and what recurses over values goes no deeper than documents.
  if (isDeeper(value, DEPTH_MAX))
    throw patchRejected(`error in copy for from: '${from}': too deep`);
  spent.copiedBytes += Buffer.byteLength(JSON.stringify(value));
  if (spent.copiedBytes > JSON_PATCH_COPY_BYTES_MAX)
    throw patchRejected(
      `Unable to complete the copy, the accumulated size increase of copy is ${spent.copiedBytes}, exceeding the limit ${JSON_PATCH_COPY_BYTES_MAX}`,
    );
  add(target, cloneJson(value), path, spent);
  return document;
}

/** True when `value` nests more than `depth` times. */
function isDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 || Object.values(value).some((item) => isDeeper(item, depth - 1));
}

function test(document: unknown, path: string, value: unknown, spent: Spent): void {
  const place = path === "" ? undefined : placeOf(document, path, "test");
  const actual = place === undefined ? document : (child(place.container, place.key) ?? null);
  if (isRecord(actual)) for (const _ in actual) spent.steps++;
  if (!equalJson(actual, value)) throw patchRejected(`testing value ${path} failed: test failed`);
}
