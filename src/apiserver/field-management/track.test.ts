import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inServer, type Answer } from "../../../test/support/api-server.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const PODS = "/api/v1/namespaces/default/pods";
const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const JSON_PATCH = { "content-type": "application/json-patch+json" };
const MERGE = { "content-type": "application/merge-patch+json" };
const STRATEGIC = { "content-type": "application/strategic-merge-patch+json" };
const APPLY = { "content-type": "application/apply-patch+yaml" };

const map = (data: object): object => ({ metadata: { name: "a" }, data });
const pod = {
  metadata: { name: "p", labels: { app: "x" } },
  spec: { containers: [{ name: "c", image: "i" }] },
};
const deployment = {
  metadata: { name: "d" },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: "x" } },
    template: { metadata: { labels: { app: "x" } }, spec: pod.spec },
  },
};

/** `manager operation subresource: fields`, times aside. */
function owners({ json }: Answer): string[] {
  const entries = json.metadata.managedFields ?? [];
  return entries.map(
    (entry: { manager?: string; operation: string; subresource?: string; fieldsV1: object }) =>
      `${entry.manager ?? ""} ${entry.operation} ${entry.subresource ?? "-"} ${JSON.stringify(entry.fieldsV1)}`,
  );
}

describe("managed fields", () => {
  it(
    "the manager is the option, else the User-Agent up to its slash",
    inServer(async ({ request }) => {
      const agent = { "user-agent": "tool/v1 (linux)" };
      const created = await request("POST", MAPS, map({ k: "1" }), agent);
      assert.deepEqual(owners(created), ['tool Update - {"f:data":{".":{},"f:k":{}}}']);
      const changed = await request("PUT", `${MAPS}/a?fieldManager=me`, map({ k: "2" }), agent);
      assert.deepEqual(owners(changed), [
        'me Update - {"f:data":{"f:k":{}}}',
        'tool Update - {"f:data":{}}',
      ]);
    }),
  );

  it(
    "every kind of patch is recorded",
    inServer(async ({ request }) => {
      await request("POST", `${MAPS}?fieldManager=a`, map({ k: "1" }));
      const path = (manager: string): string => `${MAPS}/a?fieldManager=${manager}`;
      const add = [{ op: "add", path: "/data/j", value: "1" }];
      await request("PATCH", path("json"), add, JSON_PATCH);
      await request("PATCH", path("merge"), { data: { m: "1" } }, MERGE);
      const last = await request("PATCH", path("strategic"), { data: { s: "1" } }, STRATEGIC);
      assert.deepEqual(owners(last), [
        'a Update - {"f:data":{".":{},"f:k":{}}}',
        'json Update - {"f:data":{"f:j":{}}}',
        'merge Update - {"f:data":{"f:m":{}}}',
        'strategic Update - {"f:data":{"f:s":{}}}',
      ]);
    }),
  );

  it(
    "what goes is nobody's, and a manager without fields is gone",
    inServer(async ({ request }) => {
      await request("POST", `${MAPS}?fieldManager=a`, map({ k: "1" }));
      await request("PATCH", `${MAPS}/a?fieldManager=b`, { data: { l: "1" } }, MERGE);
      const last = await request("PATCH", `${MAPS}/a?fieldManager=c`, { data: { l: null } }, MERGE);
      assert.deepEqual(owners(last), ['a Update - {"f:data":{".":{},"f:k":{}}}']);
    }),
  );

  it(
    "what admission and defaults of the system add is nobody's; defaults of the kind are the creator's",
    inServer(async ({ request }) => {
      const { json } = await request("POST", PODS, pod);
      const fields = json.metadata.managedFields[0].fieldsV1;
      assert.deepEqual(fields["f:metadata"], { "f:labels": { ".": {}, "f:app": {} } });
      assert.deepEqual(fields["f:status"], undefined);
      assert.deepEqual(Object.keys(fields["f:spec"]["f:containers"]['k:{"name":"c"}']), [
        ".",
        "f:image",
        "f:imagePullPolicy",
        "f:name",
        "f:resources",
        "f:terminationMessagePath",
        "f:terminationMessagePolicy",
      ]);
    }),
  );

  it(
    "status is recorded by its endpoint alone, binding not at all",
    inServer(async ({ request }) => {
      await request("POST", `${PODS}?fieldManager=a`, pod);
      const binding = { target: { kind: "Node", name: "n" }, metadata: { name: "p" } };
      await request("POST", `${PODS}/p/binding?fieldManager=sched`, binding);
      const status = { status: { phase: "Running", message: "m" }, spec: { nodeName: "n" } };
      const through = await request("PATCH", `${PODS}/p?fieldManager=b`, status, MERGE);
      assert.equal(owners(through).length, 1);
      const last = await request("PATCH", `${PODS}/p/status?fieldManager=b`, status, MERGE);
      assert.equal(owners(last)[0]!.slice(0, 9), "a Update ");
      assert.equal(owners(last)[1], 'b Update status {"f:status":{"f:message":{},"f:phase":{}}}');
    }),
  );

  it(
    "the replica count goes to whoever scales",
    inServer(async ({ request }) => {
      await request("POST", `${DEPLOYMENTS}?fieldManager=a`, deployment);
      const path = `${DEPLOYMENTS}/d/scale?fieldManager=s`;
      await request("PATCH", path, { spec: { replicas: 1 } }, MERGE);
      assert.equal(owners(await request("GET", `${DEPLOYMENTS}/d`)).length, 1);
      await request("PATCH", path, { spec: { replicas: 4 } }, MERGE);
      const found = owners(await request("GET", `${DEPLOYMENTS}/d`));
      assert.equal(found[1], 's Update scale {"f:spec":{"f:replicas":{}}}');
      assert.doesNotMatch(found[0]!, /f:replicas/);
      await request("PATCH", path, { spec: { replicas: 5 } }, MERGE);
      assert.equal(owners(await request("GET", `${DEPLOYMENTS}/d`)).length, 2);
    }),
  );

  it(
    "a client may write the list, or reset it; then nobody is tracked until the first apply",
    inServer(async ({ request }) => {
      const { json } = await request("POST", `${MAPS}?fieldManager=a`, map({ k: "1" }));
      const renamed = [{ ...json.metadata.managedFields[0], manager: "z" }];
      const path = `${MAPS}/a?fieldManager=b`;
      const moved = await request("PATCH", path, { metadata: { managedFields: renamed } }, MERGE);
      assert.deepEqual(owners(moved), ['z Update - {"f:data":{".":{},"f:k":{}}}']);
      // Clients that know nothing of the list send an empty one.
      const kept = await request("PATCH", path, { metadata: { managedFields: [] } }, MERGE);
      assert.deepEqual(owners(kept), owners(moved));
      const reset = await request("PATCH", path, { metadata: { managedFields: [{}] } }, MERGE);
      assert.equal(reset.json.metadata.managedFields, undefined);
      const after = await request("PATCH", path, { data: { k: "2" } }, MERGE);
      assert.equal(after.json.metadata.managedFields, undefined);
      const config = {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "a" },
        data: { l: "3" },
      };
      assert.deepEqual(owners(await request("PATCH", path, config, APPLY)), [
        'b Apply - {"f:data":{"f:l":{}}}',
        'before-first-apply Update - {"f:data":{".":{},"f:k":{}}}',
      ]);
    }),
  );

  it(
    "a new object may bring a list; entries of what it says belong to its creator",
    inServer(async ({ request }) => {
      const entry = {
        manager: "old",
        operation: "Update",
        apiVersion: "events.k8s.io/v1",
        fieldsType: "FieldsV1",
        fieldsV1: { "f:reason": {}, "f:metadata": { "f:labels": { "f:kept": {} } } },
      };
      const event = {
        metadata: { name: "e", managedFields: [entry] },
        involvedObject: { kind: "Pod", namespace: "default", name: "p" },
        reason: "R",
      };
      const path = "/api/v1/namespaces/default/events?fieldManager=new";
      const found = owners(await request("POST", path, event));
      assert.equal(found.length, 2);
      assert.equal(found[0], 'old Update - {"f:metadata":{"f:labels":{"f:kept":{}}}}');
      assert.match(found[1]!, /^new Update - .*"f:reason":\{\}/);
    }),
  );

  it(
    "a list that a client leaves out or breaks is the one of before",
    inServer(async ({ request }) => {
      const created = await request("POST", `${MAPS}?fieldManager=a`, map({ k: "1" }));
      const without = await request("PUT", `${MAPS}/a?fieldManager=b`, map({ k: "1" }));
      assert.deepEqual(owners(without), owners(created));
      const [entry] = created.json.metadata.managedFields;
      const broken = [{ ...entry, fieldsV1: { nonsense: {} } }];
      const patch = { metadata: { managedFields: broken } };
      const after = await request("PATCH", `${MAPS}/a?fieldManager=b`, patch, MERGE);
      assert.deepEqual(owners(after), owners(created));
    }),
  );

  it(
    "an update that is undone by the kind's rules is not written",
    inServer(async ({ request, store, clock }) => {
      await request("POST", `${PODS}?fieldManager=a`, pod);
      await request(
        "PATCH",
        `${PODS}/p?fieldManager=a`,
        { metadata: { labels: { n: "1" } } },
        MERGE,
      );
      const revision = store.revision();
      await clock.advance(5000);
      const status = { status: { message: "ignored by this endpoint" } };
      await request("PATCH", `${PODS}/p?fieldManager=a`, status, MERGE);
      assert.equal(store.revision(), revision);
    }),
  );
});
