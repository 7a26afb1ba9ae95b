import type { Turns } from "../../base/turns.ts";
import type { ByteSource } from "../../wire/http/byte-source.ts";
import { GZIP_BYTES_MIN } from "../../wire/http/send.ts";
import type { ObjectVersion } from "../registry/object-version.ts";
import type { VersionCursor } from "../registry/version-cursor.ts";
import type { ItemText } from "./list-texts.ts";
import { SPACE, writePretty } from "./pretty-json.ts";

/**
 * A list up to this many bytes is one buffer and one write; a longer one begins with so many. It is what each of the thousands of lists
 * holds that one client can ask for and not read; the encoding of a body is chosen by it, so it is not below {@link GZIP_BYTES_MIN}.
 */
const FIRST_BYTES = GZIP_BYTES_MIN;

/** What a longer list goes out in after that: a reader that stalls leaves so much in its socket; halving it makes twice as many writes, each 30 µs. */
const PIECE_BYTES = 256 * 1024;

/** Versions fetched at once: a piece has some 90 Pods. The clock is read as often. */
const STEP = 64;

const COMMA = 0x2c;
const TAIL = Buffer.from("]}\n");

/** What stands around the items of a list. */
export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/**
 * The JSON of a list, put together from the bytes that its versions already have.
 *
 * Long lists are made piece by piece as the client takes them, so that neither memory nor the event loop sees the whole.
 */
export function listBody(
  kind: string,
  apiVersion: string,
  metadata: ListMeta,
  cursor: VersionCursor,
  turns: Turns,
): Buffer | ByteSource {
  const head = Buffer.from(
    `{"kind":"${kind}List","apiVersion":"${apiVersion}","metadata":${JSON.stringify(metadata)},"items":[`,
  );
  return bodyOf(new BytePieces(head, cursor, turns));
}

/** A list in any other shape, in pieces likewise. */
export function listText(text: ItemText, cursor: VersionCursor, turns: Turns): Buffer | ByteSource {
  return bodyOf(new TextPieces(text, cursor, turns));
}

/** A list of whole objects as people read it, from the same bytes. `text`: what stands around the items. */
export function prettyListBody(
  text: Pick<ItemText, "head" | "separator" | "tail" | "empty">,
  cursor: VersionCursor,
  turns: Turns,
): Buffer | ByteSource {
  return bodyOf(new PrettyPieces(text, cursor, turns));
}

interface Pieces {
  /** The next piece, of `bytes` and what its last item has more: perhaps empty, when a slice was spent on objects that are not wanted. */
  next(bytes: number): Buffer;
  readonly isDone: boolean;
}

/** Takes the versions of a cursor one by one. */
class Step {
  readonly #cursor: VersionCursor;
  #versions: readonly ObjectVersion[] = [];
  #at = 0;

  constructor(cursor: VersionCursor) {
    this.#cursor = cursor;
  }

  get isDone(): boolean {
    return this.isSpent && this.#cursor.isDone;
  }

  /** True: `next` looks at more of the cursor, however few of those it looks at are wanted. */
  get isSpent(): boolean {
    return this.#at === this.#versions.length;
  }

  /** `undefined`: none of those looked at is wanted. */
  next(): ObjectVersion | undefined {
    if (this.isSpent) {
      this.#versions = this.#cursor.next(STEP);
      this.#at = 0;
    }
    return this.#at < this.#versions.length ? this.#versions[this.#at++] : undefined;
  }
}

class BytePieces implements Pieces {
  readonly #step: Step;
  readonly #turns: Turns;
  #head: Buffer | undefined;
  #isFirst = true;
  isDone = false;

  constructor(head: Buffer, cursor: VersionCursor, turns: Turns) {
    this.#head = head;
    this.#step = new Step(cursor);
    this.#turns = turns;
  }

  next(bytes: number): Buffer {
    const step = this.#step;
    const slice = this.#turns.slice();
    const versions: ObjectVersion[] = [];
    let length = (this.#head?.length ?? 0) + TAIL.length;
    while (!step.isDone && length < bytes) {
      const version = step.next();
      if (version) {
        versions.push(version);
        length += version.itemLength + 1;
      }
      if (step.isSpent && slice.isOver) break;
    }
    const out = Buffer.allocUnsafe(length);
    let end = this.#head?.copy(out) ?? 0;
    this.#head = undefined;
    for (const version of versions) {
      if (!this.#isFirst) out[end++] = COMMA;
      this.#isFirst = false;
      end = version.writeItem(out, end);
    }
    this.isDone = step.isDone;
    if (this.isDone) end += TAIL.copy(out, end);
    return out.subarray(0, end);
  }
}

/** Spaces before each line of an item. */
const ITEM_INDENT = 4;
/** Bytes beyond a piece for the item that completes it. */
const PRETTY_ROOM = 32 * 1024;
/** Bytes that one byte of compact JSON becomes; enough for most objects. */
const PRETTY_FACTOR = 3;

class PrettyPieces implements Pieces {
  readonly #text: Pick<ItemText, "head" | "separator" | "tail" | "empty">;
  readonly #step: Step;
  readonly #turns: Turns;
  #compact: Buffer = Buffer.allocUnsafe(16 * 1024);
  #begun = 0;
  isDone = false;

  constructor(
    text: Pick<ItemText, "head" | "separator" | "tail" | "empty">,
    cursor: VersionCursor,
    turns: Turns,
  ) {
    this.#text = text;
    this.#step = new Step(cursor);
    this.#turns = turns;
  }

  next(bytes: number): Buffer {
    const { head, separator, tail, empty } = this.#text;
    const slice = this.#turns.slice();
    let out = spaces(bytes + PRETTY_ROOM);
    let end = 0;
    while (!this.#step.isDone && end < bytes) {
      const version = this.#step.next();
      if (version) {
        const before = this.#begun++ > 0 ? separator : head;
        out = withRoom(out, end, before.length + version.itemLength * PRETTY_FACTOR);
        end += out.write(before, end);
        [out, end] = this.#writeItem(version, out, end);
      }
      if (slice.isOver) break;
    }
    this.isDone = this.#step.isDone;
    if (this.isDone) {
      const last = this.#begun > 0 ? tail : empty;
      out = withRoom(out, end, Buffer.byteLength(last));
      end += out.write(last, end);
    }
    return out.subarray(0, end);
  }

  #writeItem(version: ObjectVersion, out: Buffer, at: number): [Buffer, number] {
    if (version.itemLength > this.#compact.length)
      this.#compact = Buffer.allocUnsafe(version.itemLength * 2);
    const length = version.writeItem(this.#compact, 0);
    for (let factor = PRETTY_FACTOR; ; factor *= 4) {
      const target = withRoom(out, at, length * factor);
      const end = writePretty(this.#compact, length, target, at, ITEM_INDENT);
      if (end >= 0) return [target, end];
      target.fill(SPACE, at);
    }
  }
}

/** `buffer`, or a larger copy of its first `used` bytes, with room for `more`: spaces. */
function withRoom(buffer: Buffer, used: number, more: number): Buffer {
  if (buffer.length - used >= more) return buffer;
  const larger = spaces(used + more);
  buffer.copy(larger, 0, 0, used);
  return larger;
}

function spaces(length: number): Buffer {
  return Buffer.allocUnsafe(length).fill(SPACE);
}

class TextPieces implements Pieces {
  readonly #text: ItemText;
  readonly #step: Step;
  readonly #turns: Turns;
  #begun = 0;
  isDone = false;

  constructor(text: ItemText, cursor: VersionCursor, turns: Turns) {
    this.#text = text;
    this.#step = new Step(cursor);
    this.#turns = turns;
  }

  next(bytes: number): Buffer {
    const { head, item, separator, tail, empty } = this.#text;
    const slice = this.#turns.slice();
    let out = "";
    while (!this.#step.isDone && out.length < bytes) {
      const version = this.#step.next();
      if (version) out += (this.#begun++ > 0 ? separator : head) + item(version);
      if (slice.isOver) break;
    }
    this.isDone = this.#step.isDone;
    if (this.isDone) out += this.#begun > 0 ? tail : empty;
    return Buffer.from(out);
  }
}

function bodyOf(pieces: Pieces): Buffer | ByteSource {
  const first = pieces.next(FIRST_BYTES);
  return pieces.isDone ? first : sourceOf(first, pieces);
}

function sourceOf(first: Buffer, pieces: Pieces): ByteSource {
  let next: Buffer | undefined = first;
  return {
    read() {
      const piece = next ?? (pieces.isDone ? null : pieces.next(PIECE_BYTES));
      next = undefined;
      return piece;
    },
    onReadable: () => {},
    close: () => {},
  };
}
