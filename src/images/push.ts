import { randomBytes } from "node:crypto";
import { ContentStore } from "../wire/containerd/content.ts";
import { ImageNames } from "../wire/containerd/images.ts";
import type { Descriptor } from "../wire/containerd/descriptor.ts";
import { withLease } from "../wire/containerd/leases.ts";
import { Snapshotter } from "../wire/containerd/snapshots.ts";
import type { Blobs } from "./blobs.ts";
import { childrenOf } from "./layout.ts";
import { isIndex, isManifest, type StoredImage } from "./manifest.ts";
import { unpackImage } from "./unpack.ts";

/** Says that CRI may manage an image. @spec containerd pkg/cri/labels */
const MANAGED = { "io.cri-containerd.image": "managed" };

/** A containerd to fill. */
export interface PushTarget {
  /** `unix:///path`. */
  readonly endpoint: string;
  /** Where layers are unpacked, so that the first container need not wait: `overlayfs`. */
  readonly snapshotter: string;
  /** Wall clock. */
  readonly now: number;
}

/**
 * Writes images into a containerd as a pull by CRI would: blobs with their references, unpacked layers, names, and the
 * image's ID as a name. Repeatable: what is there already is not written again.
 *
 * @throws {RpcError} containerd refused, or cannot be reached. {ArchiveError} a blob is damaged.
 */
export async function pushImages(
  { endpoint, snapshotter, now }: PushTarget,
  blobs: Blobs,
  images: readonly StoredImage[],
): Promise<void> {
  const id = `skiff-${randomBytes(8).toString("hex")}`;
  await withLease(endpoint, id, now, async (channel) => {
    const names = new ImageNames(channel);
    const push = new Push(new ContentStore(channel), blobs, id);
    for (const { name, target } of images) {
      await push.tree(target, name);
      const imageId = await unpackImage(
        new ContentStore(channel),
        new Snapshotter(channel, snapshotter),
        blobs,
        target,
        id,
      );
      for (const alias of [imageId, name])
        await names.put({ name: alias, labels: MANAGED, target });
    }
  });
}

/** Blobs on their way; each is written once. */
class Push {
  readonly #content: ContentStore;
  readonly #blobs: Blobs;
  readonly #refPrefix: string;
  readonly #done = new Set<string>();

  constructor(content: ContentStore, blobs: Blobs, refPrefix: string) {
    this.#content = content;
    this.#blobs = blobs;
    this.#refPrefix = refPrefix;
  }

  /** Writes what is below a blob, then the blob: no moment has a manifest without its parts. */
  async tree(blob: Descriptor, what: string): Promise<void> {
    if (this.#done.has(blob.digest)) return;
    this.#done.add(blob.digest);
    const isHere = (await this.#blobs.sizeOf(blob.digest)) !== undefined;
    if (!isHere) return; // another platform's, which the archive left out
    const children = await childrenOf(this.#blobs, blob, what);
    for (const child of children) await this.tree(child, what);
    const labels = referenceLabels(blob, children);
    const ref = `${this.#refPrefix}-${blob.digest}`;
    await this.#content.write(blob, ref, labels, this.#blobs.open(blob.digest));
  }
}

/**
 * What keeps a blob's parts from being collected as garbage.
 *
 * @spec containerd docs/garbage-collection.md
 */
export function referenceLabels(
  blob: Descriptor,
  children: readonly Descriptor[],
): Readonly<Record<string, string>> {
  const key = (index: number): string => {
    if (isIndex(blob)) return `m.${index}`;
    return index === 0 ? "config" : `l.${index - 1}`;
  };
  if (!isIndex(blob) && !isManifest(blob)) return {};
  return Object.fromEntries(
    children.map(({ digest }, index) => [`containerd.io/gc.ref.content.${key(index)}`, digest]),
  );
}
