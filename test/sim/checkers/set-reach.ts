import type { Instant } from "../../../src/base/clock.ts";
import type { V1Pod, V1StatefulSet } from "../../../src/gen/types.ts";
import { isOver } from "./pod-requests.ts";
import { isAhead } from "./ready-since.ts";
import { isEnding, isOf, isReady } from "./replica-sets.ts";
import { ordinalOf } from "./set-order.ts";

/** How far a StatefulSet's controller comes in one go. */
export interface Reach {
  /** The highest ordinal that it looks at. */
  readonly last: number;
  /** A Pod that lacks its claims' volumes is among those: it comes no further, until somebody deletes that Pod. */
  readonly isStopped: boolean;
}

/**
 * An ordered set looks at its wanted ordinals up to the first that is not there, not ready, or stops it; another at one, then two, then
 * four … together, up to the batch of the first that stops it.
 */
export function reachOf(set: V1StatefulSet, all: readonly V1Pod[], now: Instant): Reach {
  const own = new Map(all.filter((pod) => isOf(pod, set)).map((pod) => [ordinalOf(pod), pod]));
  const start = set.spec?.ordinals?.start ?? 0;
  const ordinals = Array.from({ length: set.spec?.replicas ?? 1 }, (_, i) => start + i);
  const stops = (pod: V1Pod | undefined): boolean => pod !== undefined && lacksVolumes(pod, set);
  if (set.spec?.podManagementPolicy === "Parallel") {
    const index = ordinals.findIndex((ordinal) => {
      const pod = own.get(ordinal);
      return stops(pod) && !isOver(pod!);
    });
    const last = index < 0 ? ordinals.length : endOfBatch(index);
    return { last: start + last, isStopped: index >= 0 };
  }
  const isWell = (pod: V1Pod | undefined): boolean =>
    pod !== undefined && isReady(pod) && !isAhead(pod, now) && !isOver(pod) && !isEnding(pod);
  const last = ordinals.find((ordinal) => !isWell(own.get(ordinal)) || stops(own.get(ordinal)));
  const pod = own.get(last ?? -1);
  return { last: last ?? start + ordinals.length, isStopped: isWell(pod) && stops(pod) };
}

/** The index that ends the batch: 0, 2, 6, 14 … */
function endOfBatch(index: number): number {
  return 2 ** (Math.floor(Math.log2(index + 1)) + 1) - 2;
}

/** It was adopted, and its volumes are not the claims that the set has for its ordinal. They never change. */
export function lacksVolumes({ metadata, spec }: V1Pod, set: V1StatefulSet): boolean {
  const claimed = (spec?.volumes ?? []).map(
    ({ name, persistentVolumeClaim }) => `${name} ${persistentVolumeClaim?.claimName}`,
  );
  return (set.spec?.volumeClaimTemplates ?? []).some(({ metadata: template }) => {
    const name = template?.name ?? "";
    return !claimed.includes(`${name} ${name}-${metadata?.name}`);
  });
}
