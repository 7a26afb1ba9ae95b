import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type {
  V1PersistentVolumeClaim,
  V1Pod,
  V1ResourceQuota,
  V1StatefulSet,
} from "../../../src/gen/types.ts";
import { namespace, node, pod } from "../../support/builders.ts";
import { claims } from "./claims.ts";
import { preemptions } from "./preemptions.ts";
import { quotas } from "./quotas.ts";
import { Story } from "./story.ts";

const ENDING = { deletionTimestamp: "2026-01-01T00:00:00Z" };

describe("quotas checker", () => {
  const bounds = (hard: object, used: object, wanted = hard): V1ResourceQuota =>
    ({
      metadata: { name: "bounds", namespace: "default" },
      spec: { hard: wanted },
      status: { hard, used },
    }) as V1ResourceQuota;
  const asks = (name: string, cpu: string, phase = "Running"): V1Pod =>
    pod(name, {
      spec: { containers: [{ name: "app", resources: { requests: { cpu } } }] },
      status: { phase },
    });
  const world = (quota: V1ResourceQuota, ...pods: readonly V1Pod[]): Story => {
    const story = new Story();
    story.put("resourcequotas", quota);
    for (const one of pods) story.put("pods", one);
    return story;
  };
  const steps = (...story: Parameters<typeof world>): string =>
    quotas.check!(world(...story).with()).join();
  const rest = (...story: Parameters<typeof world>): string =>
    quotas.checkAtRest!(world(...story).with()).join();

  it("tells of what is made beyond a bound", () => {
    const hard = { pods: "1", "requests.cpu": "500m" };
    assert.equal(steps(bounds(hard, {}), asks("a", "500m")), "");
    assert.equal(steps(bounds(hard, {}), asks("a", "500m", "Failed"), asks("b", "500m")), "");
    assert.match(
      steps(bounds(hard, {}), asks("a", "200m"), asks("b", "200m")),
      /default\/b at 3: default\/bounds has pods 1, and 2 are there/,
    );
    assert.match(steps(bounds(hard, {}), asks("a", "501m")), /has requests.cpu 500m/);
  });

  it("tells at rest of a status that says otherwise", () => {
    const hard = { pods: "3", "requests.cpu": "1" };
    const used = { pods: "1", "requests.cpu": "500m" };
    assert.equal(rest(bounds(hard, used), asks("a", "500m"), asks("b", "1", "Failed")), "");
    assert.match(rest(bounds(hard, used)), /counts pods 1, due 0/);
    assert.match(rest(bounds(hard, used), asks("a", "1")), /counts requests.cpu 500, due 1000/);
    assert.match(
      rest(bounds(hard, used, { ...hard, pods: "4" }), asks("a", "500m")),
      /has pods 3, not 4/,
    );
  });
});

describe("preemptions checker", () => {
  const asks = (name: string, cpu: string, priority: number, nodeName?: string): V1Pod =>
    pod(name, {
      spec: {
        priority,
        ...(nodeName && { nodeName }),
        containers: [{ name: "app", resources: { requests: { cpu } } }],
      },
    });
  const world = (...pods: readonly V1Pod[]): Story => {
    const story = new Story();
    story.put(
      "nodes",
      node("n", { status: { allocatable: { cpu: "1", memory: "1Gi", pods: "9" } } }),
    );
    for (const one of pods) story.put("pods", one);
    return story;
  };
  const leaves = (victim: V1Pod): V1Pod => ({
    ...victim,
    metadata: { ...victim.metadata, ...ENDING },
    status: {
      conditions: [{ type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" }],
    },
  });
  const low = asks("low", "600m", 0, "n");
  const steps = (...pods: readonly V1Pod[]): string =>
    preemptions.check!(world(...pods).with()).join();
  const rest = (...pods: readonly V1Pod[]): string =>
    preemptions.checkAtRest!(world(...pods).with()).join();

  it("tells of one that made way for nobody, or needlessly", () => {
    assert.equal(steps(low, asks("high", "600m", 9), leaves(low)), "");
    assert.match(steps(low, asks("high", "600m", 0), leaves(low)), /nobody of higher priority/);
    assert.match(steps(low, asks("high", "100m", 9), leaves(low)), /all had room on n/);
  });

  it("tells at rest of one that waits though it could have room", () => {
    assert.match(rest(low, asks("high", "600m", 9)), /default\/high waits, and Pods of lower/);
    assert.equal(rest(low, asks("high", "600m", 0)), "");
    assert.equal(rest(low, asks("high", "2", 9)), "");
  });
});

describe("claims checker", () => {
  const setOf = (policy: object = {}, replicas = 1): V1StatefulSet =>
    ({
      metadata: { name: "db", namespace: "default" },
      spec: {
        replicas,
        persistentVolumeClaimRetentionPolicy: policy,
        selector: {},
        template: {},
        volumeClaimTemplates: [{ metadata: { name: "data" } }],
      },
    }) as V1StatefulSet;
  const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: "db", uid: "uid-of-db" };
  const member = (ordinal: number, metadata: object = {}, volumeOf = "data"): V1Pod => {
    const claimName = `${volumeOf}-db-${ordinal}`;
    return pod(`db-${ordinal}`, {
      metadata: { ownerReferences: [{ ...owner, controller: true }], ...metadata },
      spec: { containers: [], volumes: [{ name: "data", persistentVolumeClaim: { claimName } }] },
    });
  };
  const claim = (
    ordinal: number,
    isOwned = false,
    metadata: object = {},
  ): V1PersistentVolumeClaim =>
    ({
      metadata: {
        name: `data-db-${ordinal}`,
        namespace: "default",
        ...(isOwned && { ownerReferences: [owner] }),
        ...metadata,
      },
    }) as V1PersistentVolumeClaim;
  const world = (set: V1StatefulSet): Story => {
    const story = new Story();
    story.put("namespaces", namespace());
    story.put("apps/statefulsets", set);
    story.put("pods", member(0));
    return story;
  };

  it("tells of a claim that was taken away though nobody owned it", () => {
    const story = world(setOf());
    story.put("persistentvolumeclaims", claim(0));
    story.put("persistentvolumeclaims", claim(0, false, ENDING));
    assert.match(claims.check!(story.with()).join(), /data-db-0 was taken away at 5/);
    const owned = world(setOf());
    owned.put("persistentvolumeclaims", claim(0, true));
    owned.remove("persistentvolumeclaims", "default/data-db-0");
    assert.deepEqual(claims.check!(owned.with()), []);
  });

  it("tells at rest of a claim that is missing, or is owned by whom it should not be", () => {
    const rest = (set: V1StatefulSet, ...all: readonly V1PersistentVolumeClaim[]): string => {
      const story = world(set);
      for (const one of all) story.put("persistentvolumeclaims", one);
      return claims.checkAtRest!(story.with()).join();
    };
    assert.equal(rest(setOf(), claim(0)), "");
    assert.match(rest(setOf()), /default\/db-0 has no claim/);
    assert.match(
      rest(setOf(), claim(0, true)),
      /owned by StatefulSet db, whenDeleted is undefined/,
    );
    assert.equal(rest(setOf({ whenDeleted: "Delete" }), claim(0, true)), "");
    assert.match(rest(setOf({ whenDeleted: "Delete" }), claim(0)), /owned by nobody/);
  });

  describe("of Pods that lack their claim's volume", () => {
    const misfit = (ordinal: number, phase = "Running", isReady = true): V1Pod => {
      const conditions = [{ type: "Ready", status: isReady ? "True" : "False" }];
      return { ...member(ordinal, {}, "other"), status: { phase, conditions } };
    };
    const well = (ordinal: number): V1Pod => ({ ...misfit(ordinal), spec: member(ordinal).spec! });
    const rest = (
      set: V1StatefulSet,
      pods: readonly V1Pod[],
      ...all: readonly V1PersistentVolumeClaim[]
    ): string => {
      const story = new Story();
      story.put("namespaces", namespace());
      story.put("apps/statefulsets", set);
      for (const one of pods) story.put("pods", one);
      for (const one of all) story.put("persistentvolumeclaims", one);
      return claims.checkAtRest!(story.with()).join();
    };
    const parallel = (replicas: number): V1StatefulSet => {
      const set = setOf({}, replicas);
      return { ...set, spec: { ...set.spec!, podManagementPolicy: "Parallel" } };
    };

    it("tells of the first one's claim when it is missing", () => {
      assert.equal(rest(setOf(), [misfit(0)], claim(0)), "");
      assert.match(rest(setOf(), [misfit(0)]), /default\/db-0 has no claim/);
      assert.match(rest(setOf(), [misfit(0, "Pending", false)]), /default\/db-0 has no claim/);
      assert.equal(rest(setOf(), [misfit(0, "Running", false)]), ""); // nobody comes to it
      assert.match(rest(parallel(1), [misfit(0, "Running", false)]), /default\/db-0 has no claim/);
      assert.match(rest(setOf({ whenDeleted: "Delete" }), [misfit(0)], claim(0)), /by nobody/);
    });

    it("wants none of those that its set does not come to", () => {
      assert.equal(rest(setOf({}, 2), [misfit(0), misfit(1)], claim(0)), "");
      assert.equal(rest(setOf({}, 1), [misfit(0), misfit(1)], claim(0)), "");
      assert.equal(rest(setOf({}, 2), [misfit(0), well(1)], claim(0), claim(1, true)), "");
      assert.equal(rest(parallel(2), [misfit(0), misfit(1)], claim(0)), "");
    });

    it("tells of one below it, of one in its batch, and of one that has the volume", () => {
      assert.match(
        rest(setOf({}, 2), [well(0), misfit(1)], claim(0, true), claim(1)),
        /data-db-0 is owned by StatefulSet db/,
      );
      assert.match(rest(parallel(3), [well(0), misfit(1), misfit(2)], claim(0), claim(1)), /db-2/);
      assert.match(rest(setOf({}, 2), [misfit(0), well(1)], claim(0)), /db-1 has no claim/);
    });
  });

  it("tells at rest of a claim whose Pod was scaled away", () => {
    const story = world(setOf({ whenScaled: "Delete" }));
    story.put("persistentvolumeclaims", claim(0));
    story.put("persistentvolumeclaims", claim(1));
    story.put("pods", member(1));
    story.put("pods", member(1, ENDING));
    story.remove("pods", "default/db-1");
    assert.match(
      claims.checkAtRest!(story.with()).join(),
      /data-db-1 is left, and its Pod was scaled away/,
    );
    story.remove("persistentvolumeclaims", "default/data-db-1");
    assert.deepEqual(claims.checkAtRest!(story.with()), []);
  });
});
