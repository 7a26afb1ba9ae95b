import { ResourceQuota } from "../../api/core/resource-quota.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { compareQuantities, subtractQuantities } from "../../api/machinery/quantity.ts";
import {
  addUsage,
  applies,
  counts,
  formatUsage,
  missingRequests,
  readUsage,
  usageOf,
  writeUsage,
  type Usage,
} from "../../api/quota/usage.ts";
import type { Instant } from "../../base/clock.ts";
import { refuse } from "../admission/refusal.ts";
import { encodedForm, type AlsoWritten } from "../registry/commit.ts";
import { namespaceRange } from "../registry/keys.ts";
import type { ObjectVersion } from "../registry/object-version.ts";
import type { AdmissionCall } from "../request.ts";
import type { ResourceTable, ServedResource } from "../resource-table.ts";

/** What of a call says whether quotas have to do with it. */
export type CountedCall = Pick<AdmissionCall, "info" | "kind">;

/** Kinds whose updates can use more than before. @spec k8s@1.36 pkg/quota/v1/evaluator/core Handles */
const GROWING = new Set(["/services/", "/persistentvolumeclaims/", "/pods/resize"]);

/**
 * Bounds what the objects of a namespace use in sum.
 *
 * Writes that a quota counts take turns per namespace, because each is committed together with the quota it changes, on the
 * condition that nobody else has changed it: two at once would only make one of them start anew.
 *
 * @spec k8s@1.36 apiserver plugin/resourcequota/controller.go checkRequest
 */
export class QuotaGate {
  readonly #resources: ResourceTable;
  /** By namespace: resolves when the last one in the queue is done. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(resources: ResourceTable) {
    this.#resources = resources;
  }

  /** True where a quota of the namespace counts what the call writes. Cheap: every write asks. */
  concerns(call: CountedCall, operation: "CREATE" | "UPDATE"): boolean {
    const { group, plural, subresource, namespace } = call.info;
    const isHandled =
      operation === "CREATE"
        ? subresource === ""
        : GROWING.has(`${group}/${plural}/${subresource}`);
    if (!isHandled || namespace === "") return false;
    return this.#quotas(namespace).some((version) =>
      Object.keys(quotaOf(version).spec?.hard ?? {}).some((name) => counts(call.kind, name)),
    );
  }

  /** Runs `work` when everybody who came before is done with the namespace's quotas. */
  async inTurn<T>(namespace: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(namespace);
    const mine = (before ?? Promise.resolve()).then(work);
    const over = mine.then(
      () => {},
      () => {},
    );
    this.#turns.set(namespace, over);
    void over.then(() => {
      if (this.#turns.get(namespace) === over) this.#turns.delete(namespace);
    });
    return mine;
  }

  /**
   * What has to be written with `object` so that the quotas that count it stay true.
   *
   * @throws {StatusError} Forbidden: it is too much, a container names no amount of what is bounded, or a new quota has not been
   * counted yet.
   */
  charge(
    call: AdmissionCall,
    object: KubeObject,
    old: KubeObject | undefined,
    now: Instant,
  ): readonly AlsoWritten[] {
    const served = this.#resources.of(ResourceQuota);
    if (!served) return [];
    const writes: AlsoWritten[] = [];
    for (const version of this.#quotas(call.info.namespace)) {
      const quota = quotaOf(version);
      if (!applies(quota, call.kind, object)) continue;
      const wasCounted = old !== undefined && applies(quota, call.kind, old);
      const before = wasCounted ? usageOf(call.kind, old, now) : undefined;
      const charged = charge(call, quota, usageOf(call.kind, object, now), before);
      if (charged) writes.push(written(served, version, charged));
    }
    return writes;
  }

  #quotas(namespace: string): readonly ObjectVersion[] {
    const cache = this.#resources.of(ResourceQuota)?.cache;
    if (!cache) return [];
    const [from, to] = namespaceRange(namespace);
    return cache.versions.slice(from, to, Infinity);
  }
}

function quotaOf(version: ObjectVersion): ResourceQuota {
  return version.object as ResourceQuota;
}

function written(
  served: ServedResource,
  version: ObjectVersion,
  quota: ResourceQuota,
): AlsoWritten {
  const { value } = encodedForm(served, quota);
  return { key: served.prefix + version.key, value, expect: version.revision };
}

/** @returns the quota with what is used now; `undefined`: nothing more is. */
function charge(
  call: AdmissionCall,
  quota: ResourceQuota,
  usage: Usage,
  before: Usage | undefined,
): ResourceQuota | undefined {
  const name = quota.metadata?.name ?? "";
  const bounded = Object.keys(quota.spec?.hard ?? {}).filter((one) => counts(call.kind, one));
  const missing = missingRequests(call.kind, bounded, call.object!);
  if (missing) throw refuse(call, `failed quota: ${name}: must specify ${missing}`);
  const asked = new Map([...more(usage, before)].filter(([one]) => bounded.includes(one)));
  if (asked.size === 0) return undefined;
  const { hard, used: usedText = {} } = quota.status ?? {};
  const [limits, used] = [readUsage(hard), readUsage(usedText)];
  const unknown = [...asked.keys()].filter((one) => !limits.has(one) || !used.has(one)).sort();
  if (unknown.length > 0)
    throw refuse(call, `status unknown for quota: ${name}, resources: ${unknown.join(",")}`);
  const sum = new Map(used);
  addUsage(sum, asked);
  const over = [...asked.keys()].filter(
    (one) => compareQuantities(sum.get(one)!, limits.get(one)!) > 0,
  );
  if (over.length > 0) {
    const shown = (of: Usage): string =>
      formatUsage(new Map(over.map((one) => [one, of.get(one)!])));
    throw refuse(
      call,
      `exceeded quota: ${name}, requested: ${shown(asked)}, used: ${shown(used)}, limited: ${shown(limits)}`,
    );
  }
  const total = {
    ...usedText,
    ...writeUsage(new Map([...asked.keys()].map((one) => [one, sum.get(one)!]))),
  };
  return { ...quota, status: { ...quota.status, used: total } };
}

/** What `usage` has more than `before`. @spec k8s@1.36 apiserver quota/v1 SubtractWithNonNegativeResult */
function more(usage: Usage, before: Usage | undefined): Usage {
  if (!before) return usage;
  const grown = new Map<string, ReturnType<typeof subtractQuantities>>();
  for (const [name, amount] of usage) {
    const old = before.get(name);
    const grownBy = old ? subtractQuantities(amount, old) : amount;
    if (grownBy.nanos > 0n) grown.set(name, grownBy);
  }
  return grown;
}
