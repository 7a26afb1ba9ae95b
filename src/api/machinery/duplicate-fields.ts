/** One open object or list. */
interface Frame {
  /** The keys so far; undefined for a list. */
  readonly keys: string[] | undefined;
  /** Takes over from `keys` when they grow many. */
  seen: Set<string> | undefined;
  index: number;
}

/** Up to here a search through the list beats a set. */
const LINEAR_KEYS_MAX = 16;
/** Upstream stops collecting here. */
const ERRORS_MAX = 100;

const [QUOTE, COMMA, COLON, BACKSLASH] = [34, 44, 58, 92];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];

/**
 * The fields that a JSON text gives twice, as `duplicate field "spec.replicas"`.
 *
 * Why from the text: `JSON.parse` keeps the last one and says nothing.
 * @shape text: valid JSON; on any other the answer is meaningless but finite
 * @spec sigs.k8s.io/json strict errors
 */
export function findDuplicateFields(text: string): string[] {
  const found: string[] = [];
  const frames: Frame[] = [];
  let top: Frame | undefined;
  let isKeyNext = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at + 1);
      if (isKeyNext && top?.keys && addKey(top, keyText(text, at, end)))
        if (found.length < ERRORS_MAX)
          found.push(`duplicate field ${JSON.stringify(pathOf(frames))}`);
      isKeyNext = false;
      at = end;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      isKeyNext = code === OPEN_OBJECT;
      top = { keys: isKeyNext ? [] : undefined, seen: undefined, index: 0 };
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
  return [...new Set(found)];
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
function addKey(frame: Frame, key: string): boolean {
  const keys = frame.keys!;
  const isKnown = frame.seen ? frame.seen.has(key) : keys.includes(key);
  keys.push(key);
  if (frame.seen) frame.seen.add(key);
  else if (keys.length > LINEAR_KEYS_MAX) frame.seen = new Set(keys);
  return isKnown;
}

function pathOf(frames: readonly Frame[]): string {
  let path = "";
  for (const { keys, index } of frames)
    path += keys ? `${path === "" ? "" : "."}${keys[keys.length - 1]!}` : `[${index}]`;
  return path;
}
