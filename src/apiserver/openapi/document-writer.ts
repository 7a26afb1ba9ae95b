import { createHash } from "node:crypto";
import type { Document } from "../discovery/document.ts";

/** A document that is put together piece by piece, digest and all: no step of it is longer than its longest piece. */
export class DocumentWriter {
  readonly #pieces: Buffer[] = [];
  readonly #hash = createHash("sha512");

  write(piece: Buffer | string): void {
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    this.#hash.update(bytes);
    this.#pieces.push(bytes);
  }

  /** Writes `members` as a JSON object, each as `shown` makes it, one a step. */
  *writeMembers<T>(
    members: Readonly<Record<string, T>>,
    shown: (member: T, name: string) => unknown = (member) => member,
  ): Generator<void, void> {
    let separator = "{";
    for (const [name, member] of Object.entries(members)) {
      this.write(`${separator}${JSON.stringify(name)}:${JSON.stringify(shown(member, name))}`);
      separator = ",";
      yield;
    }
    this.write(separator === "{" ? "{}" : "}");
  }

  /** What was written, as a document; the writer is spent. */
  end(contentType: string): Document {
    const etag = `"${this.#hash.digest("hex").toUpperCase()}"`;
    return { contentType, body: Buffer.concat(this.#pieces), etag };
  }
}
