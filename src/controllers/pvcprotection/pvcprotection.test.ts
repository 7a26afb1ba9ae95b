import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import { followLoop, type FollowedLoop } from "../../../test/support/follow-loop.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pod.ts";
import { pvcProtectionLoop } from "./pvcprotection.ts";

const KEPT = "kubernetes.io/pvc-protection";
const GOING = { deletionTimestamp: "2026-01-01T00:00:00Z" };

const claim = (name: string, parts: object): PersistentVolumeClaim => ({
  metadata: { name, namespace: "d", resourceVersion: "9", ...parts },
});

function user(spec: object, phase?: string, name = "p", claimName = "c"): Pod {
  const volumes = [{ name: "v", persistentVolumeClaim: { claimName } }];
  return pod(name, {
    metadata: { namespace: "d" },
    spec: { volumes, ...spec },
    ...(phase && { status: { phase } }),
  });
}

function world(...pods: Pod[]): FollowedLoop {
  const followed = followLoop(pvcProtectionLoop);
  for (const one of pods) followed.cache.put(Pod, one);
  return followed;
}

/** The finalizers that are written of the claim `c`. */
function row(what: string, parts: object, pods: Pod[], expected: string | undefined): void {
  it(`${what} → ${expected ?? "nothing"}`, () => {
    const { cache, writes } = world(...pods);
    cache.put(PersistentVolumeClaim, claim("c", parts));
    const [write] = writes("d/c");
    const written = write?.verb === "update" ? write.object.metadata?.finalizers : undefined;
    assert.equal(written?.join(), expected);
  });
}

const kept = { ...GOING, finalizers: [KEPT] };
const inline = { nodeName: "n", volumes: [{ name: "v", ephemeral: {} }] };

describe("pvcProtectionLoop", () => {
  row("kept", { finalizers: [KEPT] }, [], undefined);
  row("from before", {}, [], KEPT);
  row("going", kept, [], "");
  row("going, another keeps it", { ...GOING, finalizers: ["x/y", KEPT] }, [], "x/y");
  row("going, not kept by us", { ...GOING, finalizers: ["x/y"] }, [], undefined);
  row("used", kept, [user({ nodeName: "n" })], undefined);
  row("used by one that has ended", kept, [user({ nodeName: "n" }, "Succeeded")], undefined);
  row("used by one without a node", kept, [user({})], "");
  row("another is used", kept, [user({ nodeName: "n" }, "Running", "p", "other")], "");

  it("a claim that a Pod made for itself is named after Pod and volume", () => {
    const owner = { apiVersion: "v1", kind: "Pod", name: "p", uid: "u", controller: true };
    const keeps = (parts: object, ownerReferences: object[]): boolean => {
      const metadata = { namespace: "d", uid: "u", ...parts };
      const { cache, decide } = world(pod("p", { metadata, spec: inline }));
      cache.put(PersistentVolumeClaim, claim("p-v", { ...kept, ownerReferences }));
      return decide("d/p-v")?.plan.writes === undefined;
    };
    assert.equal(keeps({}, [owner]), true);
    assert.equal(keeps({ ...GOING, deletionGracePeriodSeconds: 30 }, [owner]), true);
    assert.equal(keeps({}, []), false, "another's claim");
    // Foreground deletion keeps the Pod for the claim: they must not wait for each other.
    assert.equal(keeps({ ...GOING, deletionGracePeriodSeconds: 0 }, [owner]), false);
  });

  it("a claim that its Pod owns goes when that Pod is shut down: foreground deletion keeps the Pod for the claim", () => {
    const owner = { apiVersion: "v1", kind: "Pod", name: "p", uid: "u", controller: true };
    const keeps = (parts: object, ownerReferences: object[]): boolean => {
      const metadata = { namespace: "d", uid: "u", ...parts };
      const { cache, decide } = world({
        ...user({ nodeName: "n" }),
        metadata: { name: "p", ...metadata },
      });
      cache.put(PersistentVolumeClaim, claim("c", { ...kept, ownerReferences }));
      return decide("d/c")?.plan.writes === undefined;
    };
    const isShutDown = { ...GOING, deletionGracePeriodSeconds: 0 };
    assert.equal(keeps({}, [owner]), true);
    assert.equal(keeps({ ...GOING, deletionGracePeriodSeconds: 30 }, [owner]), true);
    assert.equal(keeps(isShutDown, []), true, "nobody's claim: the Pod uses it until it is gone");
    assert.equal(keeps(isShutDown, [{ ...owner, uid: "set" }]), true);
    assert.equal(keeps(isShutDown, [owner]), false);
  });

  it("a Pod that goes wakes the claims that go, and asks for Pods up to the claim's version", () => {
    const { cache, decide, woken } = world(
      user({ nodeName: "n" }),
      user({}, "Running", "q", "other"),
    );
    cache.put(PersistentVolumeClaim, claim("c", kept));
    cache.put(PersistentVolumeClaim, claim("other", { finalizers: [KEPT] }));
    assert.equal(woken(), "d/c, d/other");
    cache.remove(Pod, { namespace: "d", name: "q" });
    assert.equal(woken(), "");
    cache.remove(Pod, { namespace: "d", name: "p" });
    assert.equal(woken(), "d/c");
    assert.deepEqual(decide("d/c")?.needs, new Map([[Pod, 9]]));
  });
});
