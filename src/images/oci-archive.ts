import type { Descriptor } from "../wire/containerd/descriptor.ts";
import type { ArchiveFiles } from "./archive.ts";
import { ArchiveError } from "./archive-error.ts";
import { readDocument, type Blobs } from "./blobs.ts";
import { childrenOf, NAME_ANNOTATION } from "./layout.ts";
import {
  isIndex,
  isManifest,
  parseConfig,
  parseIndex,
  parseManifest,
  type IndexEntry,
  type Platform,
} from "./manifest.ts";
import { normalizeName } from "./reference.ts";

/** An image of an archive. */
export interface FoundImage {
  /** Full names; empty when the archive gives none. */
  readonly names: readonly string[];
  readonly target: Descriptor;
}

/** @spec opencontainers/image-spec annotations.md: a name, or only a tag, as the writer likes. */
const REF_NAME_ANNOTATION = "org.opencontainers.image.ref.name";

/** Indexes in indexes. Builders make two levels; more is a loop or junk. */
const DEPTH_MAX = 4;

/**
 * The images of an OCI layout in an archive, each whole for this platform; several names of one target are joined.
 *
 * @throws {ArchiveError} {InvalidImageName} a blob is missing or damaged, a name is none, nothing fits the platform.
 */
export async function ociImages(
  blobs: Blobs,
  files: ArchiveFiles,
  indexFile: Uint8Array,
  platform: Platform,
): Promise<readonly FoundImage[]> {
  const checked = new CheckedBlobs(blobs, files);
  const named = await entriesOf(checked, parseIndex(indexFile, "index.json"), 0);
  const images = new Map<string, { target: Descriptor; names: Set<string> }>();
  for (const { mediaType, digest, size, annotations } of named) {
    const target = { mediaType, digest, size };
    if (!(await checkWhole(checked, target, platform)))
      throw new ArchiveError(
        `it holds no image for ${platform.os}/${platform.architecture} under ${digest}`,
      );
    const image = images.get(digest) ?? { target, names: new Set<string>() };
    const name = nameIn(annotations);
    if (name !== undefined) image.names.add(normalizeName(name));
    images.set(digest, image);
  }
  return [...images.values()].map(({ target, names }) => ({ target, names: [...names] }));
}

/** Blobs as the archive names them: what lies under a digest must be what the digest says. */
class CheckedBlobs implements Blobs {
  readonly #blobs: Blobs;
  readonly #files: ArchiveFiles;

  constructor(blobs: Blobs, files: ArchiveFiles) {
    this.#blobs = blobs;
    this.#files = files;
  }

  /** @throws {ArchiveError} another content lies there. */
  async sizeOf(digest: string): Promise<number | undefined> {
    const file = this.#files.find(`blobs/sha256/${digest.slice("sha256:".length)}`);
    if (file && file.digest !== digest)
      throw new ArchiveError(`blob ${digest} is damaged: its content is ${file.digest}`);
    return file?.size;
  }

  open(digest: string): AsyncIterable<Uint8Array> {
    return this.#blobs.open(digest);
  }
}

/** The entries to load. An index without a name is only a list: its own entries stand for it, if one has a name. */
async function entriesOf(
  blobs: Blobs,
  entries: readonly IndexEntry[],
  depth: number,
): Promise<readonly IndexEntry[]> {
  if (depth > DEPTH_MAX) throw new ArchiveError(`its indexes are nested over ${DEPTH_MAX} deep`);
  const found: IndexEntry[] = [];
  for (const entry of entries) {
    if (isIndex(entry) && nameIn(entry.annotations) === undefined) {
      const document = await readDocument(blobs, entry.digest, "an index");
      const inner = await entriesOf(blobs, parseIndex(document, entry.digest), depth + 1);
      const hasNames = inner.some(({ annotations }) => nameIn(annotations) !== undefined);
      found.push(...(hasNames ? inner : [entry]));
    } else if (isIndex(entry) || isManifest(entry)) found.push(entry);
  }
  return found;
}

function nameIn(annotations: Readonly<Record<string, string>>): string | undefined {
  const full = annotations[NAME_ANNOTATION];
  if (full) return full;
  const ref = annotations[REF_NAME_ANNOTATION];
  return ref && /[/:]/.test(ref) ? ref : undefined;
}

/**
 * True when an image for the platform is under `blob`; every part of it is then known to be there and sound.
 *
 * Other platforms of an index may be missing: builders save only what they have.
 */
async function checkWhole(
  blobs: Blobs,
  blob: Descriptor,
  platform: Platform,
  depth = 0,
): Promise<boolean> {
  if (depth > DEPTH_MAX) throw new ArchiveError(`its indexes are nested over ${DEPTH_MAX} deep`);
  if (!isIndex(blob)) return isManifest(blob) && isWholeManifest(blobs, blob, platform);
  const children = parseIndex(await readDocument(blobs, blob.digest, "an index"), blob.digest);
  let isFound = false;
  for (const child of children) {
    const isOther = child.platform && !isSame(child.platform, platform);
    if (isOther && (await blobs.sizeOf(child.digest)) === undefined) continue;
    if (!isOther && (await checkWhole(blobs, child, platform, depth + 1))) isFound = true;
  }
  return isFound;
}

async function isWholeManifest(
  blobs: Blobs,
  blob: Descriptor,
  platform: Platform,
): Promise<boolean> {
  const manifest = parseManifest(
    await readDocument(blobs, blob.digest, "a manifest"),
    `manifest ${blob.digest}`,
  );
  const config = await readDocument(blobs, manifest.config.digest, "an image configuration");
  const parsed = parseConfig(config, `configuration ${manifest.config.digest}`);
  if (!isSame(parsed.platform, platform)) return false;
  for (const part of await childrenOf(blobs, blob, blob.digest)) {
    const size = await blobs.sizeOf(part.digest);
    if (size === undefined) throw new ArchiveError(`blob ${part.digest} is missing`);
    if (size !== part.size)
      throw new ArchiveError(
        `blob ${part.digest} has ${size} bytes, its manifest says ${part.size}`,
      );
  }
  if (parsed.diffIds.length !== manifest.layers.length)
    throw new ArchiveError(
      `manifest ${blob.digest} has ${manifest.layers.length} layers, its configuration ${parsed.diffIds.length}`,
    );
  return true;
}

function isSame(one: Platform, other: Platform): boolean {
  return one.os === other.os && one.architecture === other.architecture;
}
