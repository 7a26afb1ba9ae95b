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

  it("tells what the server says of an owner: is it there, is it another, does it wait", async () => {
    const { client, clock, close } = await startTestServer();
    const lookup = new OwnerLookup(client, clock, silentLogger, () => [Deployment, ReplicaSet]);
    lookup.begin(() => {});
    const template = {
      metadata: { labels: { a: "b" } },
      spec: { containers: [{ name: "c", image: "i" }] },
    };
    const uidOf = async (name: string): Promise<string> => {
      const metadata = { name, namespace: "default" };
      const spec = { selector: { matchLabels: { a: "b" } }, template };
      return (await client.create(Deployment, { metadata, spec } as never)).metadata!.uid!;
    };
    const answer = async (name: string, uid: string) => {
      const reference = { ...GONE, name, uid };
      assert.equal(lookup.state(dependent("x"), reference), "unknown");
      await clock.advance(0);
      return lookup.state(dependent("x"), reference);
    };
    assert.equal(await answer("here", await uidOf("here")), "solid");
    assert.equal(await answer("here", "another"), "gone");
    const uid = await uidOf("going");
    const key = { namespace: "default", name: "going" };
    await client.delete(Deployment, key, { ifUid: uid, propagation: "Foreground" });
    assert.equal(await answer("going", uid), "waiting");
    await close();
  });
});
