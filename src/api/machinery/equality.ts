/**
 * True when two JSON values mean the same: order of keys does not count, `undefined` is an absent key.
 *
 * Why not `util.isDeepStrictEqual`: it is several times slower on these shapes, tells `undefined` from absent, and
 * compares prototypes. The same reference is equal at once, which is the common case for shared structure.
 * @bounds as deep as the values: JSON is cut at depth 100 when it is read.
 */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a)) return Array.isArray(b) && equalArrays(a, b);
  return !Array.isArray(b) && equalRecords(a as JsonRecord, b as JsonRecord);
}

/**
 * {@link equalJson} in which absent, `null`, `{}` and `[]` are the same.
 *
 * @spec k8s@1.36 apimachinery third_party/forked/golang/reflect Equalities.DeepEqual ("unset" equals empty)
 */
export function equalSemantic(a: unknown, b: unknown): boolean {
  return equalBut(a, b, isEmpty);
}

/**
 * {@link equalJson} in which absent, `null` and `[]` are the same, and `{}` is something: right for objects that are
 * stored, where an empty map is not written and `{}` is a choice (`emptyDir: {}`).
 *
 * @spec k8s@1.36 apimachinery api/equality Semantic.DeepEqual (a pointer to nothing differs from none)
 */
export function equalStored(a: unknown, b: unknown): boolean {
  return equalBut(a, b, isUnset);
}

/** Equality in which all that `isVoid` says yes to is the same, and the same as absent. */
function equalBut(a: unknown, b: unknown, isVoid: (value: unknown) => boolean): boolean {
  if (a === b) return true;
  if (isVoid(a)) return isVoid(b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a))
    return (
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => equalBut(item, b[index], isVoid))
    );
  if (Array.isArray(b)) return false;
  const [left, right] = [a as JsonRecord, b as JsonRecord];
  for (const key in left) {
    const other = Object.hasOwn(right, key) ? right[key] : undefined;
    if (!equalBut(left[key], other, isVoid)) return false;
  }
  for (const key in right) if (!Object.hasOwn(left, key) && !isVoid(right[key])) return false;
  return true;
}

function isUnset(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

type JsonRecord = Readonly<Record<string, unknown>>;

function equalArrays(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!equalJson(a[i], b[i])) return false;
  return true;
}

function equalRecords(a: JsonRecord, b: JsonRecord): boolean {
  let count = 0;
  for (const key in a) {
    const value = a[key];
    if (value === undefined) continue;
    if (!Object.hasOwn(b, key) || !equalJson(value, b[key])) return false;
    count++;
  }
  for (const key in b) if (b[key] !== undefined) count--;
  return count === 0;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== "object") return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const key in value) if (!isEmpty((value as JsonRecord)[key])) return false;
  return true;
}
