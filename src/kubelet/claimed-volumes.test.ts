import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PersistentVolume } from "../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../api/core/persistent-volume-claim.ts";
import { node, pod } from "../../test/support/builders.ts";
import { startTestServer } from "../../test/support/api-server.ts";
import { ClaimedVolumes } from "./claimed-volumes.ts";

const ZONE = "topology.kubernetes.io/zone";

describe("ClaimedVolumes", () => {
  const rows = [
    ["of another zone", node("n", { metadata: { labels: { [ZONE]: "b" } } }), "refused"],
    ["of the volume's zone", node("n", { metadata: { labels: { [ZONE]: "a" } } }), "ready"],
    ["that is not known yet", undefined, "unattached"],
  ] as const;
  for (const [title, known, where] of rows)
    it(`a volume of one zone is ${where} on a node ${title}`, async () => {
      const { client, close } = await startTestServer();
      const capacity = { storage: "1Gi" };
      const key = { namespace: "default", name: "c" };
      const claim = await client.create(PersistentVolumeClaim, {
        metadata: key,
        spec: {
          ...{ accessModes: ["ReadWriteOnce"], volumeName: "v", storageClassName: "" },
          resources: { requests: capacity },
        },
      });
      await client.updateStatus(PersistentVolumeClaim, { ...claim, status: { phase: "Bound" } });
      const inZone = { matchExpressions: [{ key: ZONE, operator: "In", values: ["a"] }] };
      await client.create(PersistentVolume, {
        metadata: { name: "v" },
        spec: {
          ...{ capacity, accessModes: ["ReadWriteOnce"], hostPath: { path: "/v" } },
          claimRef: { ...key, uid: claim.metadata?.uid ?? "" },
          nodeAffinity: { required: { nodeSelectorTerms: [inZone] } },
        },
      });
      const claimed = new ClaimedVolumes(client, {
        node: async () => known,
        tellInUse: async () => true,
        inUseShrank: () => {},
      });
      const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "c" } }];
      const found = await claimed.find(pod("p", { spec: { volumes } }));
      const counts = Object.entries(found).filter(([, list]) => list.length > 0);
      assert.deepEqual(
        counts.map(([name]) => name),
        [where],
      );
      await close();
    });
});
