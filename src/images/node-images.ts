import { sleep, type Clock } from "../base/clock.ts";
import { CRI_NAMESPACE } from "../wire/containerd/events.ts";
import { ImageNames } from "../wire/containerd/images.ts";
import type { CriClient, Image } from "../wire/cri/cri-client.ts";
import { GrpcCriClient } from "../wire/cri/grpc-cri-client.ts";
import { GrpcChannel } from "../wire/grpc/channel.ts";
import type { Blobs } from "./blobs.ts";
import type { ImageLayout } from "./layout.ts";
import type { StoredImage } from "./manifest.ts";
import { buildPauseImage, PAUSE_IMAGE } from "./pause-image.ts";
import { pushImages } from "./push.ts";

/** How long CRI may take to notice an image, in ms. It follows containerd's events: about 5 ms. */
const NOTICE_MS_MAX = 10_000;
const NOTICE_LOOK_MS = 2;

/** The images of one node: of its containerd, and what CRI shows of them. Close it after use. */
export class NodeImages {
  readonly #clock: Clock;
  readonly #endpoint: string;
  readonly #channel: GrpcChannel;
  readonly #cri: CriClient;
  readonly #names: ImageNames;

  /** `endpoint`: `unix:///path` of containerd. */
  constructor(clock: Clock, endpoint: string) {
    this.#clock = clock;
    this.#endpoint = endpoint;
    this.#channel = new GrpcChannel(endpoint, { "containerd-namespace": CRI_NAMESPACE });
    this.#cri = new GrpcCriClient(this.#channel);
    this.#names = new ImageNames(this.#channel);
  }

  /** What CRI shows. */
  list(): Promise<readonly Image[]> {
    return this.#cri.listImages();
  }

  /** Loads images and returns when CRI sees them. @throws as {@link pushImages}. */
  async load(blobs: Blobs, images: readonly StoredImage[]): Promise<void> {
    const now = this.#clock.now();
    const snapshotter = await this.#snapshotter();
    await pushImages({ endpoint: this.#endpoint, snapshotter, now }, blobs, images);
    for (const { name } of images) await this.#untilSeen(name, true);
  }

  /** Loads those images of the cluster that this node lacks, and returns their names. */
  async fill(layout: ImageLayout): Promise<readonly string[]> {
    const present = new Map((await this.#names.list()).map((image) => [image.name, image.target]));
    const missing = (await layout.images()).filter(
      ({ name, target }) => present.get(name)?.digest !== target.digest,
    );
    if (missing.length > 0) await this.load(layout, missing);
    return missing.map(({ name }) => name);
  }

  /** Makes sure that the pause image is there. `binaryPath`: a static binary that knows `-P`. */
  async ensurePauseImage(binaryPath: string): Promise<void> {
    if (await this.#names.get(PAUSE_IMAGE)) return;
    const image = await buildPauseImage(binaryPath);
    await this.load(image.blobs, [image]);
  }

  /** Pulls from the image's registry. @returns the image's ID. */
  pull(name: string): Promise<string> {
    return this.#cri.pullImage(name);
  }

  /**
   * Takes the name away; with its last name, the image goes. `name` may be an image ID: then all names go.
   *
   * @returns the names taken away; empty: there is no such image here.
   */
  async remove(name: string): Promise<readonly string[]> {
    const image = await this.#find(name);
    if (!image) return [];
    if (image.id !== name && image.repoTags.length > 1) {
      await this.#names.remove(name);
      await this.#untilSeen(name, false);
      return [name];
    }
    await this.#cri.removeImage(image.id);
    return [...image.repoTags, ...image.repoDigests];
  }

  /**
   * Containers made from an image that would go with `name`, as `NAMESPACE/POD: CONTAINER`; none while the image has
   * other names. `name` may be an image ID.
   */
  async usersOfLast(name: string): Promise<readonly string[]> {
    const image = await this.#find(name);
    if (!image || (image.id !== name && image.repoTags.length > 1)) return [];
    return (await this.#cri.listContainers())
      .filter(({ imageRef }) => imageRef === image.id)
      .map(({ labels }) => {
        const label = (key: string): string => labels[`io.kubernetes.${key}`] ?? "?";
        return `${label("pod.namespace")}/${label("pod.name")}: ${label("container.name")}`;
      });
  }

  close(): void {
    this.#channel.close();
  }

  async #find(name: string): Promise<Image | undefined> {
    return (await this.list()).find(
      ({ id, repoTags, repoDigests }) =>
        id === name || [...repoTags, ...repoDigests].includes(name),
    );
  }

  /** The snapshotter that CRI uses: the last part of the folder in which it keeps layers. */
  async #snapshotter(): Promise<string> {
    const [first] = await this.#cri.imageFilesystems();
    return /snapshotter\.v1\.([\w-]+)/.exec(first?.fsId?.mountpoint ?? "")?.[1] ?? "overlayfs";
  }

  /** CRI learns of names by events, a moment later. */
  async #untilSeen(name: string, isExpected: boolean): Promise<void> {
    const until = this.#clock.monotonic() + NOTICE_MS_MAX;
    while (((await this.#cri.imageStatus(name)) !== undefined) !== isExpected) {
      if (this.#clock.monotonic() > until)
        throw new Error(`containerd's CRI did not notice ${name} within ${NOTICE_MS_MAX / 1000} s`);
      await sleep(this.#clock, NOTICE_LOOK_MS);
    }
  }
}

/** The socket of a node's containerd, on the node's own /run. */
export const NODE_SOCKET = "/run/containerd/containerd.sock";

/**
 * Where the containerd of a local node is reached from outside its namespaces: through the root folder, as the kernel
 * shows it, of a process inside.
 */
export function nodeEndpoint(pidInNode: number): string {
  return `unix:///proc/${pidInNode}/root${NODE_SOCKET}`;
}
