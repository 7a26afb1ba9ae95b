import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inServer, startTestServer, type Body } from "../../../test/support/api-server.ts";
import { SimDisk } from "../../../test/sim/faults/sim-disk.ts";
import { openSimStore } from "../../../test/sim/store/sim-backend.ts";
import { SeededRandom } from "../../base/seeded-random.ts";
import type { Store } from "../../store/store.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const names = (list: Body): string => list.items.map((item: Body) => item.metadata.name).join(" ");

/** Asks for a page after a past one. */
const pageAfter = (page: Body, limit = 2): string =>
  `${MAPS}?limit=${limit}&continue=${encodeURIComponent(page.metadata.continue)}`;

describe("list", () => {
  it(
    "gives the objects in key order, without kind and apiVersion of their own",
    inServer(async ({ request }) => {
      for (const name of ["b", "a", "c"]) await request("POST", MAPS, { metadata: { name } });
      const { json } = await request("GET", MAPS);
      assert.equal(json.kind, "ConfigMapList");
      assert.equal(names(json), "a b c");
      assert.equal(json.items[0].kind, undefined);
    }),
  );

  it(
    "pages over the state of its first page, whatever happens meanwhile",
    inServer(async ({ request }) => {
      for (const name of ["a", "b", "c", "d", "e"])
        await request("POST", MAPS, { metadata: { name } });
      const { json: first } = await request("GET", `${MAPS}?limit=2`);
      assert.equal(names(first), "a b");
      assert.equal(first.metadata.remainingItemCount, 3);
      await request("DELETE", `${MAPS}/c`);
      await request("POST", MAPS, { metadata: { name: "cc" } });
      const token = encodeURIComponent(first.metadata.continue);
      const { json: second } = await request("GET", `${MAPS}?limit=2&continue=${token}`);
      assert.equal(names(second), "c d");
      assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
      const last = encodeURIComponent(second.metadata.continue);
      const { json: third } = await request("GET", `${MAPS}?limit=2&continue=${last}`);
      assert.equal(names(third), "e");
      assert.equal(third.metadata.continue, undefined);
    }),
  );

  it(
    "selects by label and field",
    inServer(async ({ request }) => {
      for (const [name, l] of [
        ["a", "1"],
        ["b", "2"],
      ] as const)
        await request("POST", MAPS, { metadata: { name, labels: { l } } });
      assert.equal(names((await request("GET", `${MAPS}?labelSelector=l!%3D1`)).json), "b");
      assert.equal(
        names((await request("GET", `${MAPS}?fieldSelector=metadata.name%3Da`)).json),
        "a",
      );
      const { status } = await request("GET", `${MAPS}?fieldSelector=spec.x%3Da`);
      assert.equal(status, 400);
    }),
  );

  it(
    "refuses a revision that was never given out",
    inServer(async ({ request }) => {
      const { status, json } = await request("GET", `${MAPS}?resourceVersion=999999`);
      assert.equal(status, 504);
      assert.equal(json.details.causes[0].reason, "ResourceVersionTooLarge");
    }),
  );

  it(
    "makes long lists piece by piece",
    inServer(async ({ request }) => {
      const data = { k: "x".repeat(100_000) };
      for (let i = 0; i < 20; i++)
        await request("POST", MAPS, { metadata: { name: `m${i}` }, data });
      const { json } = await request("GET", MAPS);
      assert.equal(json.items.length, 20);
    }),
  );

  it(
    "shows the metadata alone on request",
    inServer(async ({ request }) => {
      await request("POST", MAPS, { metadata: { name: "a" }, data: { k: "v" } });
      const accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
      const { json } = await request("GET", MAPS, undefined, { accept });
      assert.equal(json.kind, "PartialObjectMetadataList");
      assert.equal(json.items[0].data, undefined);
    }),
  );

  it(
    "prefers JSON where the client names protobuf first, and refuses protobuf alone",
    inServer(async ({ request }) => {
      const protobuf = "application/vnd.kubernetes.protobuf";
      const both = { accept: `${protobuf},application/json` };
      assert.equal((await request("GET", MAPS, undefined, both)).status, 200);
      assert.equal((await request("GET", MAPS, undefined, { accept: protobuf })).status, 406);
    }),
  );

  it(
    "reads the store where no snapshot is kept: at an exact revision, page by page, as it was",
    inServer(async ({ request }) => {
      for (const name of ["a", "b", "c", "d"])
        await request("POST", MAPS, {
          metadata: { name, labels: { half: "1" } },
          data: { k: "old" },
        });
      const { json: all } = await request("GET", MAPS);
      const revision = all.metadata.resourceVersion;
      await request("DELETE", `${MAPS}/b`);
      await request("PUT", `${MAPS}/c`, { metadata: { name: "c" }, data: { k: "new" } });
      await request("POST", MAPS, { metadata: { name: "bb" } });
      const exact = `resourceVersion=${revision}&resourceVersionMatch=Exact`;
      const past = (await request("GET", `${MAPS}?${exact}`)).json;
      assert.equal(names(past), "a b c d");
      assert.equal(past.items[2].data.k, "old");
      assert.equal(past.metadata.resourceVersion, revision);
      const { json: first } = await request("GET", `${MAPS}?resourceVersion=${revision}&limit=3`);
      assert.equal(names(first), "a b c");
      assert.equal(first.metadata.remainingItemCount, 1);
      const { json: one } = await request("GET", `${MAPS}?resourceVersion=${revision}&limit=1`);
      assert.equal(one.metadata.remainingItemCount, 3, "bb is new, b is gone since");
      const { json: second } = await request("GET", pageAfter(first));
      assert.equal(names(second), "d");
      assert.equal(second.metadata.continue, undefined);
      const labelled = await request("GET", `${MAPS}?${exact}&labelSelector=half%3D1&limit=2`);
      assert.equal(names(labelled.json), "a b");
      assert.equal(labelled.json.metadata.remainingItemCount, undefined);
      assert.equal(names((await request("GET", pageAfter(labelled.json))).json), "c d");
    }),
  );

  it(
    "after compaction answers 410, and a page with the token that goes on in the present",
    inServer(async ({ request, store }) => {
      for (const name of ["a", "b", "c", "d"]) await request("POST", MAPS, { metadata: { name } });
      const revision = store.revision();
      await request("DELETE", `${MAPS}/a`);
      const { json: first } = await request("GET", `${MAPS}?resourceVersion=${revision}&limit=2`);
      assert.equal(names(first), "a b");
      await request("POST", MAPS, { metadata: { name: "cc" } });
      await store.compact(store.revision());
      const { status, json: gone } = await request("GET", pageAfter(first));
      assert.equal(status, 410);
      assert.equal(gone.reason, "Expired");
      assert.match(gone.message, /use the continue token in this response/);
      const { json: rest } = await request("GET", pageAfter(gone));
      assert.equal(names(rest), "c cc");
      assert.equal(rest.metadata.resourceVersion, String(store.revision()));
      assert.equal(names((await request("GET", pageAfter(rest))).json), "d");
      const exact = `${MAPS}?resourceVersion=${revision}&resourceVersionMatch=Exact`;
      const whole = await request("GET", exact);
      assert.equal(whole.status, 410);
      assert.equal(whole.json.message, "The resourceVersion for the provided list is too old.");
      const paged = await request("GET", `${exact}&limit=2`);
      assert.equal(paged.status, 410);
      assert.equal(paged.json.metadata.continue, undefined);
    }),
  );

  it(
    "selects by the fields of the version that is asked for",
    inServer(async ({ request }) => {
      const events = "/apis/events.k8s.io/v1/namespaces/default/events";
      for (const name of ["a", "b"]) {
        const { status, json } = await request("POST", events, {
          metadata: { name },
          regarding: { kind: "Pod", name: `pod-${name}`, namespace: "default" },
          action: "Testing",
          reason: "Test",
          type: "Normal",
          eventTime: "2026-01-01T00:00:00.000000Z",
          reportingController: "skiff.test/x",
          reportingInstance: "x",
        });
        assert.equal(status, 201, json.message);
      }
      const found = await request("GET", `${events}?fieldSelector=regarding.name%3Dpod-b`);
      assert.equal(names(found.json), "b");
    }),
  );

  it("reads of the store no more than the page of a past list", async () => {
    const store = await openSimStore(new SimDisk(new SeededRandom(1)), "data");
    const limits: (number | undefined)[] = [];
    const counted: Store = {
      revision: () => store.revision(),
      commit: (writes) => store.commit(writes),
      get: (key, revision) => store.get(key, revision),
      range: (request) => {
        limits.push(request.limit);
        return store.range(request);
      },
      watch: (prefix, from) => store.watch(prefix, from),
      compact: (revision) => store.compact(revision),
      compactedRevision: () => store.compactedRevision(),
      close: () => store.close(),
    };
    const server = await startTestServer({ store: counted });
    for (let i = 0; i < 30; i++)
      await server.request("POST", MAPS, { metadata: { name: `m${i}` } });
    const revision = store.revision();
    await server.request("DELETE", `${MAPS}/m9`);
    limits.length = 0;
    const { json } = await server.request("GET", `${MAPS}?limit=2&resourceVersion=${revision}`);
    assert.equal(names(json), "m0 m1");
    await server.request("GET", pageAfter(json));
    assert.deepEqual(limits, [3, 3]);
    await server.close();
  });
});
