import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

/** The bytes of a file, or of standard input for `-`. @throws {Error} there is no such file, or it is none. */
export async function archiveSource(path: string): Promise<AsyncIterable<Uint8Array>> {
  if (path === "-") {
    if (process.stdin.isTTY)
      throw new Error("standard input is a terminal: pipe an archive into it");
    return process.stdin;
  }
  let isFile: boolean;
  try {
    const facts = await stat(path);
    isFile = !facts.isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new Error(`there is no file ${path}`);
  }
  if (!isFile) throw new Error(`${path} is a folder: expected an archive ('docker save', OCI)`);
  return createReadStream(path, { highWaterMark: 1024 * 1024 });
}
