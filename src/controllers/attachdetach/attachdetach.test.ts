import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { node, pod } from "../../../test/support/builders.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { Node } from "../../api/core/node.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { Pod } from "../../api/core/pod.ts";
import type { Cache } from "../../client/cache.ts";
import type { Loop } from "../../reconciler/runner.ts";
import { attachDetachLoop } from "./attachdetach.ts";

const MANAGED = { "volumes.kubernetes.io/controller-managed-attach-detach": "true" };

/** Nodes `a` and `b` with a Pod each, both with the claim of a volume that one node may have; who is woken. */
function world(): { cache: StaticCache; loop: Loop; woken: () => string } {
  const cache = new StaticCache();
  const loop = attachDetachLoop(cache as unknown as Cache);
  let keys: string[] = [];
  loop.begin?.((key) => keys.push(key));
  for (const kind of [Pod, PersistentVolumeClaim, PersistentVolume, Node])
    cache.onChange(kind, (change) => keys.push(...loop.keysOf(change)));
  const woken = (): string => {
    const text = [...new Set(keys)].sort().join(" ");
    keys = [];
    return text;
  };
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
  woken();
  return { cache, loop, woken };
}

const asks = (loop: Loop, key: string): boolean =>
  (loop.decide(key, 0)?.plan.writes ?? []).some(({ verb }) => verb === "create");

describe("attachDetachLoop", () => {
  it("who waits is woken when a node gives up what it asked for and never got", () => {
    const { cache, loop, woken } = world();
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
    const { loop, woken } = world();
    assert.equal(asks(loop, "a"), true);
    assert.equal(asks(loop, "a"), true);
    assert.equal(woken(), "");
  });
});
