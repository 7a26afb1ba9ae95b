import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Descriptor } from "../wire/containerd/descriptor.ts";
import { ArchiveError } from "./archive-error.ts";
import { readDocument, type Blobs } from "./blobs.ts";
import {
  isIndex,
  isManifest,
  OCI_INDEX,
  parseIndex,
  parseManifest,
  type StoredImage,
} from "./manifest.ts";

/** Name of the layout's folder in a cluster's state folder. */
export const IMAGES_FOLDER = "images";

/** Annotation that carries an image's full name. @spec containerd images/annotations.go */
export const NAME_ANNOTATION = "io.containerd.image.name";

/** Bytes of one layout at most: an archive that inflates without end must not fill the disk unseen. */
const BLOB_BYTES_MAX = 64 * 1024 ** 3;

/**
 * The images that were loaded into a cluster, as an OCI image layout in a folder: what a node gets that is added later.
 *
 * Writers take turns (the caller holds a lock); readers need none: every change is one rename.
 * @spec opencontainers/image-spec image-layout.md
 */
export class ImageLayout implements Blobs {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get #blobFolder(): string {
    return join(this.#folder, "blobs", "sha256");
  }

  get #indexFile(): string {
    return join(this.#folder, "index.json");
  }

  /** Stores a stream under the hash of what it holds. @throws {ArchiveError} it does not end. */
  async write(content: AsyncIterable<Uint8Array>): Promise<BlobFacts> {
    await mkdir(this.#blobFolder, { recursive: true, mode: 0o700 });
    const temporary = join(this.#blobFolder, `${TEMPORARY}${process.pid}-${++temporaries}`);
    const hash = createHash("sha256");
    const file = await open(temporary, "wx", 0o600);
    let size = 0;
    let head = Buffer.alloc(0);
    try {
      for await (const chunk of content) {
        if (head.length < 4) head = Buffer.concat([head, chunk.subarray(0, 4)]);
        hash.update(chunk);
        await file.write(chunk);
        size += chunk.length;
        if (size > BLOB_BYTES_MAX) throw new ArchiveError(`it inflates to over ${size} bytes`);
      }
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    const digest = `sha256:${hash.digest("hex")}`;
    await rename(temporary, this.#path(digest));
    return { digest, size, head };
  }

  async sizeOf(digest: string): Promise<number | undefined> {
    try {
      return (await stat(this.#path(digest))).size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  open(digest: string): AsyncIterable<Uint8Array> {
    return createReadStream(this.#path(digest), { highWaterMark: 1024 * 1024 });
  }

  /** All images by name; empty when nothing was ever loaded. @throws {Error} the folder is damaged. */
  async images(): Promise<readonly StoredImage[]> {
    let bytes: Buffer;
    try {
      bytes = await readFile(this.#indexFile);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
    return parseIndex(bytes, this.#indexFile).map(
      ({ annotations, mediaType, digest, size }): StoredImage => ({
        name: annotations[NAME_ANNOTATION] ?? "",
        target: { mediaType, digest, size },
      }),
    );
  }

  /** Adds images; one of the same name is replaced. */
  async put(added: readonly StoredImage[]): Promise<void> {
    const names = new Set(added.map(({ name }) => name));
    const kept = (await this.images()).filter(({ name }) => !names.has(name));
    await this.#writeIndex([...kept, ...added]);
  }

  /** Takes names away; those that are not there are no error. */
  async remove(names: ReadonlySet<string>): Promise<void> {
    const images = await this.images();
    const kept = images.filter(({ name }) => !names.has(name));
    if (kept.length < images.length) await this.#writeIndex(kept);
    await this.collectGarbage();
  }

  /** Removes every blob that no image needs, and what a crash left half-written. */
  async collectGarbage(): Promise<void> {
    const needed = new Set<string>();
    for (const { name, target } of await this.images()) await this.#mark(target, name, needed);
    const present = await readdir(this.#blobFolder).catch(() => []);
    for (const file of present)
      if (!needed.has(`sha256:${file}`)) await rm(join(this.#blobFolder, file), { force: true });
  }

  async #mark(blob: Descriptor, what: string, needed: Set<string>): Promise<void> {
    if (needed.has(blob.digest) || (await this.sizeOf(blob.digest)) === undefined) return;
    needed.add(blob.digest);
    for (const child of await childrenOf(this, blob, what)) await this.#mark(child, what, needed);
  }

  async #writeIndex(images: readonly StoredImage[]): Promise<void> {
    const manifests = images.map(({ name, target }) => ({
      ...target,
      annotations: { [NAME_ANNOTATION]: name },
    }));
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await replaceFile(join(this.#folder, "oci-layout"), { imageLayoutVersion: "1.0.0" });
    await replaceFile(this.#indexFile, { schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  }

  #path(digest: string): string {
    return join(this.#blobFolder, digest.slice("sha256:".length));
  }
}

/** What was written. `head`: its first bytes, which show compression. */
export interface BlobFacts {
  readonly digest: string;
  readonly size: number;
  readonly head: Uint8Array;
}

/** The blobs that an index or manifest names; none for other blobs. @throws {ArchiveError} it is damaged. */
export async function childrenOf(
  blobs: Blobs,
  blob: Descriptor,
  what: string,
): Promise<readonly Descriptor[]> {
  if (isIndex(blob)) return parseIndex(await readDocument(blobs, blob.digest, what), what);
  if (!isManifest(blob)) return [];
  const { config, layers } = parseManifest(await readDocument(blobs, blob.digest, what), what);
  return [config, ...layers];
}

/** Begins the names of files that are being written. */
const TEMPORARY = "new-";
let temporaries = 0;

async function replaceFile(path: string, content: object): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.write(JSON.stringify(content));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
