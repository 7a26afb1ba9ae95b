import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ReplicaSet } from "../../api/apps/replica-set.ts";
import { Lease } from "../../api/coordination/lease.ts";
import { ConfigMap } from "../../api/core/config-map.ts";
import { Namespace } from "../../api/core/namespace.ts";
import { Pod } from "../../api/core/pod.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { InProcessCache } from "../../apiserver/in-process-cache.ts";
import type { Plan } from "../../reconciler/controller.ts";
import type { Loop } from "../../reconciler/runner.ts";
import { fixedKinds } from "../../reconciler/served-kinds.ts";
import { inServer } from "../../../test/support/api-server.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { namespaceLoop, plan, type Left } from "./namespace.ts";

const NOW = Date.UTC(2026, 0, 1);

function namespace(
  finalizers: readonly string[] = ["kubernetes"],
  own?: readonly string[],
): Namespace {
  return {
    metadata: {
      name: "d",
      uid: "n",
      deletionTimestamp: "2026-01-01T00:00:00Z",
      ...(own && { finalizers: own }),
    },
    spec: { finalizers },
    status: { phase: "Terminating" },
  };
}

const thing = (name: string, deleting = false, finalizers?: readonly string[]): KubeObject => ({
  metadata: {
    name,
    namespace: "d",
    uid: name,
    ...(finalizers && { finalizers }),
    ...(deleting && { deletionTimestamp: "2026-01-01T00:00:00Z" }),
  },
});

function run(
  content: readonly (readonly [Kind, readonly KubeObject[]])[],
  ns = namespace(),
  isCurrent = true,
): Plan {
  const left = content.map(([kind, objects]): [Kind, Left] => [kind, leftOf(objects)]);
  return plan({ namespace: ns, content: new Map(left), isCurrent }, NOW);
}

function leftOf(first: readonly KubeObject[], isToBeContinued = false): Left {
  const untouched = first.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
  return { count: first.length, first, untouched, isToBeContinued };
}

function words({ writes = [] }: Plan): string {
  return writes
    .map((write) =>
      write.verb === "delete"
        ? `delete ${write.key.name}`
        : `${write.verb}/${"subresource" in write ? write.subresource : ""}`,
    )
    .join(", ");
}

function conditions(result: Plan): Record<string, string> {
  const list = (result.status as Namespace["status"])?.conditions ?? [];
  return Object.fromEntries(
    list.map(({ type, status, message }) => [type, `${status}: ${message}`]),
  );
}

describe("namespace plan", () => {
  it("Pods go first, the rest when none is left", () => {
    const maps = [ConfigMap, [thing("m")]] as const;
    assert.equal(words(run([[Pod, [thing("p")]], maps])), "delete p");
    assert.equal(words(run([[Pod, [thing("p", true)]], maps])), "", "what is going is waited for");
    assert.equal(words(run([[Pod, []], maps, [ReplicaSet, [thing("r")]]])), "delete m, delete r");
  });

  it("empty: the finalizer goes, and nothing is written to what is then gone", () => {
    const result = run([[Pod, []]]);
    assert.equal(words(result), "update/finalize");
    assert.equal(result.status, undefined);
    const [write] = result.writes!;
    assert.deepEqual((write as { object: Namespace }).object.spec?.finalizers, []);
  });

  it("another finalizer keeps the namespace, which then says that it is empty", () => {
    const result = run([[Pod, []]], namespace(["kubernetes", "mine"]));
    assert.equal(words(result), "update/finalize");
    assert.equal(
      conditions(result).NamespaceContentRemaining,
      "False: All content successfully removed",
    );
  });

  it("caches that are behind: not yet", () => {
    const result = run([[Pod, []]], namespace(), false);
    assert.equal(words(result), "");
    assert.equal(result.wakeAt, NOW + 50);
  });

  it("without our finalizer there is nothing to do", () => {
    assert.deepEqual(run([[Pod, [thing("p")]]], namespace([])), {});
  });

  it("says what remains, and on which finalizers it waits", () => {
    const result = run([
      [Lease, [thing("l", true)]],
      [ConfigMap, [thing("a", true, ["x/y"]), thing("b", true, ["x/y"])]],
    ]);
    assert.deepEqual(conditions(result), {
      NamespaceDeletionDiscoveryFailure: "False: All resources successfully discovered",
      NamespaceDeletionGroupVersionParsingFailure:
        "False: All legacy kube types successfully parsed",
      NamespaceDeletionContentFailure:
        "False: All content successfully deleted, may be waiting on finalization",
      NamespaceContentRemaining:
        "True: Some resources are remaining: configmaps. has 2 resource instances, leases.coordination.k8s.io has 1 resource instances",
      NamespaceFinalizersRemaining:
        "True: Some content in the namespace has finalizers remaining: x/y in 2 resource instances",
    });
  });

  it("says which delete failed", () => {
    const result = run([[ConfigMap, [thing("a")]]]);
    const status = result.statusOnFailure!({ write: result.writes![0]!, message: "no" });
    assert.equal(
      conditions({ status }).NamespaceDeletionContentFailure,
      "True: Failed to delete all resource types, 1 remaining: no",
    );
  });

  it("looks on at once where a step met only what is going, and not where it looked at all", () => {
    const going = [thing("a", true)];
    const step = (isToBeContinued: boolean): Plan =>
      plan(
        {
          namespace: namespace(),
          content: new Map([[Pod, leftOf(going, isToBeContinued)]]),
          isCurrent: true,
        },
        NOW,
      );
    assert.equal(step(true).wakeAt, NOW);
    assert.equal(step(false).wakeAt, undefined);
  });
});

describe("namespace loop", () => {
  it(
    "looks at a bounded number of objects in a step, and yet finds each that is not going",
    inServer(async ({ server, request }) => {
      const maps = "/api/v1/namespaces/d/configmaps";
      await request("POST", "/api/v1/namespaces", { metadata: { name: "d" } });
      for (let at = 0; at <= COUNT; at++) {
        const name = `m-${String(at).padStart(4, "0")}`;
        await request("POST", maps, { metadata: { name, finalizers: ["x/y"] } });
        if (at < COUNT) await request("DELETE", `${maps}/${name}`);
      }
      await request("DELETE", "/api/v1/namespaces/d");
      const cache = new InProcessCache(server.parts);
      let looked = 0;
      const loop = namespaceLoop(fixedKinds([ConfigMap]), {
        get: (kind, key) => cache.get(kind, key),
        count: (kind, namespace) => cache.count(kind, namespace),
        revision: () => cache.revision(),
        list: (kind, filter) => {
          const found = cache.list(kind, filter);
          looked += found.length;
          return found;
        },
      });
      const steps: string[] = [];
      for (let at = 0; at < 6; at++) {
        looked = 0;
        const { plan: made } = loop.decide("d", NOW)!;
        assert.ok(looked <= 1000, `${looked} objects in one step`);
        steps.push(`${words(made)}${made.wakeAt === undefined ? "" : " again"}`);
        if (words(made) !== "") await request("DELETE", `${maps}/m-${COUNT}`);
        const remaining = conditions(made).NamespaceContentRemaining;
        assert.match(remaining!, new RegExp(`has ${COUNT + 1} resource instances`));
      }
      assert.deepEqual(steps, [" again", " again", `delete m-${COUNT}`, " again", " again", ""]);
      cache.close();
    }),
  );
});

describe("namespace loop whose deletes are refused", () => {
  it("goes on to what is behind them, and comes back", () => {
    const cache = new StaticCache();
    putNamespace(cache, { phase: "Terminating" });
    const things = Array.from({ length: 600 }, (_, at) =>
      thing(`p${String(at).padStart(4, "0")}`, false),
    );
    const loop = namespaceLoop(fixedKinds([Namespace, Pod]), {
      get: cache.get.bind(cache),
      count: () => things.length,
      revision: () => 2,
      list: (_kind, { after = "", limit = Infinity } = {}) =>
        things.filter(({ metadata }) => metadata!.name! > after).slice(0, limit) as never[],
    });
    const firsts = Array.from({ length: 3 }, () => {
      const [write] = loop.decide("d", NOW)!.plan.writes ?? [];
      return write?.verb === "delete" && write.key.name;
    });
    assert.deepEqual(firsts, ["p0000", "p0500", "p0000"]);
  });
});

/** More than two steps. */
const COUNT = 1001;

/** The loop over a cache that a test fills, and that is past everything. */
function loopWith(pods: readonly KubeObject[]): { cache: StaticCache; loop: Loop } {
  const cache = new StaticCache();
  putNamespace(cache, { phase: "Terminating" });
  for (const pod of pods) cache.put(Pod, pod);
  const reader = {
    get: cache.get.bind(cache),
    list: cache.list.bind(cache),
    count: (kind: Kind, space: string) => cache.list(kind, { namespace: space }).length,
    revision: () => 2,
  };
  return { cache, loop: namespaceLoop(fixedKinds([Namespace, Pod]), reader) };
}

function putNamespace(cache: StaticCache, status: Namespace["status"] & {}): void {
  const { metadata, ...rest } = namespace();
  cache.put(Namespace, { ...rest, metadata: { ...metadata, resourceVersion: "1" }, status });
}

/** Plans, and has the cache show the status if it is to be written. @returns true: it was */
function look({ cache, loop }: ReturnType<typeof loopWith>, at: number): Plan & { told: boolean } {
  const { plan: next, primary } = loop.decide("d", NOW + at)!;
  const before = (primary?.object as Namespace).status;
  const told = !!next.status && JSON.stringify(next.status) !== JSON.stringify(before);
  if (told) putNamespace(cache, next.status as Namespace["status"] & {});
  return { ...next, told };
}

describe("how often the status is written", () => {
  /** Pods go, one every so many ms: `ms:left` of each write of the status. */
  function tellsOf(pods: number, everyMs: number): string {
    const world = loopWith(Array.from({ length: pods }, (_, i) => thing(`p${i}`, true)));
    const told: string[] = [];
    let wakeAt = Infinity;
    const lookAt = (at: number): void => {
      const next = look(world, at);
      wakeAt = next.wakeAt === undefined ? Infinity : next.wakeAt - NOW;
      const left = conditions(next)["NamespaceContentRemaining"]?.replace(/\D+/g, "");
      if (next.told) told.push(`${at}:${left}`);
    };
    lookAt(0);
    for (let gone = 1; gone < pods; gone++) {
      while (wakeAt < gone * everyMs) lookAt(wakeAt);
      world.cache.remove(Pod, { namespace: "d", name: `p${gone}` });
      lookAt(gone * everyMs);
    }
    if (wakeAt < Infinity) lookAt(wakeAt);
    return told.join(" ");
  }

  const rows: readonly (readonly [number, number, string])[] = [
    [1, 100, "0:1"],
    [40, 0, "0:40 2000:1"],
    [40, 50, "0:40 2000:1"],
    [9, 500, "0:9 2000:5 4000:1"],
    [3, 5000, "0:3 5000:2 10000:1"],
  ];
  for (const [pods, everyMs, expected] of rows)
    it(`${pods} Pods, one goes every ${everyMs} ms: told ${expected}`, () => {
      assert.equal(tellsOf(pods, everyMs), expected);
    });

  it("a clock that is set back holds nothing back", () => {
    const world = loopWith([thing("a", true), thing("b", true)]);
    assert.equal(look(world, 3_600_000).told, true);
    world.cache.remove(Pod, { namespace: "d", name: "a" });
    assert.equal(look(world, 0).told, true);
  });

  it("what means something is told at once: that a Pod waits for a finalizer", () => {
    const world = loopWith([thing("p", true)]);
    look(world, 0);
    world.cache.put(Pod, thing("p", true, ["x/y"]));
    const next = look(world, 1);
    assert.equal(next.told, true);
    assert.match(conditions(next)["NamespaceFinalizersRemaining"]!, /^True: .* x\/y in 1 /);
  });
});
