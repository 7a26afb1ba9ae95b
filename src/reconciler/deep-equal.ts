/**
 * Equality of JSON values as the API sees them: a missing field, `null`, and an empty list are the same.
 *
 * @spec k8s@1.36 apimachinery api/equality Semantic.DeepEqual (nil and empty slices are equal)
 */
export function isDeepEqual(a: unknown, b: unknown): boolean {
  if (a === b || (isVoid(a) && isVoid(b))) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isDeepEqual(item, b[index]));
  }
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isDeepEqual(own(a, key), own(b, key)));
}

function isVoid(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
