import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ReplicaSet } from "../api/apps/replica-set.ts";
import { Namespace } from "../api/core/namespace.ts";
import { Pod } from "../api/core/pod.ts";
import { pod, replicaSet } from "../../test/support/builders.ts";
import { startTestServer } from "../../test/support/api-server.ts";
import { applyPlan } from "./apply.ts";

describe("applyPlan", () => {
  it("writes the status though a name is taken: nothing may ever change that", async () => {
    const { client, close } = await startTestServer();
    await client.create(Namespace, { metadata: { name: "default" } }).catch(() => {});
    await client.create(Pod, pod("a"));
    const object = await client.create(ReplicaSet, replicaSet("set"));
    const plan = {
      writes: [{ verb: "create", kind: Pod, object: pod("a") } as const],
      status: { replicas: 3 },
      statusOnFailure: () => ({ replicas: 7 }),
    };
    const primary = { kind: ReplicaSet, object, observesGeneration: true };
    const { outcome } = await applyPlan(client, plan, primary);
    assert.equal(outcome, "lost");
    const { status } = await client.get(ReplicaSet, { namespace: "default", name: "set" });
    assert.deepEqual(
      [status?.replicas, status?.observedGeneration],
      [3, object.metadata?.generation],
    );
    await close();
  });
});
