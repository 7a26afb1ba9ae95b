import { createHash } from "node:crypto";

/** An answer whose bytes depend on nothing but the catalog: ready for HTTP, which adds 304 on an equal ETag. */
export interface Document {
  readonly contentType: string;
  readonly body: Buffer;
  /** With its quotes, as the header carries it. */
  readonly etag: string;
}

/** The document of these bytes. */
export function documentOf(contentType: string, content: Buffer | string): Document {
  const body = typeof content === "string" ? Buffer.from(content) : content;
  return { contentType, body, etag: `"${digestOf(body)}"` };
}

/** Upstream's form of a digest in ETags and OpenAPI hashes: SHA-512, hexadecimal, upper case. */
export function digestOf(content: Buffer | string): string {
  return createHash("sha512").update(content).digest("hex").toUpperCase();
}
