import type { ByteSource } from "../../wire/http/byte-source.ts";
import type { ObjectVersion } from "../registry/object-version.ts";

/** A list up to this many bytes is one buffer and one write; above, it goes out in pieces of this size. */
const PIECE_BYTES = 512 * 1024;

const COMMA = 0x2c;

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
  versions: readonly ObjectVersion[],
): Buffer | ByteSource {
  const head = Buffer.from(
    `{"kind":"${kind}List","apiVersion":"${apiVersion}","metadata":${JSON.stringify(metadata)},"items":[`,
  );
  const pieces = new ListPieces(head, versions);
  const first = pieces.next()!;
  return pieces.isDone ? first : sourceOf(first, pieces);
}

const TAIL = Buffer.from("]}\n");

class ListPieces {
  readonly #versions: readonly ObjectVersion[];
  #head: Buffer | undefined;
  #at = 0;
  isDone = false;

  constructor(head: Buffer, versions: readonly ObjectVersion[]) {
    this.#head = head;
    this.#versions = versions;
  }

  next(): Buffer | undefined {
    if (this.isDone) return undefined;
    const versions = this.#versions;
    const begin = this.#at;
    let length = (this.#head?.length ?? 0) + TAIL.length;
    while (this.#at < versions.length && length < PIECE_BYTES)
      length += versions[this.#at++]!.itemLength + 1;
    const out = Buffer.allocUnsafe(length);
    let end = this.#head?.copy(out) ?? 0;
    this.#head = undefined;
    for (let at = begin; at < this.#at; at++) {
      if (at > 0) out[end++] = COMMA;
      end = versions[at]!.writeItem(out, end);
    }
    this.isDone = this.#at >= versions.length;
    if (this.isDone) end += TAIL.copy(out, end);
    return out.subarray(0, end);
  }
}

function sourceOf(first: Buffer, pieces: ListPieces): ByteSource {
  let next: Buffer | undefined = first;
  return {
    read() {
      const piece = next ?? pieces.next();
      next = undefined;
      return piece ?? null;
    },
    onReadable: () => {},
    close: () => {},
  };
}
