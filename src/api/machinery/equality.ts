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
  if (a === b) return true;
  if (isEmpty(a)) return isEmpty(b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a))
    return (
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => equalSemantic(item, b[index]))
    );
  if (Array.isArray(b)) return false;
  const [left, right] = [a as JsonRecord, b as JsonRecord];
  for (const key in left)
    if (!equalSemantic(left[key], Object.hasOwn(right, key) ? right[key] : undefined)) return false;
  for (const key in right) if (!Object.hasOwn(left, key) && !isEmpty(right[key])) return false;
  return true;
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
