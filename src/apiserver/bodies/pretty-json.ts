const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
/** What a target is filled with. */
export const SPACE = 0x20;
const NEWLINE = 0x0a;

/**
 * Writes the compact JSON in `source` (up to `end`) to `target` as `JSON.stringify(…, 2)` would write the value, each line but the first
 * indented by `indent` more.
 *
 * Why from the bytes: whole lists are asked for so (every `curl` is), and parsing and printing them would cost five times as much. Why `target` is
 * full of spaces from `at` on: half of what comes out is indentation, and is there already.
 * @returns where it ends in `target`; -1: there is not enough room.
 */
export function writePretty(
  source: Buffer,
  end: number,
  target: Buffer,
  at: number,
  indent: number,
): number {
  // What is left takes two bytes for one at most until the next line begins.
  const room = target.length - 4 - 2 * end;
  let depth = indent;
  if (at > room) return -1;
  for (let from = 0; from < end;) {
    const byte = source[from++]!;
    switch (byte) {
      case QUOTE: {
        target[at++] = byte;
        let inner;
        do {
          inner = source[from++]!;
          target[at++] = inner;
          if (inner === BACKSLASH) target[at++] = source[from++]!;
        } while (inner !== QUOTE);
        break;
      }
      case COLON:
        target[at] = byte;
        at += 2;
        break;
      case COMMA:
        if (at + depth > room + 2 * from) return -1;
        target[at] = byte;
        target[at + 1] = NEWLINE;
        at += 2 + depth;
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET: {
        target[at++] = byte;
        const next = source[from]!;
        if (next === CLOSE_BRACE || next === CLOSE_BRACKET) {
          target[at++] = next;
          from++;
          break;
        }
        depth += 2;
        if (at + depth > room + 2 * from) return -1;
        target[at] = NEWLINE;
        at += 1 + depth;
        break;
      }
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth -= 2;
        if (at + depth > room + 2 * from) return -1;
        target[at] = NEWLINE;
        at += 1 + depth;
        target[at++] = byte;
        break;
      default:
        target[at++] = byte;
    }
  }
  return at;
}
