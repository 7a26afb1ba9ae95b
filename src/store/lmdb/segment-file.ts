import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  read,
  write,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import type { LogSegment } from "../backend.ts";
import { StoreFull } from "../store.ts";
import { DiskTrust } from "./disk-trust.ts";

const FULL_CODES: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * One file of the write-ahead log; made if missing, for its owner alone. Its name is not made durable here.
 *
 * Why O_DSYNC: one call writes and flushes. Over blocks that the file has already, the file system
 * has nothing else to write.
 */
export class SegmentFile implements LogSegment {
  readonly name: string;
  bytes: number;
  readonly #handle: number;
  readonly #trust: DiskTrust;

  /** `trust`: one for all files of a disk. */
  constructor(name: string, trust = new DiskTrust()) {
    this.name = name;
    this.#trust = trust;
    const { O_RDWR, O_CREAT, O_DSYNC } = constants;
    this.#handle = openSync(name, O_RDWR | O_CREAT | O_DSYNC, 0o600);
    fchmodSync(this.#handle, 0o600);
    this.bytes = fstatSync(this.#handle).size;
  }

  async read(): Promise<Buffer> {
    const target = Buffer.alloc(this.bytes);
    const { bytesRead } = await promisify(read)(this.#handle, target, 0, this.bytes, 0);
    return target.subarray(0, bytesRead);
  }

  async write(at: number, bytes: Buffer, mayHold = false): Promise<void> {
    const isHere = mayHold && this.#trust.isQuick;
    try {
      const written = isHere
        ? this.#trust.time(() => writeSync(this.#handle, bytes, 0, bytes.length, at))
        : await this.#writeThere(at, bytes);
      // A disk that ends in the middle of a write takes a part of it.
      if (written < bytes.length) throw full(this.name);
    } catch (error) {
      throw asStoreError(error as NodeJS.ErrnoException, this.name);
    }
    this.bytes = Math.max(this.bytes, at + bytes.length);
  }

  #writeThere(at: number, bytes: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#handle, bytes, 0, bytes.length, at, (error, written) =>
        error ? reject(error) : resolve(written),
      );
    });
  }

  async close(): Promise<void> {
    closeSync(this.#handle);
  }
}

function asStoreError(error: NodeJS.ErrnoException, name: string): Error {
  return FULL_CODES.has(error.code) ? full(name, error) : error;
}

function full(name: string, cause?: Error): StoreFull {
  return new StoreFull(`no space left for the store: ${name}`, { cause });
}
