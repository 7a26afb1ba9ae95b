import { DEPTH_MAX, shownPath, VALUES_MAX } from "./json-bounds.ts";

/**
 * What `JSON.parse` does not tell of a text that it accepts: fields that occur twice, numbers that it rounded.
 *
 * Both are rare, so these scans run only after a cheap test says that there may be something to find.
 */

/** One open object or list. */
interface Frame {
  /** The keys so far; undefined for a list. */
  readonly keys: Set<string> | undefined;
  /** The key whose value is being read. */
  key: string;
  index: number;
}

/** Repeats that are looked for. @spec sigs.k8s.io/json, which stops collecting here */
const FIELDS_MAX = 100;

const [QUOTE, COMMA, COLON, BACKSLASH] = [34, 44, 58, 92];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];

/**
 * Paths of fields that occur more than once, each once: `metadata.labels.a`, `spec.ports[0].name`.
 *
 * @shape text: valid JSON; on any other the answer is meaningless but finite
 * @spec sigs.k8s.io/json strict errors
 */
export function duplicateFields(text: string): readonly string[] {
  const found = new Set<string>();
  const frames: Frame[] = [];
  let top: Frame | undefined;
  let isKeyNext = false;
  let repeats = 0;
  for (let at = 0; at < text.length && repeats < FIELDS_MAX; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at + 1);
      if (isKeyNext && top?.keys && isRepeated(top, keyText(text, at, end))) {
        repeats++;
        found.add(pathOf(frames));
      }
      isKeyNext = false;
      at = end;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      isKeyNext = code === OPEN_OBJECT;
      top = { keys: isKeyNext ? new Set() : undefined, key: "", index: 0 };
      frames.push(top);
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      frames.pop();
      top = frames[frames.length - 1];
      isKeyNext = false;
    } else if (code === COMMA && top) {
      isKeyNext = top.keys !== undefined;
      top.index++;
    } else if (code === COLON) isKeyNext = false;
  }
  return [...found];
}

/** The position of the closing quote. */
function endOfString(text: string, from: number): number {
  let end = text.indexOf('"', from);
  while (end > 0 && text.charCodeAt(end - 1) === BACKSLASH) {
    let first = end - 1;
    while (text.charCodeAt(first - 1) === BACKSLASH) first--;
    if ((end - first) % 2 === 0) break;
    end = text.indexOf('"', end + 1);
  }
  return end < 0 ? text.length : end;
}

function keyText(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  if (!raw.includes("\\")) return raw;
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return raw;
  }
}

/** Notes a key; true when the object already had it. */
function isRepeated(frame: Frame, key: string): boolean {
  frame.key = key;
  if (frame.keys!.has(key)) return true;
  frame.keys!.add(key);
  return false;
}

function pathOf(frames: readonly Frame[]): string {
  let path = "";
  for (const { keys, key, index } of frames) {
    path += keys ? `${path === "" ? "" : "."}${shownPath(key)}` : `[${index}]`;
  }
  return shownPath(path);
}

/**
 * The bound that a JSON text breaks, found without making any value: the engine takes a quarter of a second for three megabytes of
 * brackets or of keys.
 */
export function brokenBound(text: string): "depth" | "values" | undefined {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at + 1);
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      if (++depth > DEPTH_MAX) return "depth";
      // Its first item; the others have a comma before them.
      if (!isClosedNext(text, at + 1) && ++values > VALUES_MAX) return "values";
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth--;
    else if (code === COMMA && ++values > VALUES_MAX) return "values";
  }
  return undefined;
}

function isClosedNext(text: string, from: number): boolean {
  let at = from;
  while (text.charCodeAt(at) <= BLANK) at++;
  const code = text.charCodeAt(at);
  return code === CLOSE_LIST || code === CLOSE_OBJECT;
}

const BLANK = 32;

/** The first integer of a JSON text that a double does not hold digit for digit. */
export function inexactNumber(text: string): string | undefined {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at + 1);
    else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      NUMBER.lastIndex = at;
      const number = NUMBER.exec(text)![0];
      if (isInexact(number)) return number;
      at += number.length - 1;
    }
  }
  return undefined;
}

const [MINUS, ZERO, NINE] = [45, 48, 57];
const NUMBER = /[-+0-9.eE]+/y;
/** Digits of integers that every double holds. */
const EXACT_DIGITS = 15;
/** A double has at most 309 digits before its point: what is longer is none. */
const DIGITS_MAX = 400;

function isInexact(number: string): boolean {
  if (number.length <= EXACT_DIGITS || !/^-?[0-9]+$/.test(number)) return false;
  return number.length > DIGITS_MAX || String(Number(number)) !== number;
}
