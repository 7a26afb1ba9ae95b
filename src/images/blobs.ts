import { createHash } from "node:crypto";
import type { Descriptor } from "../wire/containerd/descriptor.ts";
import { ArchiveError } from "./archive-error.ts";

/** Where an image's parts are read from. */
export interface Blobs {
  /** Bytes of a blob; `undefined`: it is not here. */
  sizeOf(digest: string): Promise<number | undefined>;
  open(digest: string): AsyncIterable<Uint8Array>;
}

/** Largest manifest, index or configuration. Registries take 4 MB; these are held in memory. */
const DOCUMENT_BYTES_MAX = 8 * 1024 * 1024;

/** Reads a small blob whole. @throws {ArchiveError} it is missing, or far too big for what it should be. */
export async function readDocument(blobs: Blobs, digest: string, what: string): Promise<Buffer> {
  const size = await blobs.sizeOf(digest);
  if (size === undefined) throw new ArchiveError(`${what} (${digest}) is missing`);
  if (size > DOCUMENT_BYTES_MAX)
    throw new ArchiveError(`${what} has ${size} bytes: expected at most ${DOCUMENT_BYTES_MAX}`);
  const parts: Uint8Array[] = [];
  for await (const part of blobs.open(digest)) parts.push(part);
  return Buffer.concat(parts);
}

/** Blobs in memory, for small images made here. */
export class MemoryBlobs implements Blobs {
  readonly #blobs = new Map<string, Uint8Array>();

  /** Keeps the bytes and describes them. */
  add(mediaType: string, bytes: Uint8Array): Descriptor {
    const digest = sha256(bytes);
    this.#blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  async sizeOf(digest: string): Promise<number | undefined> {
    return this.#blobs.get(digest)?.length;
  }

  async *open(digest: string): AsyncGenerator<Uint8Array> {
    const bytes = this.#blobs.get(digest);
    if (bytes) yield bytes;
  }
}

/** `sha256:` and the hash in hex. */
export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
