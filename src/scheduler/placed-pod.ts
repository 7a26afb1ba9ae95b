import type { V1Pod } from "../gen/types.ts";
import { affinityTermsOf } from "./affinity-terms.ts";
import { placedVolumesOf } from "./claims-of-pod.ts";
import { demandOf } from "./demand.ts";
import type { PlacedPod } from "./node-info.ts";

/** What a Pod takes and wants, once it is on a node. */
export function placedPodOf(pod: V1Pod): PlacedPod {
  return {
    pod,
    demand: demandOf(pod),
    terms: affinityTermsOf(pod),
    volumes: placedVolumesOf(pod),
  };
}
