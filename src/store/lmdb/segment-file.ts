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
import { performance } from "node:perf_hooks";
import { promisify } from "node:util";
import type { LogSegment } from "../backend.ts";
import { StoreFull } from "../store.ts";

const FULL_CODES: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * A disk whose writes take longer than this, in ms, is slow: in the mean of the last ones, since a moment's delay is nobody's fault. A
 * write takes some 0.1 ms, and another thread would add half of that. Doubling doubles how long a slow disk holds requests.
 */
const QUICK_MS_MAX = 0.5;
/** How many writes count in the mean, more or less. With twice as many, a disk that becomes slow holds twice as many requests. */
const MEAN_WRITES = 16;
/** So long after a disk was found slow none is written in this thread, in ms: it holds requests for some 15 ms in that time. */
const WARY_MS = 1000;

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
  readonly #nowMs: () => number;
  /** How long a write in this thread takes. */
  #meanMs = 0;
  /** Until then the disk counts as slow. */
  #waryUntilMs = 0;

  /** `nowMs`: of a clock that only goes forward. */
  constructor(name: string, nowMs: () => number = () => performance.now()) {
    this.name = name;
    this.#nowMs = nowMs;
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
    const isHere = mayHold && this.#nowMs() >= this.#waryUntilMs;
    try {
      const written = isHere ? this.#writeHere(at, bytes) : await this.#writeThere(at, bytes);
      // A disk that ends in the middle of a write takes a part of it.
      if (written < bytes.length) throw full(this.name);
    } catch (error) {
      throw asStoreError(error as NodeJS.ErrnoException, this.name);
    }
    this.bytes = Math.max(this.bytes, at + bytes.length);
  }

  #writeHere(at: number, bytes: Buffer): number {
    const beginMs = this.#nowMs();
    const written = writeSync(this.#handle, bytes, 0, bytes.length, at);
    const endMs = this.#nowMs();
    this.#meanMs += (endMs - beginMs - this.#meanMs) / MEAN_WRITES;
    if (this.#meanMs > QUICK_MS_MAX) {
      this.#meanMs = 0;
      this.#waryUntilMs = endMs + WARY_MS;
    }
    return written;
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
