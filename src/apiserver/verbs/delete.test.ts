import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KubeObject } from "../../api/machinery/object.ts";
import type { Strategy } from "../../api/machinery/resource.ts";
import { inServer } from "../../../test/support/api-server.ts";
import { ConfigMap } from "../../api/core/config-map.ts";
import { systemCall } from "../background/system-call.ts";
import { createPredicate } from "../registry/predicate.ts";
import { deleteCollection } from "./deletecollection.ts";
import { planDeletion, type DeletionOptions } from "./deletion.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const MERGE = { "content-type": "application/merge-patch+json" };

describe("planDeletion", () => {
  const now = Date.UTC(2026, 0, 1);
  const kind = { group: "", version: "v1", kind: "Pod", plural: "pods", isNamespaced: true };
  const strategy = {
    graceSeconds: (_object: KubeObject, asked: number | undefined) => asked ?? 30,
  } as Strategy<KubeObject>;
  const going = (graceSeconds: number): object => ({
    deletionTimestamp: "2026-01-01T00:00:10Z",
    deletionGracePeriodSeconds: graceSeconds,
  });
  //    metadata, options → plan
  const ROWS: readonly [string, object, DeletionOptions, string][] = [
    ["default grace", {}, {}, "mark 30 00:00:30"],
    ["asked grace", {}, { graceSeconds: 5 }, "mark 5 00:00:05"],
    ["negative grace is one second", {}, { graceSeconds: -1 }, "mark 1 00:00:01"],
    ["no grace", {}, { graceSeconds: 0 }, "remove"],
    ["going already", going(10), {}, "pending"],
    ["shortened", going(10), { graceSeconds: 4 }, "mark 4 00:00:04"],
    ["not lengthened", going(10), { graceSeconds: 60 }, "pending"],
    ["going, at once", going(10), { graceSeconds: 0 }, "remove"],
    ["its grace is over", going(0), {}, "remove"],
    ["held by a finalizer", { finalizers: ["x"] }, { graceSeconds: 0 }, "mark 0 00:00:00 x"],
    ["orphan", {}, { graceSeconds: 0, propagation: "Orphan" }, "mark 0 00:00:00 orphan"],
    ["foreground", {}, { propagation: "Foreground" }, "mark 30 00:00:30 foregroundDeletion"],
    [
      "background unsets",
      { finalizers: ["orphan"] },
      { graceSeconds: 0, propagation: "Background" },
      "remove",
    ],
  ];
  for (const [what, metadata, options, expected] of ROWS)
    it(what, () => {
      const object = { metadata: { name: "p", ...metadata } };
      const plan = planDeletion(kind, strategy, object, options, now);
      if (plan.kind !== "mark") return assert.equal(plan.kind, expected);
      const meta = plan.object.metadata!;
      const time = meta.deletionTimestamp!.slice(11, 19);
      const finalizers = meta.finalizers?.map((name) => ` ${name}`).join("") ?? "";
      assert.equal(`mark ${meta.deletionGracePeriodSeconds} ${time}${finalizers}`, expected);
    });
});

describe("delete", () => {
  it(
    "answers with a Status that names what is gone",
    inServer(async ({ request }) => {
      const { json: map } = await request("POST", MAPS, { metadata: { name: "a" } });
      const { status, json } = await request("DELETE", `${MAPS}/a`);
      assert.equal(status, 200);
      assert.equal(json.status, "Success");
      assert.deepEqual(json.details, { name: "a", kind: "configmaps", uid: map.metadata.uid });
      assert.ok(Number(json.metadata.resourceVersion) > Number(map.metadata.resourceVersion));
      assert.equal((await request("GET", `${MAPS}/a`)).status, 404);
    }),
  );

  it(
    "waits for finalizers; the last one removed takes the object along",
    inServer(async ({ request }) => {
      await request("POST", MAPS, { metadata: { name: "a", finalizers: ["x.io/f"] } });
      const { json } = await request("DELETE", `${MAPS}/a`);
      assert.equal(json.metadata.deletionTimestamp, "2026-01-01T00:00:00Z");
      const patch = { metadata: { finalizers: null } };
      assert.equal((await request("PATCH", `${MAPS}/a`, patch, MERGE)).status, 200);
      assert.equal((await request("GET", `${MAPS}/a`)).status, 404);
    }),
  );

  it(
    "keeps to its preconditions",
    inServer(async ({ request }) => {
      await request("POST", MAPS, { metadata: { name: "a" } });
      const { status, json } = await request("DELETE", `${MAPS}/a`, {
        preconditions: { uid: "x" },
      });
      assert.equal(status, 409);
      assert.match(
        json.message,
        /the UID in the precondition \(x\) does not match the UID in record/,
      );
    }),
  );

  it(
    "refuses two policies at once",
    inServer(async ({ request }) => {
      const body = { orphanDependents: true, propagationPolicy: "Orphan" };
      assert.equal((await request("DELETE", `${MAPS}/a`, body)).status, 422);
    }),
  );

  it(
    "marks a namespace and removes it when finalize empties it",
    inServer(async ({ request }) => {
      await request("POST", "/api/v1/namespaces", { metadata: { name: "z" } });
      const { json } = await request("DELETE", "/api/v1/namespaces/z");
      assert.equal(json.status.phase, "Terminating");
      const body = { ...json, spec: { finalizers: [] } };
      assert.equal((await request("PUT", "/api/v1/namespaces/z/finalize", body)).status, 200);
      assert.equal((await request("GET", "/api/v1/namespaces/z")).status, 404);
    }),
  );

  it(
    "warns who leaves a Job's Pods behind without having said so",
    inServer(async ({ request }) => {
      const containers = [{ name: "c", image: "i" }];
      const spec = { template: { spec: { restartPolicy: "Never", containers } } };
      const jobs = "/apis/batch/v1/namespaces/default/jobs";
      await request("POST", jobs, { metadata: { name: "a" }, spec });
      await request("POST", jobs, { metadata: { name: "b" }, spec });
      const policy = { propagationPolicy: "Background" };
      const quiet = await request("DELETE", `${jobs}/a`, policy);
      const warned = await request("DELETE", `${jobs}/b`);
      assert.doesNotMatch(JSON.stringify(quiet.headers), /child pods/);
      assert.match(JSON.stringify(warned.headers), /child pods are preserved by default/);
      assert.deepEqual(warned.json.metadata.finalizers, ["orphan"]);
    }),
  );

  it(
    "of workloads in older versions leaves what they made, unless it is said otherwise",
    inServer(async ({ request }) => {
      const template = {
        metadata: { labels: { a: "b" } },
        spec: { containers: [{ name: "c", image: "i" }] },
      };
      const spec = { selector: { matchLabels: { a: "b" } }, template, serviceName: "s" };
      const finalizers = async (plural: string, version: string, options = {}, part = "/a") => {
        const path = (of: string): string => `/apis/${of}/namespaces/default/${plural}`;
        const body = { metadata: { name: "a", finalizers: ["mine.example/x"] }, spec };
        await request("POST", path("apps/v1"), body);
        await request("DELETE", `${path(version)}${part}`, options);
        const { json } = await request("GET", `${path("apps/v1")}/a`);
        const patch = { metadata: { finalizers: null } };
        await request("PATCH", `${path("apps/v1")}/a`, patch, MERGE);
        return json.metadata.finalizers.slice(1).join();
      };
      for (const [plural, version, expected] of [
        ["deployments", "extensions/v1beta1", "orphan"],
        ["deployments", "apps/v1beta1", "orphan"],
        ["replicasets", "apps/v1beta2", "orphan"],
        ["daemonsets", "extensions/v1beta1", "orphan"],
        ["statefulsets", "apps/v1beta2", "orphan"],
        ["deployments", "apps/v1", ""],
        ["statefulsets", "apps/v1", ""],
      ] as const)
        assert.equal(await finalizers(plural, version), expected, `${plural} ${version}`);
      const said = { propagationPolicy: "Background" };
      assert.equal(await finalizers("deployments", "apps/v1beta1", said), "");
      assert.equal(await finalizers("deployments", "apps/v1beta1", {}, ""), "orphan");
    }),
  );

  it(
    "of a collection deletes what the selector selects",
    inServer(async ({ request }) => {
      for (const [name, l] of [
        ["a", "1"],
        ["b", "2"],
        ["c", "1"],
      ] as const)
        await request("POST", MAPS, { metadata: { name, labels: { l } } });
      const { json } = await request("DELETE", `${MAPS}?labelSelector=l%3D1`);
      assert.equal(json.kind, "ConfigMapList");
      assert.equal(json.items.length, 2);
      const { json: left } = await request("GET", MAPS);
      assert.deepEqual(
        left.items.map((item: { metadata: { name: string } }) => item.metadata.name),
        ["b"],
      );
    }),
  );

  it(
    "of a collection shows what is gone at the revision of its deletion, and encodes none of it again",
    inServer(async ({ server: { parts }, request }) => {
      for (const name of ["a", "b", "c"]) await request("POST", MAPS, { metadata: { name } });
      const served = parts.resources.of(ConfigMap)!;
      const everything = createPredicate("default", "", "");
      const before = served.cache.versions.slice(everything.from, everything.to, Infinity);
      const target = { group: "", version: "v1", plural: "configmaps", namespace: "default" };
      const call = systemCall(parts, { ...target, name: "", verb: "deletecollection" });
      const deleted = await deleteCollection(parts, call, {}, everything);
      assert.equal(deleted.length, 3);
      for (const version of deleted) {
        const old = before.find(({ key }) => key === version.key)!;
        assert.equal(version.value, old.value);
        assert.ok(version.revision > old.revision);
        assert.equal(version.meta.resourceVersion, String(version.revision));
      }
      const [first] = deleted;
      assert.deepEqual(JSON.parse(first!.json().toString()), first!.object);
    }),
  );
});
