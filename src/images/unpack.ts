import { createHash } from "node:crypto";
import type { ContentStore } from "../wire/containerd/content.ts";
import type { Descriptor } from "../wire/containerd/descriptor.ts";
import type { Snapshotter } from "../wire/containerd/snapshots.ts";
import { ArchiveError } from "./archive-error.ts";
import { readDocument, type Blobs } from "./blobs.ts";
import {
  HOST_PLATFORM,
  isIndex,
  parseConfig,
  parseIndex,
  parseManifest,
  type Manifest,
} from "./manifest.ts";

/**
 * Unpacks an image's layers, each upon the one below, and ties them to the image, so that they live as long as it.
 *
 * Why at all: CRI unpacks by itself when a container is made, but then that container waits.
 * @returns the image's ID: the digest of its configuration.
 * @spec containerd image.go Unpack, rootfs/apply.go ApplyLayers
 */
export async function unpackImage(
  content: ContentStore,
  snapshotter: Snapshotter,
  blobs: Blobs,
  target: Descriptor,
  keyPrefix: string,
): Promise<string> {
  const { config, layers } = await manifestFor(blobs, target);
  const { diffIds } = parseConfig(
    await readDocument(blobs, config.digest, "an image configuration"),
    `configuration ${config.digest}`,
  );
  let parent = "";
  for (const [index, diffId] of diffIds.entries()) {
    const name = chainId(parent, diffId);
    const layer = layers[index];
    if (!layer) throw new ArchiveError(`image ${config.digest} has fewer layers than it says`);
    if (!(await snapshotter.has(name)))
      await snapshotter.unpack(layer, diffId, parent, name, `${keyPrefix}-${name}`);
    await content.label(layer.digest, { "containerd.io/uncompressed": diffId });
    parent = name;
  }
  if (parent)
    await content.label(config.digest, {
      [`containerd.io/gc.ref.snapshot.${snapshotter.name}`]: parent,
    });
  return config.digest;
}

/** Names a layer together with all those below it. @spec opencontainers/image-spec config.md, "Layer ChainID" */
export function chainId(parent: string, diffId: string): string {
  if (!parent) return diffId;
  return `sha256:${createHash("sha256").update(`${parent} ${diffId}`).digest("hex")}`;
}

/** The manifest of this machine's platform. */
async function manifestFor(blobs: Blobs, target: Descriptor): Promise<Manifest> {
  const document = await readDocument(blobs, target.digest, "a manifest");
  if (!isIndex(target)) return parseManifest(document, target.digest);
  for (const child of parseIndex(document, target.digest)) {
    const { platform } = child;
    if (platform && platform.architecture !== HOST_PLATFORM.architecture) continue;
    if (platform && platform.os !== HOST_PLATFORM.os) continue;
    if ((await blobs.sizeOf(child.digest)) !== undefined) return manifestFor(blobs, child);
  }
  throw new ArchiveError(`index ${target.digest} has nothing for ${HOST_PLATFORM.architecture}`);
}
