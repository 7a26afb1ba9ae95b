import type { Position } from "./backend.ts";

/** Orders keys as their UTF-8 bytes are ordered, without making them. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    // Half of a character beyond U+FFFF, whose bytes sort above those of all others.
    return Number(isSurrogate(x)) - Number(isSurrogate(y)) || x - y;
  }
  return a.length - b.length;
}

/** Orders positions as the log does. */
export function comparePositions(a: Position, b: Position): number {
  return a.revision - b.revision || a.sub - b.sub;
}

/**
 * Two sequences, each sorted by `compare`, as one. Where both have the same, only the first one's is given.
 *
 * Each is ended when the reader stops early.
 */
export function* merged<T>(
  first: Generator<T, undefined>,
  second: Generator<T, undefined>,
  compare: (a: T, b: T) => number,
): Generator<T, undefined> {
  try {
    let [a, b] = [first.next(), second.next()];
    while (!a.done || !b.done) {
      const order = a.done ? 1 : b.done ? -1 : compare(a.value, b.value);
      yield (order <= 0 ? a.value : b.value) as T;
      if (order <= 0) a = first.next();
      if (order >= 0) b = second.next();
    }
  } finally {
    first.return(undefined);
    second.return(undefined);
  }
  return undefined;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
