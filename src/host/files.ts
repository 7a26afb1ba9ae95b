import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

/** Modes of our files and folders: keys lie among them, so nobody but the owner reads any. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Writes a whole file durably: a crash leaves either the old content or the new. Makes missing folders. */
export function writeAtomically(path: string, content: string | Buffer, mode = FILE_MODE): void {
  mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE });
  const temporary = `${path}.${process.pid}.new`;
  const file = openSync(temporary, "w", mode);
  try {
    writeSync(file, content as string);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/** The file's text, or `undefined` when there is none. */
export function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** A folder that only its owner may enter; made with its parents where missing. */
export function makeFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
  return path;
}
