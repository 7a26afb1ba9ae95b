import type { V1PodSpec } from "../../gen/types.ts";
import { SCORE_MAX, type ClusterFacts, type Plugin, type Scoring } from "../framework.ts";

const MEGABYTE = 1024 * 1024;
/** Images smaller than this are pulled so fast that they should not matter. @spec imagelocality minThreshold */
const BYTES_MIN = 23 * MEGABYTE;
/** Per container; more counts no more. @spec imagelocality maxContainerThreshold */
const BYTES_MAX = 1000 * MEGABYTE;

const locality: Scoring<readonly string[]> = {
  facts: (images, cluster) => spreads(images, cluster).join(),
  scorer: (images, cluster) => {
    const shares = spreads(images, cluster);
    if (shares.every((share) => share === 0)) return undefined;
    const most = BYTES_MAX * images.length;
    return (node) => {
      let bytes = 0;
      for (let i = 0; i < images.length; i++)
        bytes += Math.floor((node.images.get(images[i]!) ?? 0) * shares[i]!);
      const clamped = Math.min(most, Math.max(BYTES_MIN, bytes));
      return Math.floor((SCORE_MAX * (clamped - BYTES_MIN)) / (most - BYTES_MIN));
    };
  },
};

/** Share of nodes that have each image: an image on one node alone must not draw every Pod there. */
function spreads(images: readonly string[], cluster: ClusterFacts): readonly number[] {
  return images.map((image) => cluster.nodesWithImage(image) / cluster.nodes.length);
}

/** Prefers nodes that have the Pod's images. @spec k8s@1.36 plugins/imagelocality */
export const imageLocality: Plugin<readonly string[]> = {
  name: "ImageLocality",
  read: imagesOf,
  scoring: locality,
};

function imagesOf({ initContainers, containers, volumes }: V1PodSpec): readonly string[] {
  const mounted = volumes?.flatMap(({ image }) => image?.reference ?? []) ?? [];
  const run = [...(initContainers ?? []), ...containers].map(({ image }) => image ?? "");
  return [...run, ...mounted].map(normalized);
}

/** A name without tag means `latest`. */
function normalized(image: string): string {
  return image.lastIndexOf(":") <= image.lastIndexOf("/") ? `${image}:latest` : image;
}
