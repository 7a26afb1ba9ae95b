import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pod } from "../../../test/support/builders.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pod.ts";
import type { Cache } from "../../client/cache.ts";
import type { Loop } from "../../reconciler/runner.ts";
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

function world(...pods: Pod[]): { cache: StaticCache; loop: Loop; woken: () => string } {
  const cache = new StaticCache();
  const loop = pvcProtectionLoop(cache as unknown as Cache);
  const keys: string[] = [];
  for (const kind of [PersistentVolumeClaim, Pod])
    cache.onChange(kind, (change) => keys.push(...loop.keysOf(change)));
  for (const one of pods) cache.put(Pod, one);
  return { cache, loop, woken: () => keys.splice(0).join() };
}

/** The finalizers that are written of the claim `c`. */
function row(what: string, parts: object, pods: Pod[], expected: string | undefined): void {
  it(`${what} → ${expected ?? "nothing"}`, () => {
    const { cache, loop } = world(...pods);
    cache.put(PersistentVolumeClaim, claim("c", parts));
    const [write] = loop.decide("d/c", 0)?.plan.writes ?? [];
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
      const { cache, loop } = world(pod("p", { metadata, spec: inline }));
      cache.put(PersistentVolumeClaim, claim("p-v", { ...kept, ownerReferences }));
      return loop.decide("d/p-v", 0)?.plan.writes === undefined;
    };
    assert.equal(keeps({}, [owner]), true);
    assert.equal(keeps({ ...GOING, deletionGracePeriodSeconds: 30 }, [owner]), true);
    assert.equal(keeps({}, []), false, "another's claim");
    // Foreground deletion keeps the Pod for the claim: they must not wait for each other.
    assert.equal(keeps({ ...GOING, deletionGracePeriodSeconds: 0 }, [owner]), false);
  });

  it("a Pod that goes wakes the claims that go, and asks for Pods up to the claim's version", () => {
    const { cache, loop, woken } = world(
      user({ nodeName: "n" }),
      user({}, "Running", "q", "other"),
    );
    cache.put(PersistentVolumeClaim, claim("c", kept));
    cache.put(PersistentVolumeClaim, claim("other", { finalizers: [KEPT] }));
    assert.equal(woken(), "d/c,d/other");
    cache.remove(Pod, { namespace: "d", name: "q" });
    assert.equal(woken(), "");
    cache.remove(Pod, { namespace: "d", name: "p" });
    assert.equal(woken(), "d/c");
    assert.deepEqual(loop.decide("d/c", 0)?.needs, new Map([[Pod, 9]]));
  });
});
