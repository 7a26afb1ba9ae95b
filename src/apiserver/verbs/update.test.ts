import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inServer } from "../../../test/support/api-server.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";

describe("update", () => {
  it(
    "replaces the object and keeps what is not the client's to change",
    inServer(async ({ request }) => {
      const { json: before } = await request("POST", MAPS, {
        metadata: { name: "a" },
        data: { k: "1" },
      });
      const { status, json } = await request("PUT", `${MAPS}/a`, {
        metadata: { name: "a", creationTimestamp: "1999-01-01T00:00:00Z", labels: { l: "v" } },
        data: { k: "2" },
      });
      assert.equal(status, 200);
      assert.equal(json.metadata.uid, before.metadata.uid);
      assert.equal(json.metadata.creationTimestamp, before.metadata.creationTimestamp);
      assert.deepEqual(json.data, { k: "2" });
      assert.ok(Number(json.metadata.resourceVersion) > Number(before.metadata.resourceVersion));
    }),
  );

  it(
    "does not write what changes nothing",
    inServer(async ({ request, store }) => {
      const { json } = await request("POST", MAPS, { metadata: { name: "a" }, data: { k: "1" } });
      const revision = store.revision();
      const answer = await request("PUT", `${MAPS}/a`, json);
      assert.deepEqual(answer.json, json);
      assert.equal(store.revision(), revision);
    }),
  );

  it(
    "refuses an old resourceVersion in upstream's words",
    inServer(async ({ request }) => {
      const { json } = await request("POST", MAPS, { metadata: { name: "a" } });
      await request("PUT", `${MAPS}/a`, { ...json, data: { k: "2" } });
      const answer = await request("PUT", `${MAPS}/a`, { ...json, data: { k: "3" } });
      assert.equal(answer.status, 409);
      assert.equal(
        answer.json.message,
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; ' +
          "please apply your changes to the latest version and try again",
      );
    }),
  );

  it(
    "loses none of many concurrent updates without a resourceVersion",
    inServer(async ({ request, server }) => {
      await request("POST", MAPS, { metadata: { name: "a" } });
      const before = server.parts.cache.revision;
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          request("PATCH", `${MAPS}/a`, { data: { [`k${i}`]: "v" } }, MERGE),
        ),
      );
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      const { json } = await request("GET", `${MAPS}/a`);
      assert.equal(Object.keys(json.data).length, 20);
      assert.equal(server.parts.cache.revision, before + 20);
    }),
  );

  const REFUSALS: readonly [string, object, number, RegExp][] = [
    [
      "another name",
      { metadata: { name: "b" } },
      400,
      /the name of the object \(b\) does not match/,
    ],
    ["another uid", { metadata: { name: "a", uid: "x" } }, 409, /UID in precondition: x/],
    ["a missing object", { metadata: { name: "gone" } }, 404, /configmaps "gone" not found/],
  ];
  for (const [what, body, status, message] of REFUSALS)
    it(
      `refuses ${what}`,
      inServer(async ({ request }) => {
        await request("POST", MAPS, { metadata: { name: "a" } });
        const name = what === "a missing object" ? "gone" : "a";
        const answer = await request("PUT", `${MAPS}/${name}`, body);
        assert.equal(answer.status, status);
        assert.match(answer.json.message, message);
      }),
    );

  it(
    "through status changes the status alone",
    inServer(async ({ request }) => {
      const path = "/api/v1/namespaces/default/pods";
      const spec = { containers: [{ name: "c", image: "i" }] };
      const { json } = await request("POST", path, {
        metadata: { name: "p" },
        spec,
        status: { phase: "Running" },
      });
      assert.equal(json.status.phase, "Pending");
      const body = { status: { phase: "Running" }, spec: { nodeName: "n" } };
      const { json: after } = await request("PATCH", `${path}/p/status`, body, MERGE);
      assert.equal(after.status.phase, "Running");
      assert.equal(after.spec.nodeName, undefined);
    }),
  );

  it(
    "answers a dry run with what would be, and writes nothing",
    inServer(async ({ request }) => {
      await request("POST", MAPS, { metadata: { name: "a" }, data: { k: "1" } });
      const body = { data: { k: "2" } };
      const { json } = await request("PATCH", `${MAPS}/a?dryRun=All`, body, MERGE);
      assert.equal(json.data.k, "2");
      assert.equal((await request("GET", `${MAPS}/a`)).json.data.k, "1");
    }),
  );
});

describe("patch", () => {
  it(
    "refuses a type it does not know, naming those it does",
    inServer(async ({ request }) => {
      const type = { "content-type": "application/what" };
      const { status, json } = await request("PATCH", `${MAPS}/a`, {}, type);
      assert.equal(status, 415);
      assert.match(
        json.message,
        /accepted media types include: application\/json-patch\+json, application\/merge/,
      );
    }),
  );

  it(
    "refuses one that names an old resourceVersion",
    inServer(async ({ request }) => {
      await request("POST", MAPS, { metadata: { name: "a" } });
      const body = { metadata: { resourceVersion: "1" }, data: { k: "v" } };
      assert.equal((await request("PATCH", `${MAPS}/a`, body, MERGE)).status, 409);
    }),
  );
});

const MERGE = { "content-type": "application/merge-patch+json" };
