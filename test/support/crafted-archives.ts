import { gzipSync } from "node:zlib";
import { sha256 } from "../../src/images/blobs.ts";
import { tarArchive, type TarMember } from "../../src/images/tar-writer.ts";

/** The image that a test archive holds. */
export interface TestImage {
  readonly names: readonly string[];
  /** Uncompressed tar archives. */
  readonly layers: readonly Uint8Array[];
  /** The `config` part of the configuration. */
  readonly config?: object;
}

export interface DockerArchiveOptions {
  readonly isLayerGzipped?: boolean;
}

/** What `docker save` writes: manifest last, layers as `HASH/layer.tar`. */
export function dockerArchive(
  images: readonly TestImage[],
  { isLayerGzipped = false }: DockerArchiveOptions = {},
): Buffer {
  return tarArchive(dockerMembers(images, isLayerGzipped));
}

/** The members of {@link dockerArchive}, for archives that are wrong in some way. */
export function dockerMembers(
  images: readonly TestImage[],
  isLayerGzipped = false,
): readonly TarMember[] {
  const members = new Map<string, Uint8Array>();
  const manifest = images.map((image) => {
    const config = json(configOf(image));
    const configName = `${hex(config)}.json`;
    members.set(configName, config);
    const layers = image.layers.map((layer) => {
      const name = `${hex(layer)}/layer.tar`;
      members.set(name, isLayerGzipped ? gzipSync(layer) : layer);
      return name;
    });
    return { Config: configName, RepoTags: image.names, Layers: layers };
  });
  members.set("manifest.json", json(manifest));
  return [...members].map(([name, content]) => ({ name, content }));
}

/** An OCI layout as a tar archive. `indexDepth`: how many unnamed indexes lie between `index.json` and the images. */
export function ociArchive(images: readonly TestImage[], indexDepth = 0): Buffer {
  return tarArchive(ociMembers(images, indexDepth));
}

/** The members of {@link ociArchive}. */
export function ociMembers(images: readonly TestImage[], indexDepth = 0): readonly TarMember[] {
  const blobs = new Map<string, Uint8Array>();
  const add = (mediaType: string, bytes: Uint8Array): object => {
    blobs.set(`blobs/sha256/${hex(bytes)}`, bytes);
    return { mediaType, digest: sha256(bytes), size: bytes.length };
  };
  const manifests = images.flatMap((image) => {
    const config = json(configOf(image));
    const manifest = {
      schemaVersion: 2,
      config: add("application/vnd.oci.image.config.v1+json", config),
      layers: image.layers.map((layer) =>
        add("application/vnd.oci.image.layer.v1.tar+gzip", gzipSync(layer)),
      ),
    };
    const target = add("application/vnd.oci.image.manifest.v1+json", json(manifest));
    return image.names.map((name) => ({
      ...target,
      annotations: { "org.opencontainers.image.ref.name": name },
    }));
  });
  let entries: readonly object[] = manifests;
  for (let i = 0; i < indexDepth; i++)
    entries = [
      add(
        "application/vnd.oci.image.index.v1+json",
        json({ schemaVersion: 2, manifests: entries }),
      ),
    ];
  return [
    { name: "oci-layout", content: json({ imageLayoutVersion: "1.0.0" }) },
    ...[...blobs].map(([name, content]) => ({ name, content })),
    { name: "index.json", content: json({ schemaVersion: 2, manifests: entries }) },
  ];
}

/** A layer with these text files. */
export function layerOf(files: Readonly<Record<string, string>>): Buffer {
  return tarArchive(
    Object.entries(files).map(([name, text]) => ({ name, content: Buffer.from(text) })),
  );
}

function configOf({ layers, config = {} }: TestImage): object {
  return {
    os: "linux",
    architecture: "amd64",
    config,
    rootfs: { type: "layers", diff_ids: layers.map(sha256) },
  };
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function hex(bytes: Uint8Array): string {
  return sha256(bytes).slice("sha256:".length);
}
