import * as fs from "node:fs/promises";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { COMPRESSED, UNFINISHED } from "../plan/log-rotation.ts";
import { openLog } from "./open-log.ts";

/** One open file of a log. */
export interface LogPart {
  /** Fills `chunk` from there on. Resolves with the number of bytes; 0: no more yet. */
  read(chunk: Buffer, position: number): Promise<number>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/**
 * The files of one log in the order in which they were written.
 *
 * A file is known by when it ended (its name after the rotation), which only its successors know: so what is remembered
 * is which predecessors there were when it was opened.
 */
export class LogParts {
  readonly #path: string;
  /** Newest file that was written before the open one; "" for none. */
  #before = "";

  constructor(path: string) {
    this.#path = path;
  }

  /** What is written now. @throws {Error} ENOENT. */
  async first(): Promise<LogPart> {
    for (;;) {
      const handle = await openLog(this.#path);
      const older = await this.#rotated();
      if (await this.#isCurrent(handle)) {
        this.#before = older.at(-1) ?? "";
        return opened(handle);
      }
      await handle.close();
    }
  }

  /** The file after the open one; `undefined`: that one is still written, or its successor is not there yet. */
  async next(): Promise<LogPart | undefined> {
    for (;;) {
      const [own, following] = await this.#later();
      if (own === undefined) return undefined;
      const part = await open(following ?? this.#path);
      const [, now] = await this.#later();
      const isThatOne = following === now;
      if (part && isThatOne) {
        this.#before = own;
        return part;
      }
      await part?.close();
      if (isThatOne) return undefined;
    }
  }

  /** The open file's own name since it was rotated, and that of its successor where that was, too. */
  async #later(): Promise<readonly string[]> {
    return (await this.#rotated()).filter((stem) => stem > this.#before);
  }

  /** Paths of predecessors without the ending that tells whether they are compressed, oldest first. None, once the Pod's folder is gone. */
  async #rotated(): Promise<readonly string[]> {
    const folder = dirname(this.#path);
    const prefix = `${basename(this.#path)}.`;
    const names = (await fs.readdir(folder).catch(absent)) ?? [];
    const stems = names
      .filter((name) => name.startsWith(prefix) && !name.endsWith(UNFINISHED))
      .map((name) => `${folder}/${name.endsWith(COMPRESSED) ? name.slice(0, -3) : name}`);
    return [...new Set(stems)].sort();
  }

  async #isCurrent(handle: fs.FileHandle): Promise<boolean> {
    const [own, named] = await Promise.all([
      handle.stat(),
      fs.stat(this.#path).catch(() => undefined),
    ]);
    return own.ino === named?.ino;
  }
}

function opened(handle: fs.FileHandle): LogPart {
  return {
    read: async (chunk, position) =>
      (await handle.read(chunk, 0, chunk.length, position)).bytesRead,
    size: async () => (await handle.stat()).size,
    close: () => handle.close(),
  };
}

async function open(path: string): Promise<LogPart | undefined> {
  const handle = await openLog(path).catch(absent);
  if (handle) return opened(handle);
  const packed = await openLog(path + COMPRESSED).catch(absent);
  if (!packed) return undefined;
  const bytes = await packed.readFile().finally(() => packed.close());
  return unpacked(await promisify(gunzip)(bytes));
}

function unpacked(bytes: Buffer): LogPart {
  return {
    read: async (chunk, position) => bytes.copy(chunk, 0, position),
    size: async () => bytes.length,
    close: async () => {},
  };
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
  return undefined;
}
