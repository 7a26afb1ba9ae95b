import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  requestOf,
  startTestServer,
  type Body,
  type TestServer,
} from "../../test/support/api-server.ts";
import { ImpatientClock } from "../../test/support/impatient-clock.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import { ConfigMap } from "../api/core/config-map.ts";
import type { CacheChange } from "../client/cache.ts";
import { isByteSource } from "../wire/http/byte-source.ts";
import { InProcessCache } from "./in-process-cache.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";
const PARTIAL = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
const COUNT = 2000;

/** A server with 2000 objects, on which every look at the clock takes a millisecond. */
async function startBusy(): Promise<TestServer> {
  const server = await startTestServer({ clock: new ImpatientClock(new VirtualClock()) });
  for (let at = 0; at < COUNT; at++) {
    const labels = { half: at % 2 ? "odd" : "even" };
    const name = `m-${String(at).padStart(4, "0")}`;
    await server.request("POST", MAPS, { metadata: { name, labels }, data: { at: String(at) } });
  }
  return server;
}

describe("long work is cut into slices", () => {
  let busy: TestServer;
  before(async () => {
    busy = await startBusy();
  });
  after(() => busy.close());

  /** The pieces of a list's body. */
  async function pieces(target: string, accept: string): Promise<readonly string[]> {
    const request = requestOf("GET", target, undefined, { accept });
    const { body } = await busy.server.pipeline.handle(request);
    if (!isByteSource(body)) return [body.toString()];
    const found: string[] = [];
    for (let piece = body.read(); piece; piece = body.read()) found.push(piece.toString());
    return found;
  }

  it("lists of every shape come in pieces, and are whole", async () => {
    const namesOf = (items: readonly Body[]): string[] =>
      items.map(({ object, metadata }) => (object ?? { metadata }).metadata.name);
    const shapes = [
      ["", "application/json"],
      ["?pretty=1", "application/json"],
      ["", TABLE],
      ["", PARTIAL],
    ] as const;
    for (const [query, accept] of shapes) {
      const found = await pieces(MAPS + query, accept);
      assert.ok(found.length > 3, `${accept} ${query}: ${found.length} pieces`);
      const list: Body = JSON.parse(found.join(""));
      const names = namesOf(list.items ?? list.rows);
      assert.equal(names.length, COUNT);
      assert.deepEqual(names, [...names].sort());
    }
    const yaml = (await pieces(MAPS, "application/yaml")).join("");
    assert.equal(yaml.match(/^ {2}- metadata:$/gm)?.length, COUNT);
  });

  it("pretty and YAML lists read as if they were made in one go", async () => {
    const small = `${MAPS}?limit=2`;
    const text = (await pieces(`${small}&pretty=1`, "application/json")).join("");
    assert.equal(text, `${JSON.stringify(JSON.parse(text), undefined, 2)}\n`);
    const none = `${MAPS}?labelSelector=half%3Dnone`;
    const empty = (await pieces(`${none}&pretty=1`, "application/json")).join("");
    assert.equal(empty, `${JSON.stringify(JSON.parse(empty), undefined, 2)}\n`);
    assert.match((await pieces(none, "application/yaml")).join(""), /^items: \[\]\n$/m);
    assert.deepEqual(JSON.parse((await pieces(none, TABLE)).join("")).rows, []);
  });

  it("a long list shows one state, whatever happens while it is sent", async () => {
    const request = requestOf("GET", MAPS, undefined);
    const { body } = await busy.server.pipeline.handle(request);
    assert.ok(isByteSource(body));
    const first = body.read()!.toString();
    await busy.request("PUT", `${MAPS}/m-1999`, {
      metadata: { name: "m-1999" },
      data: { at: "new" },
    });
    let rest = "";
    for (let piece = body.read(); piece; piece = body.read()) rest += piece.toString();
    const list: Body = JSON.parse(first + rest);
    assert.equal(list.items.at(-1).data.at, "1999");
    assert.equal(list.items.length, COUNT);
  });

  it("while a selector looks for its page, others are answered", async () => {
    const order: string[] = [];
    const page = busy
      .request("GET", `${MAPS}?limit=5&labelSelector=half%3Dnone`)
      .then(({ json }) => order.push(`page of ${json.items.length}`));
    order.push(`get ${(await busy.request("GET", `${MAPS}/m-0001`)).status}`);
    await page;
    assert.deepEqual(order, ["get 200", "page of 0"]);
  });

  it("a page that took several turns goes on with the state of its beginning", async () => {
    const target = `${MAPS}?limit=990&labelSelector=half%3Dodd`;
    const pending = busy.request("GET", target);
    await busy.request("PUT", `${MAPS}/m-1997`, { metadata: { name: "m-1997" } });
    const { json } = await pending;
    assert.equal(json.items.length, 990);
    const token = encodeURIComponent(json.metadata.continue);
    const { json: next } = await busy.request("GET", `${target}&continue=${token}`);
    assert.deepEqual(
      next.items.map((item: Body) => item.metadata.name),
      [1981, 1983, 1985, 1987, 1989, 1991, 1993, 1995, 1997].map((at) => `m-${at}`),
    );
  });

  it("a listener is told of all objects, then of what happened meanwhile, in order", async () => {
    const cache = new InProcessCache(busy.server.parts);
    const told: CacheChange[] = [];
    cache.onChange(ConfigMap, (change) => told.push(change));
    assert.ok(told.length > 0 && told.length < COUNT, `${told.length} at once`);
    await busy.request("PUT", `${MAPS}/m-0000`, {
      metadata: { name: "m-0000" },
      data: { at: "x" },
    });
    await cache.sync(ConfigMap);
    assert.equal(told.length, COUNT + 1);
    assert.equal(told.at(-1)!.key.name, "m-0000");
    assert.equal((told.at(-1)!.old as ConfigMap).data?.["at"], "0");
    cache.close();
  });

  it("deletecollection deletes all it selects and lists them", async () => {
    const { json } = await busy.request("DELETE", `${MAPS}?labelSelector=half%3Deven`);
    assert.equal(json.kind, "ConfigMapList");
    assert.equal(json.items.length, COUNT / 2 - 1);
    const { json: left } = await busy.request("GET", MAPS);
    assert.equal(left.items.length, COUNT / 2 + 1);
  });
});
