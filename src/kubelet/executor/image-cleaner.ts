import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { CriClient } from "../../wire/cri/cri-client.ts";
import type { EventRecorder } from "../events.ts";
import type { Supply } from "../plan/eviction.ts";
import { planImageGarbage, type ImageLimits } from "../plan/image-garbage.ts";

/**
 * Removes images that no container uses when the disk is nearly full.
 *
 * Images without a registry's digest came from an archive: nothing could bring them back, so they stay; the pause image
 * is one of them.
 */
export class ImageCleaner {
  readonly #cri: CriClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #recorder: EventRecorder;
  readonly #limits: ImageLimits;
  readonly #seenAt = new Map<string, number>();
  readonly #usedAt = new Map<string, number>();

  constructor(
    cri: CriClient,
    clock: Clock,
    logger: Logger,
    recorder: EventRecorder,
    limits: ImageLimits,
  ) {
    this.#cri = cri;
    this.#clock = clock;
    this.#logger = logger;
    this.#recorder = recorder;
    this.#limits = limits;
  }

  /** `isPressed`: the node is short of disk, so all that is unused goes. Resolves with the number of images removed. */
  async clean(disk: Supply, isPressed: boolean): Promise<number> {
    const now = this.#clock.now();
    const [images, containers] = await Promise.all([
      this.#cri.listImages(),
      this.#cri.listContainers(),
    ]);
    const used = new Set(containers.flatMap(({ imageRef, image }) => [imageRef, image?.image]));
    for (const id of [...this.#seenAt.keys()])
      if (!images.some((image) => image.id === id)) this.#forget(id);
    const known = images.map(({ id, size, repoTags, repoDigests }) => {
      const isInUse = [id, ...repoTags, ...repoDigests].some((name) => used.has(name));
      if (!this.#seenAt.has(id)) this.#seenAt.set(id, now);
      if (isInUse) this.#usedAt.set(id, now);
      return {
        id,
        bytes: size,
        seenAt: this.#seenAt.get(id) ?? now,
        usedAt: this.#usedAt.get(id) ?? 0,
        isInUse,
        isKept: repoDigests.length === 0,
      };
    });
    const { capacity: capacityBytes, available: availableBytes } = disk;
    const use = { capacityBytes, availableBytes };
    const plan = planImageGarbage(known, use, this.#limits, now, isPressed);
    for (const id of plan.remove) await this.#remove(id);
    if (plan.missingBytes > 0)
      this.#recorder.node(
        "Warning",
        "FreeDiskSpaceFailed",
        `Failed to garbage collect required amount of images. Still ${plan.missingBytes} bytes too many in use.`,
      );
    return plan.remove.length;
  }

  async #remove(id: string): Promise<void> {
    try {
      await this.#cri.removeImage(id);
      this.#logger.info("unused image removed", { image: id });
    } catch (error) {
      this.#logger.warning("image was not removed", { image: id, error: String(error) });
    }
  }

  #forget(id: string): void {
    this.#seenAt.delete(id);
    this.#usedAt.delete(id);
  }
}
