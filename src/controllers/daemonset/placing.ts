import type { DaemonSet } from "../../api/apps/daemon-set.ts";
import type { Pod } from "../../api/core/pod.ts";
import { formatKey, keyOf } from "../../api/machinery/object.ts";
import type { Instant } from "../../base/clock.ts";
import type { PlannedEvent } from "../../reconciler/controller.ts";
import { scaledValue } from "../../reconciler/int-or-percent.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { isPodAvailable, isPodReady } from "../../reconciler/pod-state.ts";
import { isUpdated, type Fit } from "./daemon-pod.ts";

/** One node that has to do with the set: its Pods, oldest first, those that are scheduled before the others. */
export interface Place {
  readonly node: string;
  readonly fit: Fit;
  /** `false`: no node of that name is known. */
  readonly isKnown: boolean;
  readonly pods: readonly Pod[];
}

/** One set, and what there is of it. */
export interface World {
  readonly set: DaemonSet;
  readonly hash: string;
  readonly places: readonly Place[];
  /** By uid of a failed Pod: before then it is not deleted. */
  readonly heldUntil: ReadonlyMap<string, Instant>;
  readonly now: Instant;
}

/** Which nodes get a Pod, which Pods go, and what is told of it. */
export interface Changes {
  readonly nodes: readonly string[];
  readonly pods: readonly Pod[];
  readonly events: readonly PlannedEvent[];
  readonly wakeAt?: Instant;
}

/** Nothing to do. */
export const NOTHING: Changes = { nodes: [], pods: [], events: [] };

/** @spec k8s@1.36 pkg/controller/daemon/util AllowsSurge */
function allowsSurge({ spec }: DaemonSet): boolean {
  const { type, rollingUpdate } = spec?.updateStrategy ?? {};
  return type === "RollingUpdate" && scaledValue(rollingUpdate?.maxSurge, 1, "up") > 0;
}

/** One Pod on each node that should have one, none elsewhere. @spec k8s@1.36 pkg/controller/daemon manage */
export function placeChanges(world: World): Changes {
  const all = world.places.map((place) => changesAt(world, place));
  const wakes = all.flatMap(({ wakeAt }) => wakeAt ?? []);
  return {
    nodes: all.flatMap(({ nodes }) => nodes),
    pods: all.flatMap(({ pods }) => pods),
    events: all.flatMap(({ events }) => events),
    ...(wakes.length && { wakeAt: Math.min(...wakes) }),
  };
}

/** @spec podsShouldBeOnNode, getUnscheduledPodsWithoutNode */
function changesAt(world: World, { node, fit, isKnown, pods }: Place): Changes {
  // What is bound to a node that is gone is the Pod collector's.
  if (!isKnown) return { ...NOTHING, pods: pods.filter(({ spec }) => !spec?.nodeName) };
  if (fit.shouldRun && pods.length === 0) return { ...NOTHING, nodes: [node] };
  const staying = pods.filter((pod) => !isBeingDeleted(pod));
  if (!fit.mayStay) return { ...NOTHING, pods: staying };
  const running = staying.filter(({ status }) => !ENDED.has(status?.phase ?? ""));
  const ended = endedAt(world, node, staying);
  const [first, ...more] = running;
  if (!allowsSurge(world.set)) return { ...ended, pods: [...ended.pods, ...more] };
  if (!first) return fit.shouldRun ? { ...ended, nodes: [node] } : ended;
  return { ...ended, pods: [...ended.pods, ...surplusAt(world, running)] };
}

const ENDED = new Set(["Failed", "Succeeded"]);

/** Pods that ended make room; failed ones after a while, if they fail again and again. */
function endedAt({ heldUntil }: World, node: string, pods: readonly Pod[]): Changes {
  const ended = pods.filter(({ status }) => ENDED.has(status?.phase ?? ""));
  const held = (pod: Pod): Instant | undefined =>
    pod.status?.phase === "Failed" ? heldUntil.get(pod.metadata?.uid ?? "") : undefined;
  const due = ended.filter((pod) => held(pod) === undefined);
  const wakes = ended.flatMap((pod) => held(pod) ?? []);
  return {
    nodes: [],
    pods: due,
    events: due.map((pod) => toldOf(pod, node)),
    ...(wakes.length && { wakeAt: Math.min(...wakes) }),
  };
}

function toldOf(pod: Pod, node: string): PlannedEvent {
  const what = formatKey(keyOf(pod));
  return pod.status?.phase === "Failed"
    ? {
        type: "Warning",
        reason: "FailedDaemonPod",
        message: `Found failed daemon pod ${what} on node ${node}, will try to kill it`,
      }
    : {
        type: "Normal",
        reason: "SucceededDaemonPod",
        message: `Found succeeded daemon pod ${what} on node ${node}, will try to delete it`,
      };
}

/** While surging one old and one new Pod may be there: until the new one is available, or the old one is no use. */
function surplusAt({ set, hash, now }: World, running: readonly Pod[]): readonly Pod[] {
  const isNew = (pod: Pod): boolean => isUpdated(pod, hash);
  const fresh = running.find(isNew);
  const old = running.find((pod) => !isNew(pod));
  const more = running.filter((pod) => pod !== fresh && pod !== old);
  if (!fresh || !old) return more;
  const isOver = !isPodReady(old) || isPodAvailable(fresh, set.spec?.minReadySeconds ?? 0, now);
  return isOver ? [...more, old] : more;
}
