import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ReplicaSet } from "../../api/apps/replica-set.ts";
import { Deployment } from "../../api/apps/deployment.ts";
import { silentLogger } from "../../base/logger.ts";
import { startTestServer } from "../../../test/support/api-server.ts";
import type { Item } from "./graph.ts";
import { OwnerLookup } from "./owner-lookup.ts";

const GONE = { apiVersion: "apps/v1", kind: "Deployment", name: "web", uid: "u" };

function dependent(uid: string): Item {
  const key = { namespace: "default", name: uid };
  const owners = [GONE];
  return {
    kind: ReplicaSet,
    key,
    uid,
    resourceVersion: "1",
    owners,
    finalizers: [],
    isDeleting: false,
  };
}

describe("OwnerLookup", () => {
  it("tells the answer to everybody who asked the same while it was on its way", async () => {
    const { client, clock, close } = await startTestServer();
    const lookup = new OwnerLookup(client, clock, silentLogger, () => [Deployment, ReplicaSet]);
    const told: string[] = [];
    lookup.begin((uid) => told.push(uid));
    const [a, b] = [dependent("a"), dependent("b")];
    assert.deepEqual(
      [a, b].map((item) => lookup.state(item, GONE)),
      ["unknown", "unknown"],
    );
    await clock.advance(0);
    assert.deepEqual(told, ["a", "b"]);
    assert.deepEqual(
      [a, b].map((item) => lookup.state(item, GONE)),
      ["gone", "gone"],
    );
    await close();
  });
});
