import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "../../api/core/pod.ts";
import type { ReplicationController } from "../../api/core/replication-controller.ts";
import { planReplicas } from "../../reconciler/replicas.ts";
import { replicationControllers } from "./replication.ts";

const LABELS = { app: "x" };
const keeper: ReplicationController = {
  metadata: { name: "rc", namespace: "d", uid: "rc", generation: 1 },
  spec: { replicas: 2, selector: LABELS, template: { metadata: { labels: LABELS } } },
};
const pod = (name: string, labels: Record<string, string>): Pod => ({
  metadata: { name, namespace: "d", uid: name, labels },
  spec: { containers: [] },
  status: { phase: "Running" },
});

describe("replication plan", () => {
  it("adopts by its map of labels, creates what lacks, and counts", () => {
    const pods = [pod("a", LABELS), pod("b", { app: "y" })];
    const { writes, status } = planReplicas(
      replicationControllers,
      { keeper, pods, related: [] },
      0,
    );
    assert.deepEqual(
      writes?.map(({ verb }) => verb),
      ["patch", "create"],
    );
    const [, created] = writes as unknown as readonly { readonly object: Pod }[];
    assert.deepEqual(created!.object.metadata?.ownerReferences, [
      {
        apiVersion: "v1",
        kind: "ReplicationController",
        name: "rc",
        uid: "rc",
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    assert.deepEqual(status, { replicas: 1, fullyLabeledReplicas: 1 });
  });
});
