import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inServer, startTestServer, type Body } from "../../../test/support/api-server.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const MERGE = { "content-type": "application/merge-patch+json" };

/** `ADDED a`, `DELETED b` … */
const told = (frames: readonly Body[]): string[] =>
  frames.map(({ type, object }) => `${type} ${object.metadata.name ?? ""}`.trim());

describe("watch", () => {
  it(
    "tells of every change in order, the deleted object at its deletion's revision",
    inServer(async ({ request, watch }) => {
      const { json: list } = await request("GET", MAPS);
      const stream = await watch(
        `${MAPS}?watch=1&resourceVersion=${list.metadata.resourceVersion}`,
      );
      await request("POST", MAPS, { metadata: { name: "a" } });
      await request("PATCH", `${MAPS}/a`, { data: { k: "v" } }, MERGE);
      const { json: status } = await request("DELETE", `${MAPS}/a`);
      const frames = await stream.next(3);
      assert.deepEqual(told(frames), ["ADDED a", "MODIFIED a", "DELETED a"]);
      assert.equal(frames[2].object.data.k, "v");
      assert.equal(frames[2].object.metadata.resourceVersion, status.metadata.resourceVersion);
    }),
  );

  it(
    "without a revision begins with what is there",
    inServer(async ({ request, watch }) => {
      await request("POST", MAPS, { metadata: { name: "a" } });
      const stream = await watch(`${MAPS}?watch=true`);
      assert.deepEqual(told(await stream.next(1)), ["ADDED a"]);
      await request("POST", MAPS, { metadata: { name: "b" } });
      assert.deepEqual(told(await stream.next(1)), ["ADDED b"]);
    }),
  );

  it(
    "shows an object that begins or stops to match as added or deleted",
    inServer(async ({ request, watch }) => {
      const stream = await watch(`${MAPS}?watch=1&labelSelector=l%3D1`);
      await request("POST", MAPS, { metadata: { name: "a" } });
      await request("PATCH", `${MAPS}/a`, { metadata: { labels: { l: "1" } } }, MERGE);
      await request("PATCH", `${MAPS}/a`, { metadata: { labels: { l: "2" } } }, MERGE);
      const frames = await stream.next(2);
      assert.deepEqual(told(frames), ["ADDED a", "DELETED a"]);
      assert.equal(frames[1].object.metadata.labels.l, "1");
    }),
  );

  it(
    "marks the end of the initial events when asked to send them",
    inServer(async ({ request, watch }) => {
      await request("POST", MAPS, { metadata: { name: "a" } });
      const query =
        "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
      const [added, bookmark] = await (await watch(`${MAPS}?watch=1&${query}`)).next(2);
      assert.equal(added.type, "ADDED");
      assert.equal(bookmark.type, "BOOKMARK");
      assert.deepEqual(bookmark.object.metadata.annotations, {
        "k8s.io/initial-events-end": "true",
      });
      assert.equal((await request("GET", `${MAPS}?watch=1&sendInitialEvents=true`)).status, 422);
    }),
  );

  it(
    "sends bookmarks every minute and ends at its timeout",
    inServer(async ({ clock, watch }) => {
      const stream = await watch(`${MAPS}?watch=1&allowWatchBookmarks=1&timeoutSeconds=90`);
      await clock.advance(61_000);
      assert.deepEqual(told(await stream.next(1)), ["BOOKMARK"]);
      assert.equal(stream.isOver, false);
      await clock.advance(30_000);
      assert.ok((await stream.next(3)).every(({ type }) => type === "BOOKMARK"));
      assert.equal(stream.isOver, true);
    }),
  );

  it("tells a watcher of a revision that is forgotten to start over", async () => {
    const first = await startTestServer();
    await first.request("POST", MAPS, { metadata: { name: "a" } });
    await first.server.close();
    const second = await startTestServer({ store: first.store });
    const stream = await second.watch(`${MAPS}?watch=1&resourceVersion=1`);
    const [frame] = await stream.next(1);
    assert.equal(frame.type, "ERROR");
    assert.equal(frame.object.code, 410);
    assert.match(frame.object.message, /^too old resource version: 1 \(\d+\)$/);
    assert.equal(stream.isOver, true);
    await second.close();
  });

  it(
    "can show rows instead of objects",
    inServer(async ({ request, watch }) => {
      const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
      const stream = await watch(`${MAPS}?watch=1`, { accept });
      await request("POST", MAPS, { metadata: { name: "a" }, data: { k: "v" } });
      const [{ object }] = await stream.next(1);
      assert.equal(object.kind, "Table");
      assert.deepEqual(object.rows[0].cells.slice(0, 2), ["a", 1]);
      assert.equal(object.rows[0].object.kind, "PartialObjectMetadata");
    }),
  );

  it(
    "of one object is woken by it alone, and misses nothing however much happens to others",
    inServer(async ({ request, watch, server }) => {
      await request("POST", MAPS, { metadata: { name: "quiet" } });
      const stream = await watch(`${MAPS}?watch=1&fieldSelector=metadata.name%3Dquiet`);
      assert.deepEqual(told(await stream.next(1)), ["ADDED quiet"]);
      assert.equal(stream.isOver, false);
      // More than the ring of the resource keeps.
      const data = { k: "x".repeat(1_000_000) };
      await request("POST", MAPS, { metadata: { name: "busy" }, data });
      for (let at = 0; at < 40; at++)
        await request("PUT", `${MAPS}/busy`, { metadata: { name: "busy" }, data: { ...data, at: `${at}` } }); // prettier-ignore
      const { events } = server.parts.resources.find("", "v1", "configmaps")!.cache;
      assert.ok(events.first > 5, "the ring has moved on");
      await request("PUT", `${MAPS}/quiet`, { metadata: { name: "quiet" }, data: { a: "b" } });
      assert.deepEqual(told(await stream.next(1)), ["MODIFIED quiet"]);
    }),
  );

  it(
    "by a field is told when an object gets its value, and when it loses it",
    inServer(async ({ request, watch }) => {
      const pods = "/api/v1/namespaces/default/pods";
      const stream = await watch(`${pods}?watch=1&fieldSelector=status.phase%3DRunning`);
      assert.equal(stream.isOver, false);
      const spec = { containers: [{ name: "c", image: "i" }] };
      for (const name of ["a", "b"]) await request("POST", pods, { metadata: { name }, spec });
      const phase = (name: string, value: string) =>
        request(
          "PATCH",
          `${pods}/${name}/status`,
          { status: { phase: value } },
          {
            "content-type": "application/merge-patch+json",
          },
        );
      await phase("a", "Running");
      await phase("b", "Failed");
      await phase("a", "Succeeded");
      assert.deepEqual(told(await stream.next(2)), ["ADDED a", "DELETED a"]);
    }),
  );
});
