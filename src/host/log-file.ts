import {
  closeSync,
  copyFileSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** A log is rotated beyond this many bytes: two of them fit a glance and a small disk. */
const LOG_BYTES_MAX = 10 * 1024 * 1024;
const NO_SPACE: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * Appends lines to a log file that rotates: `x.log`, before it `x.log.1`.
 *
 * A line that finds no space is dropped, because a full disk must not end the process; the next one says how many.
 */
export class LogFile {
  readonly #path: string;
  readonly #bytesMax: number;
  #file: number;
  #bytes: number;
  #dropped = 0;

  /** `bytesMax`: size beyond which it is rotated. */
  constructor(path: string, bytesMax = LOG_BYTES_MAX) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#path = path;
    this.#bytesMax = bytesMax;
    this.#file = openSync(path, "a", 0o600);
    this.#bytes = fstatSync(this.#file).size;
  }

  /** Adds a line break. */
  write(line: string): void {
    const lost = this.#dropped === 0 ? "" : `(${this.#dropped} lines found no space)\n`;
    try {
      this.#bytes += writeSync(this.#file, `${lost}${line}\n`);
      this.#dropped = 0;
      if (this.#bytes > this.#bytesMax) this.#rotate();
    } catch (error) {
      if (!NO_SPACE.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
      this.#dropped++;
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  /** The new file first: without space for it the old one goes on. */
  #rotate(): void {
    const fresh = openSync(`${this.#path}.new`, "w", 0o600);
    closeSync(this.#file);
    renameSync(this.#path, `${this.#path}.1`);
    renameSync(`${this.#path}.new`, this.#path);
    this.#file = fresh;
    this.#bytes = 0;
  }
}

/**
 * Rotates a log that another program holds open for appending: it is copied and emptied. Lines of that moment may be lost.
 *
 * `bytesMax` is exceeded first, as for a {@link LogFile}.
 */
export function rotateOpenLog(path: string, bytesMax = LOG_BYTES_MAX): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) <= bytesMax) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
}

/** Names of the logs in a folder, without `.log`; sorted. */
export function logNames(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".log"))
    .map((name) => name.slice(0, -".log".length))
    .sort();
}

/** The last `count` lines of a log. */
export function lastLines(folder: string, name: string, count: number): readonly string[] {
  const lines = readFileSync(join(folder, `${name}.log`), "utf8").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.slice(-count);
}
