/**
 * The first item of each key.
 *
 * Why not `find` for each of many items: clients decide how long lists are, and two of them searched through each other take the
 * product of their lengths.
 */
export function firstBy<T, K>(
  items: readonly T[] | undefined,
  keyOf: (item: T) => K,
): ReadonlyMap<K, T> {
  const first = new Map<K, T>();
  for (const item of items ?? []) {
    const key = keyOf(item);
    if (!first.has(key)) first.set(key, item);
  }
  return first;
}
