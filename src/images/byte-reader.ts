import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { ArchiveError } from "./archive-error.ts";

/** Reads a stream of chunks in pieces of the caller's size. Holds one chunk. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes, or fewer at the end of the stream. */
  async read(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.take(length)) parts.push(part);
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /** The next `length` bytes as they come; fewer at the end of the stream. */
  async *take(length: number): AsyncGenerator<Buffer> {
    let missing = length;
    while (missing > 0) {
      if (this.#rest.length === 0 && !(await this.#fill())) return;
      const part = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(part.length);
      missing -= part.length;
      yield part;
    }
  }

  /** All that is left. */
  async *remainder(): AsyncGenerator<Buffer> {
    yield* this.take(Number.MAX_SAFE_INTEGER);
  }

  /** Ends the stream early. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #fill(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done) return false;
    const { buffer, byteOffset, byteLength } = next.value;
    this.#rest = Buffer.from(buffer, byteOffset, byteLength);
    return true;
  }
}

/** Compressions by their first bytes. */
const MAGIC: readonly (readonly [string, string])[] = [
  ["gzip", "1f8b"],
  ["zstd", "28b52ffd"],
  ["xz", "fd377a58"],
  ["bzip2", "425a68"],
];

/** The name of the compression that these first bytes show. */
export function compressionOf(head: Uint8Array): string | undefined {
  const hex = Buffer.from(head.subarray(0, 4)).toString("hex");
  return MAGIC.find(([, magic]) => hex.startsWith(magic))?.[0];
}

/**
 * The stream, gunzipped if it is gzip.
 *
 * @throws {ArchiveError} another compression, or damaged gzip.
 */
export async function* decompressed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(source);
  const head = await reader.read(4);
  const compression = compressionOf(head);
  const whole = prepend(head, reader.remainder());
  if (!compression) yield* whole;
  else if (compression === "gzip") yield* gunzipped(whole);
  else
    throw new ArchiveError(
      `it is compressed with ${compression}: expected gzip, or no compression`,
    );
}

/** @throws {ArchiveError} no gzip, or cut off. */
export async function* gunzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  const running = pipeline(Readable.from(source), gunzip).catch(() => {}); // thrown below, by the reading end
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code?.startsWith("Z_") ? new ArchiveError(`its gzip data is damaged: ${message}`) : error;
  } finally {
    gunzip.destroy();
    await running;
  }
}

async function* prepend(
  head: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield head;
  yield* rest;
}
