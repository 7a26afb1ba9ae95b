import { Pod } from "../../api/core/pod.ts";
import { ResourceQuota } from "../../api/core/resource-quota.ts";
import { equalSemantic } from "../../api/machinery/equality.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import { formatKey, keyOf, parseKey, type KubeObject } from "../../api/machinery/object.ts";
import { parseQuantity, type Quantity } from "../../api/machinery/quantity.ts";
import { addUsage, applies, counts, usageOf, writeUsage } from "../../api/quota/usage.ts";
import { parseTime, type Instant } from "../../base/clock.ts";
import type { Cache, CacheChange } from "../../client/cache.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { isBeingDeleted } from "../../reconciler/ownership.ts";
import { isPodTerminal } from "../../reconciler/pod-state.ts";
import type { Loop } from "../../reconciler/runner.ts";
import type { ServedKinds } from "../../reconciler/served-kinds.ts";

/** Kinds whose objects can come to use less while they exist. */
const SHRINKING = new Set(["services", "persistentvolumeclaims"]);

/** `content`: the objects of the quota's namespace, of the kinds that it counts. */
export interface Observed {
  readonly quota: ResourceQuota;
  readonly content: ReadonlyMap<Kind, readonly KubeObject[]>;
}

const NONE: readonly never[] = [];

/**
 * Keeps `status` of ResourceQuotas: the bounds that hold, and what is used of them.
 *
 * Whoever makes something raises the count with it, so one that is written here must know of everything that the count had: a controller
 * that follows the server over the network waits for all kinds that count. Upstream does not, and lets a quota be passed.
 *
 * Kinds come and go with custom resources, therefore a loop and not a fixed controller.
 * @spec k8s@1.36 pkg/controller/resourcequota/resource_quota_controller.go
 */
export function resourceQuotaLoop(served: ServedKinds, cache: Cache): Loop {
  const namespaced = (): readonly Kind[] => served.current().filter((kind) => kind.isNamespaced);
  return {
    name: "resourcequota-controller",
    kinds: { current: namespaced, onChange: (call) => served.onChange(call) },
    keysOf(change) {
      const { kind, key } = change;
      const own = kind === ResourceQuota ? [formatKey(key)] : NONE;
      const quotas = cache.list(ResourceQuota, { namespace: key.namespace });
      if (quotas.length === 0 || !frees(change)) return own;
      const counting = quotas.filter((quota) => names(quota).some((name) => counts(kind, name)));
      return [...own, ...counting.map((quota) => formatKey(keyOf(quota)))];
    },
    decide(text, now) {
      const quota = cache.get(ResourceQuota, parseKey(text));
      if (!quota || isBeingDeleted(quota)) return undefined;
      const kinds = namespaced().filter((kind) => names(quota).some((name) => counts(kind, name)));
      const { namespace } = parseKey(text);
      const content = new Map(
        kinds.map((kind) => [kind, cache.list(kind, { namespace })] as const),
      );
      // What was made with the quota's newest version counts, though the cache of its kind may not have it yet.
      const revision = Number(quota.metadata?.resourceVersion ?? 0);
      const needs = new Map(kinds.map((kind) => [kind, revision] as const));
      const primary = { kind: ResourceQuota, object: quota, observesGeneration: false };
      return { plan: plan({ quota, content }, now), primary, needs };
    },
  };
}

function names({ spec }: ResourceQuota): readonly string[] {
  return Object.keys(spec?.hard ?? {});
}

/** True of a change after which less may be used than before. */
function frees({ kind, old, object }: CacheChange): boolean {
  if (!object) return true;
  if (!old) return false;
  if (kind === Pod) {
    if (isPodTerminal(object as Pod) || isBeingDeleted(object)) return true;
    return !equalSemantic((object as Pod).spec, (old as Pod).spec);
  }
  return kind.group === "" && SHRINKING.has(kind.plural);
}

/** Pure; see {@link resourceQuotaLoop}. */
export function plan({ quota, content }: Observed, now: Instant): Plan {
  const hard = quota.spec?.hard ?? {};
  const total = new Map<string, Quantity>(
    Object.keys(hard).map((name) => [name, parseQuantity("0")]),
  );
  let wakeAt = Infinity;
  for (const [kind, objects] of content)
    for (const object of objects) {
      if (!applies(quota, kind, object)) continue;
      const usage = [...usageOf(kind, object, now)].filter(([name]) => total.has(name));
      addUsage(total, new Map(usage));
      wakeAt = Math.min(wakeAt, freedAt(object, now));
    }
  return {
    status: { hard, used: writeUsage(total) },
    ...(wakeAt < Infinity && { wakeAt }),
  };
}

/** When an object that is ending is no longer counted, should it stay on. */
function freedAt({ metadata }: KubeObject, now: Instant): Instant {
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata ?? {};
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return Infinity;
  const end = parseTime(deletionTimestamp) + deletionGracePeriodSeconds * 1000 + 1;
  return end > now ? end : Infinity;
}
