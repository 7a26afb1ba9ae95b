import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Pod, V1StatefulSet } from "../../../src/gen/types.ts";
import { namespace, pod } from "../../support/builders.ts";
import type { RuntimeMoment } from "../world/history.ts";
import { ordinals } from "./ordinals.ts";
import { setOrder } from "./set-order.ts";
import { statefulSets } from "./stateful-sets.ts";
import { Story } from "./story.ts";

function setOf(spec: object = {}, status: object = {}): V1StatefulSet {
  return {
    metadata: { name: "db", namespace: "default", generation: 1 },
    spec: { replicas: 2, ...spec },
    status: {
      replicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      observedGeneration: 1,
      updateRevision: "new",
      ...status,
    },
  } as V1StatefulSet;
}

/** `db-N`, ready or not. */
function member(ordinal: number, isReady = true, parts: Partial<V1Pod["metadata"]> = {}): V1Pod {
  const ownerReferences = [
    { apiVersion: "apps/v1", kind: "StatefulSet", name: "db", uid: "uid-of-db", controller: true },
  ];
  const labels = { "controller-revision-hash": "new" };
  return pod(`db-${ordinal}`, {
    metadata: { ownerReferences, labels, ...parts },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
    },
  });
}

function world(set: V1StatefulSet, ...members: readonly V1Pod[]): Story {
  const story = new Story();
  story.put("namespaces", namespace());
  story.put("apps/statefulsets", set);
  for (const one of members) story.put("pods", one);
  return story;
}

const ENDING = { deletionTimestamp: "2026-01-01T00:00:00Z" };

describe("stateful sets checker", () => {
  const problems = (set: V1StatefulSet, ...members: readonly V1Pod[]): string =>
    statefulSets.checkAtRest!(world(set, ...members).with()).join("; ");

  it("is content with all ordinals of the newest revision", () => {
    assert.equal(problems(setOf(), member(0), member(1)), "");
  });

  it("tells of one that is missing, too much, or old, and of a count that is wrong", () => {
    assert.match(
      problems(setOf({}, { replicas: 1, readyReplicas: 1, availableReplicas: 1 }), member(0)),
      /db-1 is missing/,
    );
    assert.match(problems(setOf({ replicas: 1 }), member(0), member(1)), /db-1 is too much/);
    const old = { labels: { "controller-revision-hash": "old" } };
    assert.match(problems(setOf(), member(0), member(1, true, old)), /db-1 is of an old revision/);
    assert.match(
      problems(setOf({}, { readyReplicas: 1 }), member(0), member(1)),
      /readyReplicas 1, due 2/,
    );
    assert.match(
      problems(setOf({}, { availableReplicas: 1 }), member(0), member(1)),
      /availableReplicas 1, due 2/,
    );
    assert.match(problems(setOf({}, { observedGeneration: 0 })), /was not observed/);
  });

  it("lets an ordered set wait for one that is ready since a moment to come", () => {
    const set = setOf({}, { replicas: 1, readyReplicas: 1, availableReplicas: 0 });
    const readySince = (lastTransitionTime: string): V1Pod => ({
      ...member(0),
      status: {
        phase: "Running",
        conditions: [{ type: "Ready", status: "True", lastTransitionTime }],
      },
    });
    assert.equal(problems(set, readySince("2026-01-02T00:00:00Z")), "");
    assert.match(problems(set, readySince("2026-01-01T00:00:00Z")), /db-1 is missing/);
  });

  describe("of a set that a Pod without its claim's volume stops", () => {
    const volumeClaimTemplates = [{ metadata: { name: "data" } }];
    /** As many replicas; `ready` Pods are there. */
    const claiming = (replicas: number, ready: number, spec: object = {}): V1StatefulSet =>
      setOf(
        { replicas, volumeClaimTemplates, ...spec },
        { replicas: ready, readyReplicas: ready, availableReplicas: ready },
      );
    const withClaim = (one: V1Pod, claimName = `data-${one.metadata?.name}`): V1Pod => ({
      ...one,
      spec: { containers: [], volumes: [{ name: "data", persistentVolumeClaim: { claimName } }] },
    });
    const whole = (ordinal: number): V1Pod => withClaim(member(ordinal));
    const old = { labels: { "controller-revision-hash": "old" } };

    it("lets it stand still: no Pod comes, goes or is updated", () => {
      assert.equal(problems(claiming(2, 1), member(0)), "");
      assert.equal(problems(claiming(2, 1), withClaim(member(0), "data-other-0")), "");
      assert.equal(problems(claiming(1, 2), member(0), whole(1)), "");
      assert.equal(problems(claiming(2, 2), member(0), withClaim(member(1, true, old))), "");
    });

    it("tells of the same where all Pods have the volume, or the set has no claims", () => {
      assert.match(problems(claiming(2, 1), whole(0)), /db-1 is missing/);
      assert.match(problems(claiming(1, 2), whole(0), whole(1)), /db-1 is too much/);
      assert.match(
        problems(claiming(2, 2), whole(0), withClaim(member(1, true, old))),
        /db-1 is of an old revision/,
      );
      const plain = { volumeClaimTemplates: [] };
      assert.match(problems(claiming(2, 1, plain), member(0)), /db-1 is missing/);
    });

    it("tells of one below it that is missing, and of one that is not wanted", () => {
      assert.match(problems(claiming(2, 1), member(1)), /db-0 is missing/);
      assert.match(problems(claiming(1, 2), whole(0), member(1)), /db-1 is too much/);
      const later = { ordinals: { start: 1 } };
      assert.match(problems(claiming(1, 2, later), member(0), whole(1)), /db-0 is too much/);
    });

    it("tells of a count that is wrong", () => {
      assert.match(problems(claiming(2, 0), member(0)), /status.replicas 0, due 1/);
    });

    it("wants the whole batch of a parallel set", () => {
      const parallel = (replicas: number, ready: number): V1StatefulSet =>
        claiming(replicas, ready, { podManagementPolicy: "Parallel" });
      assert.equal(problems(parallel(5, 1), member(0)), "");
      assert.equal(problems(parallel(5, 3), whole(0), member(1), whole(2)), "");
      assert.equal(problems(parallel(5, 3), whole(0), whole(1), member(2)), "");
      assert.match(problems(parallel(5, 2), whole(0), member(1)), /db-2 is missing/);
      assert.match(problems(parallel(5, 1), member(1)), /db-0 is missing; .*db-2 is missing$/);
      const four = [whole(0), whole(1), whole(2), member(3)];
      assert.match(
        problems(parallel(8, 4), ...four),
        /db-4 is missing; .*-5 .*; .*db-6 is missing$/,
      );
    });
  });

  it("leaves an old revision below the partition alone", () => {
    const updateStrategy = { rollingUpdate: { partition: 1 } };
    const old = { labels: { "controller-revision-hash": "old" } };
    assert.equal(problems(setOf({ updateStrategy }), member(0, true, old), member(1)), "");
  });
});

describe("set order checker", () => {
  it("tells of a Pod that is made before the one below it is ready", () => {
    assert.deepEqual(setOrder.check!(world(setOf(), member(0), member(1)).with()), []);
    const early = world(setOf(), member(0, false), member(1));
    assert.match(setOrder.check!(early.with()).join(), /made before default\/db-0 was ready/);
    const parallel = world(setOf({ podManagementPolicy: "Parallel" }), member(0, false), member(1));
    assert.deepEqual(setOrder.check!(parallel.with()), []);
  });

  it("tells of one that is taken away before the one above is gone", () => {
    const story = world(setOf(), member(0), member(1), member(2));
    story.put("apps/statefulsets", setOf({ replicas: 1 }));
    story.put("pods", member(1, true, ENDING));
    assert.match(setOrder.check!(story.with()).join(), /taken away before default\/db-2 is gone/);
  });

  it("tells of one that is updated before the one above is ready, unless a user deleted it", () => {
    const story = world(setOf(), member(0), member(1));
    story.put("pods", member(1, false));
    story.put("pods", member(0, true, ENDING));
    assert.match(setOrder.check!(story.with()).join(), /updated before default\/db-1 is ready/);
    const answer = { status: 200, reason: "", revision: 6, uid: "" };
    const path = "/api/v1/namespaces/default/pods/db-0";
    const call = { party: "user-1", method: "DELETE", path, atMs: 0, answer };
    assert.deepEqual(setOrder.check!(story.with({ writes: [call] })), []);
  });
});

describe("ordinals checker", () => {
  const moment = (revision: number): RuntimeMoment => ({
    atMs: 0,
    revision,
    running: ["uid-of-db-0", "another"].map((podUid, index) => ({
      ...{ node: `node-${index}`, podUid, namespace: "default", pod: "db-0", container: "app" },
    })),
    sandboxes: [],
  });

  it("tells of two that run, unless the first was deleted by force", () => {
    const story = world(setOf(), member(0));
    story.put("pods", { ...member(0), status: { phase: "Failed" } });
    story.remove("pods", "default/db-0");
    story.put("pods", member(0, true, { uid: "another" }));
    const runtimes = [moment(6)];
    assert.match(ordinals.check!(story.with({ runtimes })).join(), /default\/db-0 runs 2 times/);
    const forced = world(setOf(), member(0));
    forced.remove("pods", "default/db-0");
    forced.put("pods", member(0, true, { uid: "another" }));
    assert.deepEqual(ordinals.check!(forced.with({ runtimes: [moment(5)] })), []);
    const conditions = [{ type: "DisruptionTarget", status: "True", reason: "DeletionByPodGC" }];
    const swept = world(setOf(), member(0));
    swept.put("pods", { ...member(0), status: { phase: "Failed", conditions } });
    swept.remove("pods", "default/db-0");
    swept.put("pods", member(0, true, { uid: "another" }));
    assert.deepEqual(ordinals.check!(swept.with({ runtimes })), []);
  });
});
