import { constants, deflateRawSync } from "node:zlib";
import { checksum, checksumShift, joinedChecksum } from "../../base/checksum.ts";
import type { ByteSource } from "./byte-source.ts";

/** What a gzip file begins with: deflate, no name, no time, made anywhere. @spec RFC 1952 section 2.3 */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** A last block without bytes. @spec RFC 1951 section 3.2.6 */
const LAST_BLOCK = Buffer.from([3, 0]);
/** A stored block without bytes: readers hand on what they have when they come to it. */
const MARK = Buffer.from([0, 0, 0, 0xff, 0xff]);
/** Bytes that one stored block holds at most, and those before them. @spec RFC 1951 section 3.2.4 */
const STORED_BYTES_MAX = 0xffff;
const STORED_HEADER_BYTES = 5;

/** Below this many bytes a write costs what it costs, however short it is: the piece stays as it is. */
const DEFLATE_BYTES_MIN = 1024;
/**
 * As fast as it goes, as upstream's: the server's processor is worth more than a local network. JSON of objects that are alike goes through it
 * at 600 MB a second and leaves 4 %.
 */
const DEFLATE = { level: constants.Z_BEST_SPEED, finishFlush: constants.Z_SYNC_FLUSH };

/** What stands for one piece of a body: whole blocks of deflate, which need nothing of what came before. */
interface Piece {
  readonly checksum: number;
  readonly shift: number;
  readonly stored: Buffer;
  /** Of the second reader and later ones. */
  deflated?: Buffer;
  /** The last reader's checksum before it, and with it: who reads the same has most often read the same before. */
  before: number;
  joined: number;
}

/** By the piece that a source gave: the same one for all who get it. */
const shared = new WeakMap<Buffer, Piece>();

/**
 * A body as gzip, each piece of its source as blocks of its own, which its reader can inflate at once.
 *
 * Why not a stream of zlib: it has its own queues and threads, and costs twice the time. And of `pieces`, which a source gives as the same buffer to
 * all who read the same, what thousands read is deflated once for all of them, what one reads alone not at all.
 * @spec RFC 1951, RFC 1952
 */
export class GzipBlocks implements ByteSource {
  readonly #source: ByteSource;
  readonly #compression: "whole" | "pieces";
  #checksum = 0;
  #length = 0;
  #hasBegun = false;
  #isOver = false;

  constructor(source: ByteSource, compression: "whole" | "pieces") {
    this.#source = source;
    this.#compression = compression;
  }

  get isWaiting(): boolean {
    return !this.#isOver && (this.#source.isWaiting ?? false);
  }

  onReadable(listener: () => void): void {
    this.#source.onReadable(listener);
  }

  read(): Buffer | undefined | null {
    return this.#isOver ? null : this.take(this.#source.read());
  }

  /** What stands for `bytes`, which were read from the source already. */
  take(bytes: Buffer | undefined | null): Buffer | undefined | null {
    if (bytes === undefined || bytes?.length === 0) return bytes;
    if (bytes === null) {
      this.#isOver = true;
      return this.#begun(Buffer.concat([LAST_BLOCK, this.#trailer()]));
    }
    return this.#begun(this.#blocksOf(bytes));
  }

  close(): void {
    this.#source.close();
  }

  #begun(blocks: Buffer): Buffer {
    if (this.#hasBegun) return blocks;
    this.#hasBegun = true;
    return Buffer.concat([HEADER, blocks]);
  }

  #blocksOf(bytes: Buffer): Buffer {
    this.#length += bytes.length;
    if (this.#compression === "whole") {
      this.#checksum = checksum(bytes, this.#checksum);
      return deflateRawSync(bytes, DEFLATE);
    }
    let piece = shared.get(bytes);
    const isFirst = !piece;
    if (!piece) shared.set(bytes, (piece = pieceOf(bytes)));
    this.#checksum = joined(piece, this.#checksum);
    if (isFirst) return piece.stored;
    return (piece.deflated ??= shorterOf(bytes, piece.stored));
  }

  #trailer(): Buffer {
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.#checksum, 0);
    trailer.writeUInt32LE(this.#length % 2 ** 32, 4);
    return trailer;
  }
}

function pieceOf(bytes: Buffer): Piece {
  const own = checksum(bytes, 0);
  return {
    checksum: own,
    shift: checksumShift(bytes.length),
    stored: storedBlocks(bytes),
    // Of nothing, the checksum is 0.
    before: 0,
    joined: own,
  };
}

/** The checksum of what has `before`, and then `piece`. */
function joined(piece: Piece, before: number): number {
  if (piece.before !== before) {
    piece.joined = joinedChecksum(before, piece.checksum, piece.shift);
    piece.before = before;
  }
  return piece.joined;
}

function storedBlocks(bytes: Buffer): Buffer {
  const count = Math.ceil(bytes.length / STORED_BYTES_MAX);
  const out = Buffer.allocUnsafe(bytes.length + count * STORED_HEADER_BYTES + MARK.length);
  let end = 0;
  for (let from = 0; from < bytes.length; from += STORED_BYTES_MAX) {
    const length = Math.min(STORED_BYTES_MAX, bytes.length - from);
    out[end] = 0;
    out.writeUInt16LE(length, end + 1);
    out.writeUInt16LE(length ^ 0xffff, end + 3);
    end += STORED_HEADER_BYTES;
    end += bytes.copy(out, end, from, from + length);
  }
  MARK.copy(out, end);
  return out;
}

function shorterOf(bytes: Buffer, stored: Buffer): Buffer {
  if (bytes.length < DEFLATE_BYTES_MIN) return stored;
  const deflated = deflateRawSync(bytes, DEFLATE);
  return deflated.length < stored.length ? deflated : stored;
}
