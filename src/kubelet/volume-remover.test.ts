import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Node } from "../api/core/node.ts";
import { REMOVAL_PREFIX, removalsOf } from "../api/storage/own-volumes.ts";
import { silentLogger } from "../base/logger.ts";
import type { V1Node } from "../gen/types.ts";
import { startTestServer } from "../../test/support/api-server.ts";
import { VolumeRemover } from "./volume-remover.ts";

describe("VolumeRemover", () => {
  it("goes on with other volumes while one cannot be removed, and tries that one again", async () => {
    const { client, clock, close } = await startTestServer();
    const annotations = {
      [`${REMOVAL_PREFIX}a`]: "wanted:stuck",
      [`${REMOVAL_PREFIX}b`]: "wanted:free-1",
      [`${REMOVAL_PREFIX}c`]: "wanted:free-2",
    };
    let node: V1Node = await client.create(Node, { metadata: { name: "n", annotations } });
    let isStuck = true;
    const remover = new VolumeRemover({
      ...{ client, clock, logger: silentLogger, nodeName: "n", node: () => node },
      remove: async (handle) => {
        if (handle === "stuck" && isStuck) throw new Error("busy");
      },
    });
    const done = async (): Promise<readonly string[]> => {
      node = await client.get(Node, { name: "n" });
      return removalsOf(node).flatMap(({ volume, isDone }) => (isDone ? volume : []));
    };
    remover.look();
    await clock.advance(10_000);
    assert.deepEqual(await done(), ["b", "c"]);
    isStuck = false;
    await clock.advance(60_000);
    assert.deepEqual(await done(), ["a", "b", "c"]);
    remover.close();
    await close();
  });
});
