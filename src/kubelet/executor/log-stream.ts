import { watch } from "node:fs";
import { dirname } from "node:path";
import { LogFormatter, parseLogLine } from "../server/log-line.ts";
import type { LogOptions } from "../server/log-options.ts";
import { LogParts, type LogPart } from "./log-parts.ts";

/** Bytes read at once. Doubled, a reader of many logs holds twice as much. */
const CHUNK_BYTES = 64 * 1024;

const LINE_BREAK = 0x0a;

/** A file of a log, and how far it was read. */
interface Reading {
  readonly part: LogPart;
  offset: number;
}

/**
 * The log of one container, as it was asked for; with `isFollowing`, on until the container is dead and all is read.
 *
 * A log that is rotated while it is followed is read to its end, then its successors one after the other: however slowly
 * it is taken, no line is missing as long as the rotation keeps the file. The runtime writes to the old file for a moment after the new
 * one is there. So the new one is read when it has its first line, and the old one is looked into until the next rotation.
 * @param isAlive whether more can come.
 * @throws {Error} there is no log.
 */
export async function* readLog(
  path: string,
  options: LogOptions,
  isAlive: () => boolean,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const formatter = new LogFormatter(options);
  const parts = new LogParts(path);
  const first = await parts.first();
  let own: Reading = { part: first, offset: 0 };
  let old: Reading | undefined;
  let next: LogPart | undefined;
  const changes = options.isFollowing ? new FolderChanges(dirname(path), signal) : undefined;
  try {
    own.offset = await tailOffset(first, options.tailLines);
    for (;;) {
      const wasAlive = isAlive();
      const isNextBegun = next && (!wasAlive || (await next.size()) > 0);
      for (const reading of old ? [old, own] : [own]) {
        yield* linesOf(reading, formatter, signal);
        if (formatter.isFull || signal.aborted) return;
      }
      if (next && isNextBegun) {
        await old?.part.close();
        [old, own, next] = [own, { part: next, offset: 0 }, undefined];
        continue;
      }
      if (!next && changes) {
        next = await parts.next();
        if (next) continue;
      }
      if (!changes || (!wasAlive && !next) || signal.aborted) return;
      await changes.next();
    }
  } finally {
    changes?.close();
    for (const part of [old?.part, own.part, next]) await part?.close();
  }
}

/** What a file has more than was read. */
async function* linesOf(
  reading: Reading,
  formatter: LogFormatter,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const lines = linesFrom(reading.part, reading.offset);
  for (let read = await lines.next(); !read.done; read = await lines.next()) {
    reading.offset = read.value.end;
    const line = parseLogLine(read.value.line);
    const bytes = line ? formatter.format(line) : undefined;
    if (bytes?.length) yield bytes;
    if (formatter.isFull || signal.aborted) return;
  }
}

/** Tells that something in a folder has changed; also every second, for what the folder does not show. */
class FolderChanges {
  #wake: (() => void) | undefined;
  #isPending = false;
  readonly #watcher;
  readonly #timer;

  constructor(folder: string, signal: AbortSignal) {
    const changed = (): void => {
      this.#isPending = true;
      this.#wake?.();
    };
    this.#watcher = watch(folder, changed);
    this.#watcher.on("error", changed);
    this.#timer = setInterval(changed, 1000);
    signal.addEventListener("abort", changed, { once: true });
  }

  async next(): Promise<void> {
    if (!this.#isPending) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#isPending = false;
    this.#wake = undefined;
  }

  close(): void {
    this.#watcher.close();
    clearInterval(this.#timer);
  }
}

interface ReadLine {
  readonly line: Buffer;
  /** Where the next line begins. */
  readonly end: number;
}

/** Whole lines from an offset to the end of the file; a line without its break is not there yet. */
async function* linesFrom(part: LogPart, from: number): AsyncGenerator<ReadLine> {
  let rest: Buffer = Buffer.alloc(0);
  let position = from;
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const bytesRead = await part.read(chunk, position + rest.length);
    if (bytesRead === 0) return;
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    let start = 0;
    for (let at = rest.indexOf(LINE_BREAK); at >= 0; at = rest.indexOf(LINE_BREAK, start)) {
      yield { line: rest.subarray(start, at), end: position + at + 1 };
      start = at + 1;
    }
    rest = rest.subarray(start);
    position += start;
  }
}

/** Where the last `count` lines begin, searched from the end. */
async function tailOffset(part: LogPart, count: number | undefined): Promise<number> {
  if (count === undefined) return 0;
  const size = await part.size();
  if (count === 0) return size;
  let breaks = 0;
  for (let end = size; end > 0; end -= CHUNK_BYTES) {
    const from = Math.max(0, end - CHUNK_BYTES);
    const chunk = Buffer.alloc(end - from);
    await part.read(chunk, from);
    for (let at = chunk.length - 1; at >= 0; at--)
      if (chunk[at] === LINE_BREAK && from + at + 1 < size && ++breaks === count)
        return from + at + 1;
  }
  return 0;
}
