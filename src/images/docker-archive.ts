import type { Descriptor } from "../wire/containerd/descriptor.ts";
import type { ArchiveFiles } from "./archive.ts";
import { ArchiveError } from "./archive-error.ts";
import { readDocument } from "./blobs.ts";
import { compressionOf, gunzipped } from "./byte-reader.ts";
import type { ImageLayout } from "./layout.ts";
import {
  array,
  DOCKER_CONFIG,
  DOCKER_LAYER,
  DOCKER_MANIFEST,
  parseConfig,
  parseJson,
  record,
  string,
} from "./manifest.ts";
import type { FoundImage } from "./oci-archive.ts";
import { normalizeName } from "./reference.ts";

/**
 * The images of `docker save`. Such an archive has no manifest of the kind that registries and containerd use, so one
 * is made: its layers are the uncompressed ones, whose digests the image's configuration names.
 *
 * @throws {ArchiveError} {InvalidImageName} a damaged archive, a name that is none.
 * @spec github.com/moby/docker-image-spec spec.md, "Combined Image JSON + Filesystem Changeset Format"
 */
export async function dockerImages(
  layout: ImageLayout,
  files: ArchiveFiles,
  manifestFile: Uint8Array,
): Promise<readonly FoundImage[]> {
  const entries = array(parseJson(manifestFile, "manifest.json"), "manifest.json");
  const images: FoundImage[] = [];
  for (const [index, entry] of entries.entries()) {
    const where = `manifest.json[${index}]`;
    const { Config: config, RepoTags: tags, Layers: layers } = record(entry, where);
    images.push({
      names: array(tags ?? [], `${where}.RepoTags`).map((tag) =>
        normalizeName(string(tag, `${where}.RepoTags`)),
      ),
      target: await convert(
        layout,
        files,
        string(config, `${where}.Config`),
        array(layers ?? [], `${where}.Layers`).map((name) => string(name, `${where}.Layers`)),
      ),
    });
  }
  return images;
}

/** Writes the manifest that the configuration and these layers make. */
async function convert(
  layout: ImageLayout,
  files: ArchiveFiles,
  configName: string,
  layerNames: readonly string[],
): Promise<Descriptor> {
  const config = files.find(normal(configName));
  if (!config) throw new ArchiveError(`'${configName}', which manifest.json names, is missing`);
  const { diffIds } = parseConfig(
    await readDocument(layout, config.digest, configName),
    configName,
  );
  if (diffIds.length !== layerNames.length)
    throw new ArchiveError(
      `manifest.json names ${layerNames.length} layers, ${configName} ${diffIds.length}`,
    );
  const layers: Descriptor[] = [];
  for (const [index, name] of layerNames.entries())
    layers.push(await plainLayer(layout, files, name, diffIds[index]!));
  const manifest = {
    schemaVersion: 2,
    mediaType: DOCKER_MANIFEST,
    config: { mediaType: DOCKER_CONFIG, digest: config.digest, size: config.size },
    layers,
  };
  const { digest, size } = await layout.write(chunk(JSON.stringify(manifest)));
  return { mediaType: DOCKER_MANIFEST, digest, size };
}

/** The layer without compression, its digest checked. */
async function plainLayer(
  layout: ImageLayout,
  files: ArchiveFiles,
  name: string,
  diffId: string,
): Promise<Descriptor> {
  const stored = files.find(normal(name));
  if (!stored) throw new ArchiveError(`layer '${name}', which manifest.json names, is missing`);
  const isGzip = stored.digest !== diffId && compressionOf(stored.head) === "gzip";
  const plain = isGzip ? await layout.write(gunzipped(layout.open(stored.digest))) : stored;
  if (plain.digest !== diffId)
    throw new ArchiveError(
      `layer '${name}' is damaged: it holds ${plain.digest}, expected ${diffId}`,
    );
  return { mediaType: DOCKER_LAYER, digest: plain.digest, size: plain.size };
}

function normal(name: string): string {
  return name.replace(/^(\.\/)+/, "");
}

async function* chunk(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text, "utf8");
}
