import type { V1Deployment, V1ReplicaSet } from "../../../src/gen/types.ts";
import type { Change } from "../world/history.ts";
import type { Checker } from "./checker.ts";
import { limitsOf, setsOf } from "./rollout-limits.ts";
import { WorldState } from "./world-state.ts";

/**
 * While a Deployment rolls, no step of its controller asks for more than replicas + maxSurge, and none takes an available
 * Pod away where fewer than replicas − maxUnavailable would be left.
 *
 * A step is judged by what its controller may have read: anything that was true within `facts.staleMs` before.
 */
export const rollouts: Checker = {
  name: "rollouts",
  check({ changes, facts }) {
    const state = new WorldState();
    const past = new Past();
    return changes.flatMap((change) => {
      const before = sizeOf(change.old);
      state.apply(change);
      past.note(change, state);
      if (change.resource !== "apps/replicasets" || !change.object) return [];
      const after = sizeOf(change.object);
      if (before === after || deploymentOf(change) === "") return [];
      const since = change.atMs - facts.staleMs;
      // Who is scaled while it rolls gives up of each set in proportion, whatever is available.
      if (after < before && isBeingScaled(change)) return [];
      const problem = after > before ? grown(change, past, since) : shrunk(change, past, since);
      return problem
        ? [`${change.key} ${before} → ${after} at ${change.revision}: ${problem}`]
        : [];
    });
  },
};

function sizeOf(object: object | undefined): number {
  return (object as V1ReplicaSet | undefined)?.spec?.replicas ?? 0;
}

/** @spec k8s@1.36 pkg/controller/deployment isScalingEvent: the size that a set was made for has changed */
function isBeingScaled({ old, object }: Change): boolean {
  const madeFor = (set: Change["object"]): string | undefined =>
    set?.metadata?.annotations?.["deployment.kubernetes.io/desired-replicas"];
  return madeFor(old) !== madeFor(object);
}

/** One Deployment and its sets as they were from `atMs` on. */
interface Snapshot {
  readonly atMs: number;
  readonly deployment: V1Deployment;
  readonly sets: readonly V1ReplicaSet[];
}

/** What was true when. */
class Past {
  readonly #snapshots = new Map<string, Snapshot[]>();

  note({ resource, atMs, old, object }: Change, state: WorldState): void {
    if (resource !== "apps/replicasets" && resource !== "apps/deployments") return;
    const touched = [old, object].flatMap((one) => ownersOf(one));
    for (const deployment of state.list<V1Deployment>("apps/deployments")) {
      const uid = deployment.metadata!.uid!;
      if (object?.metadata?.uid !== uid && !touched.includes(uid)) continue;
      const sets = setsOf(deployment, state.list<V1ReplicaSet>("apps/replicasets"));
      const own = this.#snapshots.get(uid) ?? [];
      this.#snapshots.set(uid, [...own, { atMs, deployment, sets }]);
    }
  }

  /** Everything that was true at `since` or later; the last one is now. */
  of(uid: string, since: number): readonly Snapshot[] {
    const all = this.#snapshots.get(uid) ?? [];
    const first = all.findLastIndex(({ atMs }) => atMs <= since);
    return all.slice(Math.max(0, first));
  }
}

function ownersOf(object: Change["object"]): readonly string[] {
  const { uid, ownerReferences = [] } = object?.metadata ?? {};
  return [uid ?? "", ...ownerReferences.map((owner) => owner.uid)];
}

function deploymentOf({ object }: Change): string {
  return object?.metadata?.ownerReferences?.find(({ controller }) => controller)?.uid ?? "";
}

function grown(change: Change, past: Past, since: number): string {
  const known = past.of(deploymentOf(change), since);
  const total = (known.at(-1)?.sets ?? []).reduce((sum, set) => sum + sizeOf(set), 0);
  const most = Math.max(...known.map(({ deployment }) => limitsOf(deployment).totalMax));
  return total > most ? `its sets want ${total} pods, ${most} at most` : "";
}

/** What is available at once when each set has lost its Pods beyond its new size, the unavailable first. */
function shrunk(change: Change, past: Past, since: number): string {
  const known = past.of(deploymentOf(change), since);
  const now = known.at(-1)?.sets ?? [];
  const least = Math.min(...known.map(({ deployment }) => limitsOf(deployment).availableMin));
  const size = sizeOf(change.object);
  const sizes = new Map(now.map((set) => [set.metadata!.uid, sizeOf(set)]));
  const isFine = known.some(({ sets }) => {
    const availableOf = ({ status }: V1ReplicaSet): number => status?.availableReplicas ?? 0;
    const own = sets.find(({ metadata }) => metadata!.uid === change.object!.metadata!.uid);
    if (own && size >= availableOf(own)) return true;
    const left = sets.map((set) => Math.min(availableOf(set), sizes.get(set.metadata!.uid) ?? 0));
    return left.reduce((sum, one) => sum + one, 0) >= least;
  });
  if (isFine || known.length === 0) return "";
  const text = now.map((set) => `${sizeOf(set)} (${set.status?.availableReplicas ?? 0} available)`);
  return `fewer than ${least} would be left available: its sets have ${text.join(", ")}`;
}
