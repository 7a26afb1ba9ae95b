import { formatGoValue } from "./go-format.ts";
import { getOwn, isRecord } from "./json-value.ts";
import type { JsonRecord } from "./json-value.ts";
import { badRequest } from "./status-errors.ts";

/**
 * Lists in a strategic merge patch: merged by key or by value, then put in order.
 *
 * Order: items of the patch as the patch has them, items that only the object has as the object has them, interleaved
 * so that an item of the object stays before the first patch item that it preceded.
 * @spec k8s@1.36 apimachinery util/strategicpatch/patch.go mergeSlice, normalizeElementOrder, mergeSortedSlice
 */

/** Both lists without repeats, in order. */
export function mergeScalars(
  original: readonly unknown[],
  patch: readonly unknown[],
): readonly unknown[] {
  return orderList([...new Set([...original, ...patch])], patch, original, undefined);
}

/**
 * Items with the same `mergeKey` merged, others added; `$patch: delete` items remove, `$patch: replace` anywhere
 * drops what the object had.
 *
 * @throws {StatusError} BadRequest: an item without the merge key, or an unknown `$patch`.
 */
export function mergeByKey(
  original: readonly JsonRecord[],
  patch: readonly JsonRecord[],
  mergeKey: string,
  merge: (original: JsonRecord, patch: JsonRecord) => JsonRecord,
): readonly JsonRecord[] {
  const items = patch.filter((item) => !Object.hasOwn(item, "$patch"));
  const deleted = new Set<unknown>();
  let isReplaced = false;
  for (const item of patch) {
    const directive = getOwn(item, "$patch");
    if (directive === "delete") deleted.add(requireKey(item, mergeKey));
    else if (directive === "replace") isReplaced = true;
    else if (directive !== undefined) throw badListDirective(directive, item);
  }
  const kept = isReplaced ? [] : original.filter((item) => !deleted.has(getOwn(item, mergeKey)));
  const merged = mergeItems(kept, items, mergeKey, merge);
  return isReplaced ? merged : (orderList(merged, items, kept, mergeKey) as readonly JsonRecord[]);
}

function mergeItems(
  original: readonly JsonRecord[],
  patch: readonly JsonRecord[],
  mergeKey: string,
  merge: (original: JsonRecord, patch: JsonRecord) => JsonRecord,
): readonly JsonRecord[] {
  const merged = [...original];
  // Of items that share a key (two protocols on one port) the first is meant, as upstream.
  const places = new Map<unknown, number>();
  original.forEach((item, index) => {
    const key = requireKey(item, mergeKey);
    if (!places.has(key)) places.set(key, index);
  });
  for (const item of patch) {
    const key = requireKey(item, mergeKey);
    const place = places.get(key);
    if (place === undefined) places.set(key, merged.push(merge({}, item)) - 1);
    else merged[place] = merge(merged[place]!, item);
  }
  return merged;
}

/** `list` in the order that `patchOrder` gives its own items and `serverOrder` the others. */
export function orderList(
  list: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string | undefined,
): readonly unknown[] {
  const keyOf = (item: unknown): unknown =>
    mergeKey === undefined ? item : requireKey(item, mergeKey);
  const inPatch = positions(patchOrder, keyOf);
  const onServer = positions(serverOrder, keyOf);
  const by =
    (places: ReadonlyMap<unknown, number>) =>
    (a: unknown, b: unknown): number =>
      (places.get(keyOf(a)) ?? 0) - (places.get(keyOf(b)) ?? 0);
  const patchItems = list.filter((item) => inPatch.has(keyOf(item))).sort(by(inPatch));
  const serverItems = list.filter((item) => !inPatch.has(keyOf(item))).sort(by(onServer));
  return interleave(serverItems, patchItems, (item) => onServer.get(keyOf(item)));
}

/** `left` and `right` keep their own order; one of `left` comes first only where the server's order says so. */
function interleave(
  left: readonly unknown[],
  right: readonly unknown[],
  placeOf: (item: unknown) => number | undefined,
): readonly unknown[] {
  const out: unknown[] = [];
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    const [l, r] = [placeOf(left[i]), placeOf(right[j])];
    const isLeftFirst = l !== undefined && r !== undefined && l < r;
    out.push(isLeftFirst ? left[i++] : right[j++]);
  }
  return [...out, ...left.slice(i), ...right.slice(j)];
}

function positions(
  items: readonly unknown[],
  keyOf: (item: unknown) => unknown,
): ReadonlyMap<unknown, number> {
  const places = new Map<unknown, number>();
  items.forEach((item, index) => {
    const key = keyOf(item);
    if (!places.has(key)) places.set(key, index);
  });
  return places;
}

function requireKey(item: unknown, mergeKey: string): unknown {
  if (!isRecord(item)) throw badRequest("value for key 0 is not a map");
  const key = getOwn(item, mergeKey);
  if (key !== undefined) return key;
  // @spec mergepatch.ErrNoMergeKey
  throw badRequest(`map: ${formatGoValue(item)} does not contain declared merge key: ${mergeKey}`);
}

function badListDirective(directive: unknown, item: JsonRecord): Error {
  if (directive === "merge")
    return badRequest("merging lists cannot yet be specified in the patch");
  return badRequest(
    `unknown patch type: ${formatGoValue(directive)} in map: ${formatGoValue(item)}`,
  );
}
