import { quantityMillis } from "../../../src/api/machinery/quantity.ts";
import type { V1Pod, V1ResourceQuota } from "../../../src/gen/types.ts";
import type { KubeObject } from "../../../src/api/machinery/object.ts";
import type { Checker } from "./checker.ts";
import { isOver, requestsOf } from "./pod-requests.ts";
import { isEnding } from "./replica-sets.ts";
import { keyOf, WorldState } from "./world-state.ts";

const QUOTAS = "resourcequotas";

/** Of what a quota counts: which objects, and how much each is. */
interface Counted {
  readonly resource: string;
  readonly amount: (object: KubeObject) => number;
}

const ONE = (): number => 1;
const COUNTED: Readonly<Record<string, Counted>> = {
  pods: { resource: "pods", amount: ONE },
  "requests.cpu": { resource: "pods", amount: (pod) => requestsOf(pod as V1Pod).cpuMillis },
  "requests.memory": {
    resource: "pods",
    amount: (pod) => requestsOf(pod as V1Pod).memoryBytes * 1000,
  },
  "count/jobs.batch": { resource: "batch/jobs", amount: ONE },
  "count/replicasets.apps": { resource: "apps/replicasets", amount: ONE },
  services: { resource: "services", amount: ONE },
  configmaps: { resource: "configmaps", amount: ONE },
  persistentvolumeclaims: { resource: "persistentvolumeclaims", amount: ONE },
};

/**
 * Nothing is made that takes a namespace beyond what a quota has said it holds; Pods that have ended or are told to end may count no more.
 * At rest its status has its bounds, and what is there.
 */
export const quotas: Checker = {
  name: "quotas",
  check({ changes }) {
    const state = new WorldState();
    return changes.flatMap((change) => {
      const { resource, old, object, key, revision } = change;
      const isMade = !old && object !== undefined;
      const bounds = isMade ? quotasOf(object, state) : [];
      state.apply(change);
      return bounds.flatMap((quota) =>
        Object.entries(quota.status?.hard ?? {}).flatMap(([name, hard]) => {
          // A name that was bounded lately is refused until it was counted.
          if (COUNTED[name]?.resource !== resource || !quota.spec?.hard?.[name]) return [];
          const used = usedOf(quota, name, state);
          const most = unitsOf(name, hard);
          return used > most && unitsOf(name, quota.spec.hard[name]) < used
            ? [`${key} at ${revision}: ${keyOf(quota)} has ${name} ${hard}, and ${used} are there`]
            : [];
        }),
      );
    });
  },
  checkAtRest({ changes }) {
    const state = WorldState.after(changes);
    return state.list<V1ResourceQuota>(QUOTAS).flatMap((quota) => {
      const { hard = {}, used = {} } = quota.status ?? {};
      return Object.entries(quota.spec?.hard ?? {}).flatMap(([name, wanted]) => {
        const due = usedOf(quota, name, state);
        const is = unitsOf(name, used[name] ?? "-1");
        return [
          ...(hard[name] === wanted
            ? []
            : [`${keyOf(quota)} has ${name} ${hard[name]}, not ${wanted}`]),
          ...(is === due ? [] : [`${keyOf(quota)} counts ${name} ${is}, due ${due}`]),
        ];
      });
    });
  },
};

function quotasOf({ metadata }: KubeObject, state: WorldState): readonly V1ResourceQuota[] {
  const all = state.list<V1ResourceQuota>(QUOTAS);
  return all.filter((quota) => quota.metadata?.namespace === metadata?.namespace);
}

/** In whole pieces, or thousandths of what is measured. */
function usedOf({ metadata }: V1ResourceQuota, name: string, state: WorldState): number {
  const counted = COUNTED[name];
  if (!counted) return 0;
  return state
    .list(counted.resource)
    .filter((object) => object.metadata?.namespace === metadata?.namespace)
    .filter((object) => counted.resource !== "pods" || isUsing(object as V1Pod))
    .reduce((sum, object) => sum + counted.amount(object), 0);
}

function isUsing(pod: V1Pod): boolean {
  return !isOver(pod) && !isEnding(pod);
}

function unitsOf(name: string, text: string): number {
  return name.startsWith("requests.") ? quantityMillis(text) : Number(text);
}
