import { ArchiveError } from "./archive-error.ts";
import { readDocument } from "./blobs.ts";
import { decompressed } from "./byte-reader.ts";
import { dockerImages } from "./docker-archive.ts";
import type { BlobFacts, ImageLayout } from "./layout.ts";
import { HOST_PLATFORM, type Platform, type StoredImage } from "./manifest.ts";
import { ociImages } from "./oci-archive.ts";
import { InvalidImageName } from "./reference.ts";
import { tarEntries } from "./tar-reader.ts";

/** The members of an archive, whose contents lie in the layout. */
export interface ArchiveFiles {
  /** Follows links. `undefined`: there is no such file. */
  find(name: string): BlobFacts | undefined;
}

/** Links in a row. Docker's archives have one. */
const LINKS_MAX = 8;

export interface ArchiveOptions {
  /** Name of the image when the archive gives none; full. */
  readonly name?: string;
  readonly platform?: Platform;
}

/**
 * Reads a docker or OCI archive, gzipped or not, into the layout, checks every digest, and returns the images with
 * their full names. They are not yet in the layout's index.
 *
 * Reads the stream once and holds one chunk: everything goes to the layout's blobs, and what no image needs is left
 * for `collectGarbage`.
 * @throws {ArchiveError} says what is wrong with it.
 */
export async function readArchive(
  layout: ImageLayout,
  source: AsyncIterable<Uint8Array>,
  { name, platform = HOST_PLATFORM }: ArchiveOptions = {},
): Promise<readonly StoredImage[]> {
  const files = await storeFiles(layout, source);
  const found = await imagesOf(layout, files, platform);
  const nameless = found.filter(({ names }) => names.length === 0);
  if (found.length === 0) throw new ArchiveError("it holds no image");
  if (nameless.length > (name === undefined ? 0 : 1))
    throw new ArchiveError(
      name === undefined
        ? "it holds an image without a name: give it one with --tag NAME"
        : "it holds several images without a name, and --tag can only name one",
    );
  return found.flatMap(({ names, target }) =>
    (names.length > 0 ? names : [name!]).map((full) => ({ name: full, target })),
  );
}

async function imagesOf(
  layout: ImageLayout,
  files: ArchiveFiles,
  platform: Platform,
): ReturnType<typeof ociImages> {
  const read = async (file: string): Promise<Buffer | undefined> => {
    const facts = files.find(file);
    return facts && readDocument(layout, facts.digest, file);
  };
  const index = await read("index.json");
  const manifest = await read("manifest.json");
  try {
    if (index && files.find("oci-layout")) {
      const images = await ociImages(layout, files, index, platform);
      if (!manifest || images.every(({ names }) => names.length > 0)) return images;
    }
    if (manifest) return await dockerImages(layout, files, manifest);
  } catch (error) {
    if (error instanceof InvalidImageName) throw new ArchiveError(error.message);
    throw error;
  }
  throw new ArchiveError(
    files.find("repositories")
      ? "it is of the form that docker wrote before 1.10 (no manifest.json): save the image anew"
      : "it is no image archive: expected manifest.json (docker save) or oci-layout and index.json (OCI)",
  );
}

async function storeFiles(
  layout: ImageLayout,
  source: AsyncIterable<Uint8Array>,
): Promise<ArchiveFiles> {
  const files = new Map<string, BlobFacts>();
  const links = new Map<string, string>();
  for await (const { kind, name, target, content } of tarEntries(decompressed(source))) {
    if (kind === "link") links.set(name, target);
    if (kind === "file") files.set(name, await layout.write(content));
  }
  return {
    find: (name) => {
      let at = name;
      for (let hops = 0; hops < LINKS_MAX && links.has(at); hops++) at = links.get(at)!;
      return files.get(at);
    },
  };
}
