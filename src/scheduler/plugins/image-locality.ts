import type { V1Pod } from "../../gen/types.ts";
import { SCORE_MAX, type Plugin, type Scoring } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";

const MEGABYTE = 1024 * 1024;
/** Images smaller than this are pulled so fast that they should not matter. @spec imagelocality minThreshold */
const BYTES_MIN = 23 * MEGABYTE;
/** Per container; more counts no more. @spec imagelocality maxContainerThreshold */
const BYTES_MAX = 1000 * MEGABYTE;

interface Wanted {
  readonly images: readonly string[];
  /** Share of nodes that have the image: an image on one node alone must not draw every Pod there. */
  readonly spread: ReadonlyMap<string, number>;
}

const locality: Scoring<Wanted> = {
  weight: 1,
  prepare: (pod, nodes) => {
    const images = imagesOf(pod);
    const isAnywhere = nodes.some(({ imageBytes }) =>
      images.some((image) => imageBytes.has(image)),
    );
    return isAnywhere ? { images, spread: spreadOf(images, nodes) } : undefined;
  },
  score: ({ images, spread }, { imageBytes }) => {
    const bytes = images.reduce(
      (sum, image) => sum + Math.floor((imageBytes.get(image) ?? 0) * (spread.get(image) ?? 0)),
      0,
    );
    const most = BYTES_MAX * images.length;
    const clamped = Math.min(most, Math.max(BYTES_MIN, bytes));
    return Math.floor((SCORE_MAX * (clamped - BYTES_MIN)) / (most - BYTES_MIN));
  },
};

/** Prefers nodes that have the Pod's images. @spec k8s@1.36 plugins/imagelocality */
export const imageLocality: Plugin = {
  name: "ImageLocality",
  score: locality,
};

function imagesOf(pod: V1Pod): readonly string[] {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return containers.map(({ image }) => normalized(image ?? ""));
}

/** A name without tag means `latest`. */
function normalized(image: string): string {
  return image.lastIndexOf(":") <= image.lastIndexOf("/") ? `${image}:latest` : image;
}

function spreadOf(
  images: readonly string[],
  nodes: readonly NodeInfo[],
): ReadonlyMap<string, number> {
  return new Map(
    images.map((image) => [
      image,
      nodes.filter(({ imageBytes }) => imageBytes.has(image)).length / nodes.length,
    ]),
  );
}
