import { createCipheriv, createDecipheriv } from "node:crypto";
import { assert } from "../base/assert.ts";
import type { Random } from "../base/random.ts";

/** One AES-256 key. */
export interface SealKey {
  /** 1 to 255 bytes, never used for another key. */
  readonly id: string;
  readonly secret: Buffer;
}

/** Seals and opens values; the newest key seals, every key opens. */
export interface KeyRing {
  seal(path: string, plain: Buffer): Buffer;
  /** @throws {SealBroken} */
  open(path: string, sealed: Buffer): Buffer;
}

/** A sealed value cannot be opened. Not normal: a key is missing, or the bytes were changed or moved. */
export class SealBroken extends Error {
  override readonly name = "SealBroken";
}

/** Begins every sealed value: no JSON and no protobuf of Kubernetes ("k8s\0") begins so. The last byte is the format. */
const MAGIC = Buffer.from([0, 0x73, 0x65, 1]);
/** @spec NIST SP 800-38D: 96 bits, random; safe up to 2^32 values of one key */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SECRET_BYTES = 32;
/** Its length has one byte in the header. */
const ID_BYTES_MAX = 255;

/**
 * AES-256-GCM over `keys`, the newest first.
 *
 * The value's path is authenticated with it, so that a sealed value is worth nothing under another key of the store.
 * @shape magic, length of the key's id, the id, nonce, ciphertext, tag
 */
export function createKeyRing(keys: readonly SealKey[], random: Random): KeyRing {
  const newest = keys[0];
  assert(newest, "a key ring has at least one key");
  for (const { id, secret } of keys) {
    assert(
      secret.length === SECRET_BYTES,
      `key ${id} has ${secret.length} bytes, not ${SECRET_BYTES}`,
    );
    assert(id !== "" && Buffer.byteLength(id) <= ID_BYTES_MAX, "a key's id has 1 to 255 bytes");
  }
  const byId = new Map(keys.map((key) => [key.id, key]));
  const id = Buffer.from(newest.id);
  const header = Buffer.concat([MAGIC, Buffer.from([id.length]), id]);
  return {
    seal(path, plain) {
      const nonce = random.bytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", newest.secret, nonce);
      cipher.setAAD(associated(header, path));
      const body = cipher.update(plain);
      cipher.final();
      return Buffer.concat([header, nonce, body, cipher.getAuthTag()]);
    },
    open: (path, sealed) => openSealed(byId, path, sealed),
  };
}

function openSealed(keys: ReadonlyMap<string, SealKey>, path: string, sealed: Buffer): Buffer {
  const headerEnd = MAGIC.length + 1 + (sealed[MAGIC.length] ?? 0);
  const bodyStart = headerEnd + NONCE_BYTES;
  const bodyEnd = sealed.length - TAG_BYTES;
  if (!sealed.subarray(0, MAGIC.length).equals(MAGIC) || bodyEnd < bodyStart)
    throw new SealBroken(`the value of ${path} should be sealed and is not`);
  const id = sealed.toString("utf8", MAGIC.length + 1, headerEnd);
  const key = keys.get(id);
  if (!key) throw new SealBroken(`the value of ${path} is sealed with key ${id}, which is missing`);
  const decipher = createDecipheriv(
    "aes-256-gcm",
    key.secret,
    sealed.subarray(headerEnd, bodyStart),
  );
  decipher.setAAD(associated(sealed.subarray(0, headerEnd), path));
  decipher.setAuthTag(sealed.subarray(bodyEnd));
  try {
    const plain = decipher.update(sealed.subarray(bodyStart, bodyEnd));
    decipher.final();
    return plain;
  } catch (cause) {
    throw new SealBroken(`the sealed value of ${path} was changed or moved`, { cause });
  }
}

function associated(header: Buffer, path: string): Buffer {
  return Buffer.concat([header, Buffer.from(path)]);
}
