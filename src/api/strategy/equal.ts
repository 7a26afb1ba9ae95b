/**
 * Whether two JSON values mean the same to the API: absent, `[]` and `{}` are equal, map order does not count.
 *
 * @spec k8s@1.36 apimachinery api/equality Semantic.DeepEqual
 */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isVoid(a) && isVoid(b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return areArraysEqual(a, b);
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(left)) if (!isEqual(left[key], right[key])) return false;
  for (const key of Object.keys(right))
    if (!Object.hasOwn(left, key) && !isVoid(right[key])) return false;
  return true;
}

function areArraysEqual(a: object, b: object): boolean {
  return (
    Array.isArray(a) &&
    Array.isArray(b) &&
    a.length === b.length &&
    a.every((item, index) => isEqual(item, b[index]))
  );
}

/** Absent, or a list or map without elements. */
function isVoid(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    (typeof value === "object" && Object.keys(value).length === 0)
  );
}
