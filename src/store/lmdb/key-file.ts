import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import type { Random } from "../../base/random.ts";
import type { SealKey } from "../key-ring.ts";
import { makeFolder, syncNames } from "./durable-folder.ts";
import { StoreUnreadable } from "./store-unreadable.ts";

/** Bits that let others than the owner in. */
const OTHERS = 0o077;
const SECRET_BYTES = 32;

/**
 * The keys of `file`, the newest first; makes the file with one key if it is missing.
 *
 * @shape `{"keys":[{"id":"…","secret":"BASE64"}]}`, mode 0600
 * @throws {StoreUnreadable} not of this shape, or open to others than its owner.
 */
export function readKeyFile(file: string, random: Random): readonly SealKey[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return writeKeyFile(file, [newKey([], random)]);
  }
  const { mode } = statSync(file);
  if ((mode & OTHERS) !== 0)
    throw new StoreUnreadable(
      file,
      `others may read its keys (mode ${(mode & 0o777).toString(8)}); chmod 600 it`,
    );
  return parseKeys(file, text);
}

/** Adds a key to `file`, which seals from the next start on; the older ones still open. @returns all, the newest first. */
export function addKey(file: string, random: Random): readonly SealKey[] {
  const keys = readKeyFile(file, random);
  return writeKeyFile(file, [newKey(keys, random), ...keys]);
}

function newKey(existing: readonly SealKey[], random: Random): SealKey {
  const numbers = existing.map((key) => Number(/^key(\d+)$/.exec(key.id)?.[1] ?? 0));
  return {
    id: `key${Math.max(0, ...numbers) + 1}`,
    secret: Buffer.from(random.bytes(SECRET_BYTES)),
  };
}

/** Whole or not at all: a lost key file is lost Secrets. */
function writeKeyFile(file: string, keys: readonly SealKey[]): readonly SealKey[] {
  const folder = dirname(file);
  makeFolder(folder);
  const fresh = `${folder}/.${basename(file)}.new`;
  const list = keys.map(({ id, secret }) => ({ id, secret: secret.toString("base64") }));
  const handle = openSync(fresh, "w", 0o600);
  writeSync(handle, `${JSON.stringify({ keys: list }, undefined, 2)}\n`);
  fsyncSync(handle);
  closeSync(handle);
  renameSync(fresh, file);
  syncNames(folder);
  return keys;
}

function parseKeys(file: string, text: string): readonly SealKey[] {
  let keys: unknown;
  try {
    ({ keys } = JSON.parse(text) as { keys?: unknown });
  } catch (error) {
    throw new StoreUnreadable(file, String(error), error);
  }
  if (!Array.isArray(keys) || keys.length === 0)
    throw new StoreUnreadable(file, 'it has no list "keys"');
  return keys.map((entry: { id?: unknown; secret?: unknown } | null) => {
    const secret = Buffer.from(String(entry?.secret ?? ""), "base64");
    if (typeof entry?.id !== "string" || entry.id === "" || secret.length !== SECRET_BYTES)
      throw new StoreUnreadable(file, `a key has no id, or no secret of ${SECRET_BYTES} bytes`);
    return { id: entry.id, secret };
  });
}
