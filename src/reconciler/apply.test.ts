import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ReplicaSet } from "../api/apps/replica-set.ts";
import { Namespace } from "../api/core/namespace.ts";
import { Pod } from "../api/core/pod.ts";
import { pod, replicaSet } from "../../test/support/builders.ts";
import { startTestServer } from "../../test/support/api-server.ts";
import type { Client } from "../client/client.ts";
import { applyPlan } from "./apply.ts";
import type { PlannedWrite } from "./controller.ts";

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

  it("patches of different objects go out together, a second one of an object after the first", async () => {
    const { client, close } = await startTestServer();
    await client.create(Namespace, { metadata: { name: "default" } }).catch(() => {});
    for (const name of ["a", "b"]) await client.create(Pod, pod(name));
    const steps: string[] = [];
    const patch: Client["patch"] = async (kind, key, body) => {
      steps.push(`begin ${key.name}`);
      const patched = await client.patch(kind, key, body);
      steps.push(`end ${key.name}`);
      return patched;
    };
    const observed = { patch } as Partial<Client> as Client;
    const write = (name: string, label: string): PlannedWrite => {
      const key = { namespace: "default", name };
      return { verb: "patch", kind: Pod, key, patch: { metadata: { labels: { label } } } };
    };
    const writes = [write("a", "1"), write("b", "1"), write("a", "2")];
    const { outcome } = await applyPlan(observed, { writes }, undefined);
    assert.equal(outcome, "done");
    assert.deepEqual(steps.slice(0, 2), ["begin a", "begin b"]);
    assert.deepEqual(steps.slice(-2), ["begin a", "end a"]);
    const patched = await client.get(Pod, { namespace: "default", name: "a" });
    assert.equal(patched.metadata?.labels?.["label"], "2");
    await close();
  });
});
