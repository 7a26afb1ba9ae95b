import { getOwn, isRecord, jsonTypeName, setOwn } from "./json-value.ts";
import type { JsonRecord } from "./json-value.ts";
import { badRequest } from "./status-errors.ts";

/**
 * Applies an RFC 7386 merge patch. The result may share parts with both arguments; neither changes.
 *
 * Unlike the RFC, and like upstream's library, nulls vanish from objects inside arrays too.
 * @throws {StatusError} BadRequest: the patch is no JSON object.
 * @spec RFC 7386; evanphx/json-patch v4.12 merge.go; k8s@1.36 apiserver endpoints/handlers/patch.go
 */
export function applyMergePatch(original: JsonRecord, patch: unknown): JsonRecord {
  if (patch === null) throw badRequest("Invalid JSON Patch");
  if (!isRecord(patch)) {
    const problem = `json: cannot unmarshal ${jsonTypeName(patch)} into Go value of type map[string]interface {}`;
    throw badRequest(`error decoding patch: ${problem}`);
  }
  return mergeRecords(original, patch);
}

function mergeRecords(original: JsonRecord, patch: JsonRecord): JsonRecord {
  const merged: Record<string, unknown> = { ...original };
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) delete merged[key];
    else setOwn(merged, key, mergeValue(getOwn(original, key), value));
  }
  return merged;
}

function mergeValue(original: unknown, patch: unknown): unknown {
  return isRecord(original) && isRecord(patch)
    ? mergeRecords(original, patch)
    : withoutNulls(patch);
}

/** `value` without the null fields of its objects; null items of arrays stay. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  return isRecord(value) ? mergeRecords({}, value) : value;
}
