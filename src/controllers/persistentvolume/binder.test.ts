import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import { followLoop, type FollowedLoop } from "../../../test/support/follow-loop.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { Pod } from "../../api/core/pod.ts";
import { StorageClass } from "../../api/storage/storage-class.ts";
import { persistentVolumeBinderLoop } from "./binder.ts";

const volume = (name: string, spec: object = {}): PersistentVolume => ({
  metadata: { name, resourceVersion: "9" },
  spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], ...spec },
  status: { phase: "Available" },
});
const claim = (name: string, spec: object = {}): PersistentVolumeClaim => ({
  metadata: { name, namespace: "d", uid: name, resourceVersion: "8" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
  status: { phase: "Pending" },
});

const world = (): FollowedLoop => followLoop(persistentVolumeBinderLoop);

const volumeOf = ({ writes }: FollowedLoop, key: string): string | undefined => {
  const [write] = writes(key);
  return write?.verb === "update" ? write.object.metadata?.name : undefined;
};

describe("persistentVolumeBinderLoop", () => {
  it("wakes whom a change concerns, and nobody else", () => {
    const { cache, woken } = world();
    cache.put(PersistentVolumeClaim, claim("one"));
    cache.put(PersistentVolumeClaim, claim("fast", { storageClassName: "fast" }));
    cache.put(PersistentVolumeClaim, claim("named", { volumeName: "v" }));
    assert.equal(woken(), "claim d/fast, claim d/named, claim d/one, volume v");
    cache.put(PersistentVolume, volume("w"));
    assert.equal(woken(), "claim d/one, volume w");
    cache.put(PersistentVolume, volume("v"));
    assert.equal(woken(), "claim d/named, claim d/one, volume v");
    cache.put(PersistentVolume, volume("w", { claimRef: { namespace: "d", name: "fast" } }));
    assert.equal(woken(), "claim d/fast, volume w");
    cache.put(StorageClass, { metadata: { name: "fast" }, provisioner: "x" });
    assert.equal(woken(), "claim d/fast");
    const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
    cache.put(StorageClass, { metadata: { name: "best", annotations }, provisioner: "x" });
    assert.equal(woken(), "claim d/one");
    cache.remove(PersistentVolumeClaim, { namespace: "d", name: "fast" });
    assert.equal(woken(), "claim d/fast, volume w");
  });

  it("a volume wakes claims of its class once it may be had, and those that wait for a Pod only when it names them", () => {
    const { cache, woken } = world();
    const late = { metadata: { name: "late" }, provisioner: "x" };
    cache.put(StorageClass, { ...late, volumeBindingMode: "WaitForFirstConsumer" });
    cache.put(PersistentVolumeClaim, claim("one"));
    cache.put(PersistentVolumeClaim, claim("late", { storageClassName: "late" }));
    woken();
    cache.put(PersistentVolume, { ...volume("v"), status: { phase: "Pending" } });
    assert.equal(woken(), "volume v");
    cache.put(PersistentVolume, volume("v"));
    assert.equal(woken(), "claim d/one, volume v");
    cache.put(PersistentVolume, volume("w", { storageClassName: "late" }));
    assert.equal(woken(), "volume w");
    const claimRef = { namespace: "d", name: "late" };
    cache.put(PersistentVolume, volume("w", { storageClassName: "late", claimRef }));
    assert.equal(woken(), "claim d/late, volume w");
  });

  it("a claim that waits for a Pod takes what is reserved for it, and nothing that is free", () => {
    const loop = world();
    const { cache } = loop;
    const late = { metadata: { name: "late" }, provisioner: "x" };
    cache.put(StorageClass, { ...late, volumeBindingMode: "WaitForFirstConsumer" });
    cache.put(PersistentVolumeClaim, claim("late", { storageClassName: "late" }));
    cache.put(PersistentVolume, volume("a", { storageClassName: "late" }));
    assert.notEqual(volumeOf(loop, "claim d/late"), "a");
    const claimRef = { namespace: "d", name: "late" };
    cache.put(PersistentVolume, volume("b", { storageClassName: "late", claimRef }));
    assert.equal(volumeOf(loop, "claim d/late"), "b");
  });

  it("a new Pod wakes its claims that have no volume", () => {
    const { cache, woken } = world();
    const uses = (...names: string[]) =>
      names.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));
    cache.put(PersistentVolumeClaim, claim("one"));
    cache.put(PersistentVolumeClaim, claim("named", { volumeName: "v" }));
    woken();
    const spec = { volumes: uses("one", "named") };
    cache.put(Pod, pod("p", { metadata: { namespace: "d" }, spec }));
    assert.equal(woken(), "claim d/one");
    cache.put(Pod, pod("p", { metadata: { namespace: "d" }, spec: { ...spec, nodeName: "n" } }));
    assert.equal(woken(), "");
  });

  it("promises a volume to one claim at a time, until the volume changes", () => {
    const loop = world();
    const { cache } = loop;
    cache.put(PersistentVolumeClaim, claim("one"));
    cache.put(PersistentVolumeClaim, claim("two"));
    cache.put(PersistentVolume, volume("v"));
    cache.put(PersistentVolume, volume("w"));
    assert.equal(volumeOf(loop, "claim d/one"), "v");
    assert.equal(volumeOf(loop, "claim d/two"), "w");
    assert.equal(volumeOf(loop, "claim d/one"), "v");
    cache.put(PersistentVolume, volume("v", { storageClassName: "fast" }));
    assert.equal(volumeOf(loop, "claim d/one"), undefined);
    cache.remove(PersistentVolumeClaim, { namespace: "d", name: "two" });
    assert.equal(volumeOf(loop, "claim d/one"), "w");
  });

  it("a volume that was promised and is set free wakes those that wait for one", () => {
    const loop = world();
    const { cache, woken } = loop;
    for (const name of ["one", "two"]) cache.put(PersistentVolumeClaim, claim(name));
    cache.put(PersistentVolume, volume("v"));
    assert.equal(volumeOf(loop, "claim d/one"), "v");
    assert.equal(volumeOf(loop, "claim d/two"), undefined);
    woken();
    cache.remove(PersistentVolumeClaim, { namespace: "d", name: "one" });
    assert.equal(woken(), "claim d/one, claim d/two");
    assert.equal(volumeOf(loop, "claim d/two"), "v");
    // A smaller one comes: what was promised before is open to others.
    const smaller = { capacity: { storage: "1Gi" } };
    cache.put(PersistentVolume, volume("v", { capacity: { storage: "2Gi" } }));
    assert.equal(volumeOf(loop, "claim d/two"), "v");
    cache.put(PersistentVolume, volume("w", smaller));
    cache.put(PersistentVolumeClaim, claim("three"));
    woken();
    assert.equal(volumeOf(loop, "claim d/two"), "w");
    assert.equal(woken(), "claim d/three");
  });

  it("a volume that goes wakes the claim that it was promised to", () => {
    const loop = world();
    const { cache, woken } = loop;
    cache.put(PersistentVolumeClaim, claim("one"));
    cache.put(PersistentVolume, volume("v"));
    assert.equal(volumeOf(loop, "claim d/one"), "v");
    woken();
    cache.remove(PersistentVolume, { namespace: "", name: "v" });
    assert.equal(woken(), "claim d/one, volume v");
  });

  it("believes that a claim has gone only when claims are known up to the volume's version", () => {
    const loop = world();
    const { cache } = loop;
    cache.put(
      PersistentVolume,
      volume("v", { claimRef: { namespace: "d", name: "one", uid: "o" } }),
    );
    const decision = loop.decide("volume v");
    assert.deepEqual(decision?.needs, new Map([[PersistentVolumeClaim, 9]]));
    assert.deepEqual(decision?.plan.status, { phase: "Released" });
  });

  it("believes that a claim's volume has gone only when volumes are known up to the claim's version", () => {
    const loop = world();
    const { cache } = loop;
    const bound = claim("one", { volumeName: "v" });
    const annotations = { "pv.kubernetes.io/bind-completed": "yes" };
    cache.put(PersistentVolumeClaim, { ...bound, metadata: { ...bound.metadata, annotations } });
    const decision = loop.decide("claim d/one");
    assert.deepEqual(decision?.needs, new Map([[PersistentVolume, 8]]));
    assert.deepEqual(decision?.plan.status, { phase: "Lost" });
    cache.put(
      PersistentVolume,
      volume("v", { claimRef: { namespace: "d", name: "one", uid: "one" } }),
    );
    assert.equal(loop.decide("claim d/one")?.needs, undefined);
  });

  it("believes that a claim's volume is another's only when both are known up to the other's version", () => {
    const loop = world();
    const bound = claim("one", { volumeName: "v" });
    const annotations = { "pv.kubernetes.io/bind-completed": "yes" };
    const metadata = { ...bound.metadata, annotations };
    loop.cache.put(PersistentVolumeClaim, { ...bound, metadata });
    const claimRef = { namespace: "d", name: "two", uid: "two" };
    loop.cache.put(PersistentVolume, volume("v", { claimRef }));
    const { plan, needs } = loop.decide("claim d/one")!;
    assert.equal(plan.events?.[0]?.reason, "ClaimMisbound");
    const sure = new Map<unknown, number>([
      [PersistentVolume, 8],
      [PersistentVolumeClaim, 9],
    ]);
    assert.deepEqual(needs, sure);
  });
});
