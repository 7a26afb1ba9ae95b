import type { LogOptions } from "./log-options.ts";

/** One line of a log in CRI's format: `TIME STREAM TAG CONTENT`. Tag `P`: the line goes on in the next one. */
export interface LogLine {
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  readonly isPartial: boolean;
  readonly content: Buffer;
}

const BLANK = 0x20;
const LINE_BREAK = Buffer.from("\n");

/** Takes a line (without its break) apart; `undefined` for what is none. @spec kubelet/kuberuntime/logs parseCRILog */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(BLANK);
  const second = line.indexOf(BLANK, first + 1);
  const third = line.indexOf(BLANK, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const stream = line.toString("latin1", first + 1, second);
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  const tag = line.toString("latin1", second + 1, third);
  return {
    time: line.toString("latin1", 0, first),
    stream,
    isPartial: tag.split(":").includes("P"),
    content: line.subarray(third + 1),
  };
}

/** Turns lines into what the reader asked for. Its state: whether the last line goes on, and how much was given. */
export class LogFormatter {
  readonly #options: LogOptions;
  #isInside = false;
  #bytes = 0;

  constructor(options: LogOptions) {
    this.#options = options;
  }

  /** True when the reader has all it asked for. */
  get isFull(): boolean {
    return this.#bytes >= (this.#options.bytesMax ?? Infinity);
  }

  /** What a line gives; empty when it is not wanted. */
  format(line: LogLine): Buffer {
    const { since, stream, hasTimestamps, bytesMax = Infinity } = this.#options;
    const isWanted =
      (stream === "all" || stream === line.stream) &&
      (since === undefined || Date.parse(line.time) >= since);
    if (!isWanted || this.isFull) return Buffer.alloc(0);
    const stamp = hasTimestamps && !this.#isInside ? `${line.time} ` : "";
    this.#isInside = line.isPartial;
    const parts = [Buffer.from(stamp), line.content];
    if (!line.isPartial) parts.push(LINE_BREAK);
    const bytes = Buffer.concat(parts).subarray(0, bytesMax - this.#bytes);
    this.#bytes += bytes.length;
    return bytes;
  }
}
