import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { node, pod } from "../../../test/support/builders.ts";
import { followLoop, type FollowedLoop } from "../../../test/support/follow-loop.ts";
import { Node } from "../../api/core/node.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { Pod } from "../../api/core/pod.ts";
import { attachDetachLoop } from "./attachdetach.ts";

const MANAGED = { "volumes.kubernetes.io/controller-managed-attach-detach": "true" };

/** Nodes `a` and `b` with a Pod each, both with the claim of a volume that one node may have. */
function world(): FollowedLoop {
  const followed = followLoop(attachDetachLoop);
  const { cache } = followed;
  const accessModes = ["ReadWriteOnce"];
  cache.put(PersistentVolumeClaim, {
    metadata: { name: "c", namespace: "default", uid: "c" },
    spec: { accessModes, volumeName: "v", resources: { requests: { storage: "1Gi" } } },
    status: { phase: "Bound" },
  });
  cache.put(PersistentVolume, {
    metadata: { name: "v" },
    spec: {
      accessModes,
      csi: { driver: "d.example.com", volumeHandle: "v" },
      claimRef: { namespace: "default", name: "c", uid: "c" },
    },
  });
  const volumes = [{ name: "v", persistentVolumeClaim: { claimName: "c" } }];
  for (const nodeName of ["a", "b"]) {
    cache.put(Node, node(nodeName, { metadata: { annotations: MANAGED } }));
    const metadata = { namespace: "default" };
    cache.put(Pod, pod(`on-${nodeName}`, { metadata, spec: { nodeName, volumes } }));
  }
  followed.woken();
  return followed;
}

const asks = ({ writes }: FollowedLoop, key: string): boolean =>
  writes(key).some(({ verb }) => verb === "create");

describe("attachDetachLoop", () => {
  it("who waits is woken when a node gives up what it asked for and never got", () => {
    const loop = world();
    const { cache, woken } = loop;
    assert.equal(asks(loop, "a"), true);
    assert.equal(asks(loop, "b"), false);
    cache.remove(Pod, { namespace: "default", name: "on-a" });
    assert.equal(woken(), "a");
    assert.equal(asks(loop, "b"), false, "what was asked for may still come");
    assert.equal(asks(loop, "a"), false);
    assert.equal(woken(), "b");
    assert.equal(asks(loop, "b"), true);
  });

  it("a node that asks again wakes nobody", () => {
    const loop = world();
    const { woken } = loop;
    assert.equal(asks(loop, "a"), true);
    assert.equal(asks(loop, "a"), true);
    assert.equal(woken(), "");
  });
});
