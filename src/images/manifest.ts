import type { Descriptor } from "../wire/containerd/descriptor.ts";
import { ArchiveError } from "./archive-error.ts";

/** Media types. @spec opencontainers/image-spec media-types.md; docker image manifest v2, schema 2 */
export const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
/** The config blob of a docker manifest. */
export const DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";
/** An uncompressed layer of a docker manifest. */
export const DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar";
/** An OCI index. */
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json";

/** Which machine an image is for. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

/** An index's entry. */
export interface IndexEntry extends Descriptor {
  readonly annotations: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

/** Blobs that a manifest is made of. */
export interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** The part of an image's configuration that we rely on. */
export interface ImageConfig {
  readonly platform: Platform;
  readonly diffIds: readonly string[];
}

/** A whole image in one blob store. */
export interface StoredImage {
  readonly name: string;
  readonly target: Descriptor;
}

/** The platform of this process, in Go's words. */
export const HOST_PLATFORM: Platform = {
  os: "linux",
  architecture: { x64: "amd64", ia32: "386" }[process.arch as string] ?? process.arch,
};

/** True for an index (of manifests), by its media type. */
export function isIndex({ mediaType }: Descriptor): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_INDEX;
}

/** True for a manifest, by its media type. */
export function isManifest({ mediaType }: Descriptor): boolean {
  return mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST;
}

/** @throws {ArchiveError} not JSON. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw new ArchiveError(`${what} is no JSON`);
  }
}

/** @throws {ArchiveError} no index. */
export function parseIndex(bytes: Uint8Array, what: string): readonly IndexEntry[] {
  const { manifests } = record(parseJson(bytes, what), what);
  return array(manifests, `${what}: manifests`).map((entry, index) => {
    const where = `${what}: manifests[${index}]`;
    const { annotations, platform } = record(entry, where);
    return {
      ...descriptor(entry, where),
      annotations: texts(annotations),
      ...(platform === undefined ? {} : { platform: platformOf(record(platform, where)) }),
    };
  });
}

/** @throws {ArchiveError} no manifest. */
export function parseManifest(bytes: Uint8Array, what: string): Manifest {
  const { config, layers } = record(parseJson(bytes, what), what);
  return {
    config: descriptor(config, `${what}: config`),
    layers: array(layers, `${what}: layers`).map((layer, i) =>
      descriptor(layer, `${what}: layers[${i}]`),
    ),
  };
}

/** @throws {ArchiveError} no image configuration. */
export function parseConfig(bytes: Uint8Array, what: string): ImageConfig {
  const config = record(parseJson(bytes, what), what);
  const { diff_ids: diffIds } = record(config["rootfs"], `${what}: rootfs`);
  return {
    platform: platformOf(config),
    diffIds: array(diffIds, `${what}: rootfs.diff_ids`).map((id) => digest(id, what)),
  };
}

/** @throws {ArchiveError} */
export function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new ArchiveError(`${what} is missing or no JSON object`);
}

/** @throws {ArchiveError} */
export function array(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new ArchiveError(`${what} is missing or no list`);
}

/** @throws {ArchiveError} */
export function string(value: unknown, what: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new ArchiveError(`${what} is missing or no text`);
}

function descriptor(value: unknown, what: string): Descriptor {
  const { mediaType, digest: named, size } = record(value, what);
  if (!Number.isSafeInteger(size) || (size as number) < 0)
    throw new ArchiveError(`${what}: size is missing or no number of bytes`);
  return {
    mediaType: string(mediaType, `${what}: mediaType`),
    digest: digest(named, what),
    size: size as number,
  };
}

function digest(value: unknown, what: string): string {
  if (typeof value === "string" && /^sha256:[0-9a-f]{64}$/.test(value)) return value;
  throw new ArchiveError(`${what}: '${String(value)}' is no sha256 digest`);
}

function platformOf({ os, architecture }: Readonly<Record<string, unknown>>): Platform {
  return { os: String(os ?? "linux"), architecture: String(architecture ?? "") };
}

function texts(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries((value ?? {}) as object).filter(([, text]) => typeof text === "string"),
  ) as Record<string, string>;
}
