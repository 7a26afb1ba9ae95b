import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigMap } from "../api/core/config-map.ts";
import { StatusError } from "../api/machinery/status-error.ts";
import { silentLogger } from "../base/logger.ts";
import { Unreachable } from "../base/network.ts";
import { SeededRandom } from "../base/seeded-random.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import type { CacheChange } from "./cache.ts";
import type { Client, List, ListOptions, WatchEvent, WatchOptions } from "./client.ts";
import { ListWatchCache } from "./list-watch-cache.ts";

const map = (name: string, revision: number, uid = name): ConfigMap => ({
  metadata: { name, namespace: "d", uid, resourceVersion: String(revision) },
});

const expired = new StatusError({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Failure",
  message: "too old resource version: 1 (9)",
  reason: "Expired",
  code: 410,
});

type Step =
  | { readonly list: List<ConfigMap> | Error }
  | { readonly watch: readonly WatchEvent<ConfigMap>[]; readonly end?: Error | "open" };

/** The wire as a script: answers each list and watch in turn, and logs what was asked. */
function scripted(steps: Step[]) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const next = (): Step => steps.shift() ?? { watch: [], end: "open" };
  const client = {
    list(_kind: unknown, options: ListOptions) {
      asked.push(options.continue ? `list ${options.continue}` : "list");
      const step = next();
      assert.ok("list" in step, "the script expects no list here");
      return step.list instanceof Error ? Promise.reject(step.list) : Promise.resolve(step.list);
    },
    async *watch(_kind: unknown, options: WatchOptions) {
      asked.push(`watch ${options.resourceVersion}`);
      const step = next();
      assert.ok("watch" in step, "the script expects no watch here");
      yield* step.watch;
      if (step.end instanceof Error) throw step.end;
      if (step.end === "open") await new Promise(() => {});
    },
  } as unknown as Client;
  const cache = new ListWatchCache(client, clock, new SeededRandom(1), silentLogger, {
    freezes: true,
  });
  const changes: string[] = [];
  cache.onChange(ConfigMap, ({ key, old, object }: CacheChange) => {
    changes.push(`${old ? (object ? "~" : "-") : "+"}${key.name}`);
  });
  return { clock, cache, asked, changes };
}

const names = (cache: ListWatchCache): string =>
  cache
    .list(ConfigMap)
    .map(({ metadata }) => metadata?.name)
    .join();

describe("list-watch cache", () => {
  it("lists by pages, then watches from the list's revision", async () => {
    const { clock, cache, asked, changes } = scripted([
      { list: { items: [map("b", 3)], resourceVersion: "9", continue: "t" } },
      { list: { items: [map("a", 4)], resourceVersion: "9" } },
      {
        watch: [
          { type: "ADDED", object: map("c", 10) },
          { type: "MODIFIED", object: map("a", 11) },
          { type: "DELETED", object: map("b", 12) },
        ],
        end: "open",
      },
    ]);
    const synced = cache.sync(ConfigMap);
    await clock.advance(0);
    await synced;
    assert.deepEqual(asked, ["list", "list t", "watch 9"]);
    assert.deepEqual(changes, ["+b", "+a", "+c", "~a", "-b"]);
    assert.equal(names(cache), "a,c");
    assert.equal(cache.revision(ConfigMap), 12);
  });

  it("a broken watch goes on from the last revision seen, bookmarks included", async () => {
    const { clock, cache, asked } = scripted([
      { list: { items: [], resourceVersion: "1" } },
      { watch: [{ type: "ADDED", object: map("a", 2) }], end: new Unreachable("gone") },
      { watch: [{ type: "BOOKMARK", resourceVersion: "7" }] },
    ]);
    void cache.sync(ConfigMap);
    await clock.advance(60_000);
    assert.deepEqual(asked, ["list", "watch 1", "watch 2", "watch 7"]);
    assert.equal(cache.revision(ConfigMap), 7);
  });

  it("a forgotten revision is made up for by a new list, told as changes", async () => {
    const { clock, cache, asked, changes } = scripted([
      { list: { items: [map("a", 1), map("b", 1), map("c", 1)], resourceVersion: "1" } },
      { watch: [], end: expired },
      { list: { items: [map("b", 1), map("c", 5), map("d", 6)], resourceVersion: "9" } },
    ]);
    void cache.sync(ConfigMap);
    await clock.advance(0);
    assert.deepEqual(asked, ["list", "watch 1", "list", "watch 9"]);
    assert.deepEqual(changes.slice(3), ["-a", "~c", "+d"], "b is what it was");
    assert.equal(names(cache), "b,c,d");
  });

  it("what was made anew unheard is told as gone, then as come", async () => {
    const { clock, cache, changes } = scripted([
      { list: { items: [map("a", 1), map("b", 1)], resourceVersion: "1" } },
      { watch: [], end: expired },
      { list: { items: [map("a", 8, "another"), map("b", 5)], resourceVersion: "9" } },
    ]);
    void cache.sync(ConfigMap);
    await clock.advance(0);
    assert.deepEqual(changes.slice(2), ["-a", "+a", "~b"]);
    assert.equal(names(cache), "a,b");
  });

  it("events that come again change nothing", async () => {
    const old = { type: "ADDED", object: map("a", 4) } as const;
    const { clock, cache, changes } = scripted([
      { list: { items: [], resourceVersion: "3" } },
      { watch: [old, { type: "MODIFIED", object: map("a", 5) }, old], end: new Unreachable("x") },
      { watch: [{ type: "DELETED", object: map("a", 6) }, old], end: "open" },
    ]);
    await cache.sync(ConfigMap);
    await clock.advance(60_000);
    assert.deepEqual(changes, ["+a", "~a", "-a"]);
    assert.equal(names(cache), "");
  });

  it("failures are tried again with growing pauses, from where it stood", async () => {
    const failure = { list: new Unreachable("down") };
    const { clock, cache, asked } = scripted([
      failure,
      failure,
      failure,
      { list: { items: [], resourceVersion: "1" } },
    ]);
    void cache.sync(ConfigMap);
    await clock.advance(400);
    assert.equal(asked.length, 1);
    await clock.advance(800 + 1600 + 3200);
    assert.deepEqual(asked, ["list", "list", "list", "list", "watch 1"]);
  });

  it("watches that end at once without a word are not asked for in a tight loop", async () => {
    const ends = Array.from({ length: 100 }, (): Step => ({ watch: [] }));
    const { clock, cache, asked } = scripted([
      { list: { items: [], resourceVersion: "1" } },
      ...ends,
    ]);
    void cache.sync(ConfigMap);
    await clock.advance(10_000);
    assert.ok(asked.length < 10, `${asked.length} requests in ten seconds`);
  });

  it("objects are frozen where asked, and found by controller", async () => {
    const owner = { apiVersion: "v1", kind: "X", name: "x", uid: "u", controller: true };
    const owned = { metadata: { ...map("a", 1).metadata, ownerReferences: [owner] } };
    const { clock, cache } = scripted([
      { list: { items: [owned, map("b", 1)], resourceVersion: "1" } },
      { watch: [{ type: "MODIFIED", object: map("a", 2) }], end: "open" },
    ]);
    const seen: string[] = [];
    cache.onChange(ConfigMap, () => {
      const count = (controllerUid: string): number =>
        cache.list(ConfigMap, { controllerUid }).length;
      seen.push(`${count("u")} ${count("")}`);
    });
    void cache.sync(ConfigMap);
    await clock.advance(0);
    assert.deepEqual(seen, ["1 0", "1 1", "0 2"]);
    assert.throws(() =>
      Object.assign(cache.get(ConfigMap, { namespace: "d", name: "b" })!.metadata!, { name: "x" }),
    );
  });
});
