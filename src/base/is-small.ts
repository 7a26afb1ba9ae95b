/** Values that may hang together below a value that is remembered. The largest templates hold some hundred. */
const VALUES_MAX = 2000;
/** Characters of all texts below it, keys not counted. */
const CHARACTERS_MAX = 64 * 1024;

/**
 * Whether a JSON value may be kept in a memory of some hundred entries: a client decides how large what it sends is, and a hundred
 * documents of three megabytes are gigabytes once they are objects.
 *
 * @bounds looks at {@link VALUES_MAX} values at most
 */
export function isSmall(value: unknown): boolean {
  return spend(value, { values: VALUES_MAX, characters: CHARACTERS_MAX });
}

function spend(value: unknown, left: { values: number; characters: number }): boolean {
  if (typeof value === "string") return (left.characters -= value.length) >= 0;
  if (typeof value !== "object" || value === null) return true;
  for (const key in value)
    if (--left.values < 0 || !spend((value as Record<string, unknown>)[key], left)) return false;
  return true;
}
