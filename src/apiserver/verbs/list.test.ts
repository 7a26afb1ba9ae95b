import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inServer, type Body } from "../../../test/support/api-server.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const names = (list: Body): string => list.items.map((item: Body) => item.metadata.name).join(" ");

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
});
