import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pod.ts";
import { keyOf } from "../../api/machinery/object.ts";
import type { Cache } from "../../client/cache.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { ephemeralVolumeLoop } from "./ephemeralvolume.ts";

const TEMPLATE = {
  metadata: { labels: { a: "b" }, annotations: { c: "d" } },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};

function pod(deletionTimestamp?: string): Pod {
  const volumes = [
    { name: "scratch", ephemeral: { volumeClaimTemplate: TEMPLATE } },
    { name: "e" },
  ];
  return {
    metadata: {
      name: "p",
      namespace: "d",
      uid: "u",
      ...(deletionTimestamp && { deletionTimestamp }),
    },
    spec: { containers: [], volumes },
  };
}

function claim(uid?: string): PersistentVolumeClaim {
  const owner = { apiVersion: "v1", kind: "Pod", name: "p", uid: uid ?? "", controller: true };
  return {
    metadata: { name: "p-scratch", namespace: "d", ...(uid && { ownerReferences: [owner] }) },
  };
}

const EVENT =
  "FailedBinding: ephemeral volume scratch: PVC d/p-scratch was not created for pod d/p (pod is not owner)";

describe("claims of ephemeral volumes, by the names of upstream's TestSyncHandler", () => {
  for (const [what, subject, existing, expected] of [
    ["create PVC", pod(), undefined, "create p-scratch"],
    ["out-of-date PVC: there already", pod(), claim("u"), ""],
    ["conflicting PVC: nobody's", pod(), claim(), EVENT],
    ["conflicting PVC: of an earlier Pod of that name", pod(), claim("old"), EVENT],
    ["deleted pod", pod("2026-01-01T00:00:00Z"), undefined, "nothing"],
  ] as const)
    it(what, () => {
      const cache = new StaticCache().put(Pod, subject);
      if (existing) cache.put(PersistentVolumeClaim, existing);
      const { plan } = ephemeralVolumeLoop(cache as unknown as Cache).decide("d/p", 0) ?? {};
      const writes = (plan?.writes ?? []).map(
        (write) => `${write.verb} ${"object" in write && write.object.metadata?.name}`,
      );
      const events = (plan?.events ?? [])
        .filter(({ onFailure }) => !onFailure)
        .map(({ reason, message }) => `${reason}: ${message}`);
      assert.equal(plan ? [...writes, ...events].join(" ") : "nothing", expected);
    });

  it("are as the template says, and go with the Pod", () => {
    const cache = new StaticCache().put(Pod, pod());
    const { plan } = ephemeralVolumeLoop(cache as unknown as Cache).decide("d/p", 0)!;
    const [write] = plan.writes!;
    assert.deepEqual(write && "object" in write && write.object, {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: {
        name: "p-scratch",
        namespace: "d",
        annotations: { c: "d" },
        labels: { a: "b" },
        ownerReferences: [
          {
            apiVersion: "v1",
            kind: "Pod",
            name: "p",
            uid: "u",
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: TEMPLATE.spec,
    });
  });

  it("are made anew when they go before their Pod; other Pods are nobody's business", () => {
    const loop = ephemeralVolumeLoop(new StaticCache() as unknown as Cache);
    const gone = claim("u");
    const change = { kind: PersistentVolumeClaim, key: keyOf(gone), old: gone, object: undefined };
    assert.deepEqual(loop.keysOf(change as never), ["d/p"]);
    const plain = { metadata: { name: "q", namespace: "d" }, spec: { containers: [] } };
    const came = { kind: Pod, key: keyOf(plain), old: undefined, object: plain };
    assert.deepEqual(loop.keysOf(came as never), []);
  });
});
