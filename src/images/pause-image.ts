import { readFile } from "node:fs/promises";
import { MemoryBlobs } from "./blobs.ts";
import {
  DOCKER_CONFIG,
  DOCKER_LAYER,
  DOCKER_MANIFEST,
  HOST_PLATFORM,
  type StoredImage,
} from "./manifest.ts";
import { tarArchive } from "./tar-writer.ts";

/** Name of the image that every pod's sandbox runs. Its tag rises when what is in it changes. */
export const PAUSE_IMAGE = "skiff.local/pause:1";

/** An image and its parts, in memory. */
export interface BuiltImage extends StoredImage {
  readonly blobs: MemoryBlobs;
}

/** Packs a statically linked init (Debian's `catatonit`) as the pause image. Equal binaries give equal images. */
export async function buildPauseImage(binaryPath: string): Promise<BuiltImage> {
  return singleLayerImage(
    PAUSE_IMAGE,
    tarArchive([{ name: "pause", content: await readFile(binaryPath), mode: 0o755 }]),
    { Entrypoint: ["/pause", "-P"], WorkingDir: "/" },
  );
}

/** An image of one layer (a tar archive). `settings`: the `config` part of its configuration. */
export function singleLayerImage(name: string, layer: Uint8Array, settings: object): BuiltImage {
  const blobs = new MemoryBlobs();
  const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
  const layerBlob = blobs.add(DOCKER_LAYER, layer);
  const config = {
    ...HOST_PLATFORM,
    created: "1970-01-01T00:00:00Z",
    config: settings,
    rootfs: { type: "layers", diff_ids: [layerBlob.digest] },
  };
  const target = blobs.add(
    DOCKER_MANIFEST,
    json({
      schemaVersion: 2,
      mediaType: DOCKER_MANIFEST,
      config: blobs.add(DOCKER_CONFIG, json(config)),
      layers: [layerBlob],
    }),
  );
  return { name, target, blobs };
}
