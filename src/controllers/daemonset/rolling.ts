import type { Pod } from "../../api/core/pod.ts";
import { scaledValue } from "../../reconciler/int-or-percent.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { isPodAvailable } from "../../reconciler/pod-state.ts";
import { isUpdated } from "./daemon-pod.ts";
import { NOTHING, type Changes, type Place, type World } from "./placing.ts";

/** What an update may cost. */
interface Limits {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
  /** How many nodes should have a Pod. */
  readonly wanted: number;
}

/** The Pods of one node that count: at most one old and one new. */
interface Pair {
  readonly place: Place;
  readonly fresh: Pod | undefined;
  readonly old: Pod | undefined;
  /** There are more; what is too many goes first. */
  readonly isCrowded: boolean;
}

/**
 * Replaces Pods of old revisions, within the limits.
 *
 * @spec k8s@1.36 pkg/controller/daemon rollingUpdate
 */
export function rollingChanges(world: World): Changes {
  if (world.set.spec?.updateStrategy?.type !== "RollingUpdate") return NOTHING;
  const limits = limitsOf(world);
  const concerned = world.places.filter(({ fit, pods }) => fit.shouldRun || pods.length > 0);
  const pairs = concerned.map((place) => pairAt(world, place));
  return limits.maxSurge === 0 ? replaceInPlace(world, limits, pairs) : surge(world, limits, pairs);
}

/** @spec updatedDesiredNodeCounts */
function limitsOf({ set, places }: World): Limits {
  const { maxSurge, maxUnavailable } = set.spec?.updateStrategy?.rollingUpdate ?? {};
  const wanted = places.filter(({ fit }) => fit.shouldRun).length;
  const limits = {
    maxSurge: scaledValue(maxSurge, wanted, "up"),
    maxUnavailable: scaledValue(maxUnavailable, wanted, "up"),
    wanted,
  };
  const isStuck = wanted > 0 && limits.maxSurge === 0 && limits.maxUnavailable === 0;
  return isStuck ? { ...limits, maxUnavailable: 1 } : limits;
}

/** @spec findUpdatedPodsOnNode */
function pairAt({ hash }: World, place: Place): Pair {
  const staying = place.pods.filter((pod) => !isBeingDeleted(pod));
  const fresh = staying.filter((pod) => isUpdated(pod, hash));
  const old = staying.filter((pod) => !fresh.includes(pod));
  return { place, fresh: fresh[0], old: old[0], isCrowded: fresh.length > 1 || old.length > 1 };
}

/** First old Pods that are no use, then others as far as `maxUnavailable` leaves room. */
function replaceInPlace(world: World, limits: Limits, pairs: readonly Pair[]): Changes {
  const works = (pod: Pod): boolean => isWorking(world, pod);
  const isCandidate = ({ fresh, old, isCrowded }: Pair): boolean =>
    !isCrowded && !fresh && !!old && works(old);
  const isFine = ({ fresh, old, isCrowded }: Pair): boolean =>
    !isCrowded && !old && !!fresh && works(fresh);
  const candidates = pairs.filter(isCandidate).map(({ old }) => old!);
  const broken = pairs.flatMap(({ fresh, old, isCrowded }) =>
    !isCrowded && !fresh && old && !works(old) ? [old] : [],
  );
  const unavailable = pairs.filter((pair) => !isCandidate(pair) && !isFine(pair)).length;
  const room = Math.max(0, limits.maxUnavailable - unavailable);
  return { ...NOTHING, pods: [...broken, ...candidates.slice(0, room)] };
}

/** New Pods beside old ones, as many as `maxSurge` allows; an old one goes once the new one is available. */
function surge(world: World, limits: Limits, pairs: readonly Pair[]): Changes {
  const works = (pod: Pod | undefined): boolean => pod !== undefined && isWorking(world, pod);
  const sound = pairs.filter(({ isCrowded }) => !isCrowded);
  const both = sound.filter(({ fresh, old }) => fresh && old);
  const alone = sound.filter(({ fresh, old }) => !fresh && old);
  const waiting = both.filter(({ fresh }) => !works(fresh));
  const surging = waiting.length + (pairs.length - sound.length);
  const wanted = alone.filter(({ place }) => place.fit.shouldRun);
  const [useful, useless] = [
    wanted.filter(({ old }) => works(old)),
    wanted.filter(({ old }) => !works(old)),
  ];
  const unwanted = alone.filter(({ place }) => !place.fit.shouldRun);
  const available = sound.filter(({ fresh, old }) => works(old ?? fresh)).length;
  // Where Pods should no longer run, one goes only when another has taken over.
  const spare = Math.max(0, available - limits.wanted);
  const room = Math.max(0, limits.maxSurge - surging);
  const oldOf = (chosen: readonly Pair[]): Pod[] => chosen.map(({ old }) => old!);
  const working = unwanted.filter(({ old }) => works(old));
  return {
    ...NOTHING,
    nodes: [...useless, ...useful.slice(0, room)].map(({ place }) => place.node),
    pods: [
      ...oldOf(both.filter(({ fresh }) => works(fresh))),
      ...oldOf(unwanted.filter(({ old }) => !works(old))),
      ...oldOf(working.slice(0, spare)),
    ],
  };
}

function isWorking({ set, now }: World, pod: Pod): boolean {
  return isPodAvailable(pod, set.spec?.minReadySeconds ?? 0, now);
}
