/** When unused images go. @spec k8s@1.36 kubelet config imageGCHighThresholdPercent, imageGCLowThresholdPercent, imageMinimumGCAge */
export interface ImageLimits {
  /** Part of the disk in use above which images go … */
  readonly highPart: number;
  /** … until it is below this. */
  readonly lowPart: number;
  readonly ageMsMin: number;
}

export const IMAGE_LIMITS_DEFAULT: ImageLimits = {
  highPart: 0.85,
  lowPart: 0.8,
  ageMsMin: 2 * 60_000,
};

/** One image of the node, and since when this process knows it. */
export interface KnownImage {
  readonly id: string;
  readonly bytes: number;
  readonly seenAt: number;
  /** When a container of it was seen last; 0: never. */
  readonly usedAt: number;
  readonly isInUse: boolean;
  /** Never removed: the pause image. */
  readonly isKept: boolean;
}

export interface DiskUse {
  readonly capacityBytes: number;
  readonly availableBytes: number;
}

export interface ImagePlan {
  /** Ids, the longest unused first. */
  readonly remove: readonly string[];
  /** Bytes that should have been freed and cannot be. */
  readonly missingBytes: number;
}

/**
 * Which images go so that the disk is below the low mark again; those of any container, running or dead, stay.
 *
 * `isPressed`: the node is short of disk, so all that is unused goes.
 * @spec k8s@1.36 pkg/kubelet/images/image_gc_manager.go GarbageCollect
 */
export function planImageGarbage(
  images: readonly KnownImage[],
  { capacityBytes, availableBytes }: DiskUse,
  { highPart, lowPart, ageMsMin }: ImageLimits,
  now: number,
  isPressed = false,
): ImagePlan {
  const usedPart = capacityBytes === 0 ? 0 : 1 - availableBytes / capacityBytes;
  if (!isPressed && usedPart < highPart) return { remove: [], missingBytes: 0 };
  const wanted = isPressed ? Infinity : capacityBytes * (1 - lowPart) - availableBytes;
  const unused = images
    .filter(({ isInUse, isKept, seenAt }) => !isInUse && !isKept && now - seenAt >= ageMsMin)
    .sort((a, b) => a.usedAt - b.usedAt || a.seenAt - b.seenAt);
  const remove: string[] = [];
  let freed = 0;
  for (const { id, bytes } of unused) {
    if (freed >= wanted) break;
    remove.push(id);
    freed += bytes;
  }
  return { remove, missingBytes: isPressed ? 0 : Math.max(0, Math.ceil(wanted - freed)) };
}
