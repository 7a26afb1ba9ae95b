import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VolumeWaits, waitMessage, type Missing } from "./volume-waits.ts";

const unattached: Missing = { unprocessed: [], unattached: ["data"] };
const unbound = (message: string): Missing => ({
  unprocessed: [{ kind: "unprocessed", volume: "data", message }],
  unattached: [],
});

describe("VolumeWaits", () => {
  it("tells of a missing attachment every 123 s", () => {
    const waits = new VolumeWaits();
    const told = [0, 122_999, 123_000, 200_000, 246_000].map(
      (at) => waits.note("u", unattached, at) !== undefined,
    );
    assert.deepEqual(told, [false, false, true, false, true]);
  });
  it("tells of a claim that cannot be used at once, when that changes, and every 10 s", () => {
    const waits = new VolumeWaits();
    const told = (at: number, message: string): boolean =>
      waits.note("u", unbound(message), at) !== undefined;
    assert.deepEqual(
      [told(0, "a"), told(9_999, "a"), told(10_000, "a"), told(10_001, "b")],
      [true, false, true, true],
    );
  });
  it("a Pod that waits no more begins anew", () => {
    const waits = new VolumeWaits();
    waits.note("u", unattached, 0);
    waits.forget("u");
    assert.equal(waits.note("u", unattached, 200_000), undefined);
  });
});

describe("waitMessage", () => {
  it("names what is waited for", () => {
    const both = { ...unbound("error processing PVC n/c: PVC is not bound"), unattached: ["more"] };
    assert.equal(
      waitMessage(both),
      "Unable to attach or mount volumes: unmounted volumes=[data more], unattached volumes=[more], " +
        "failed to process volumes=[data]: error processing PVC n/c: PVC is not bound",
    );
    assert.equal(
      waitMessage(unattached),
      "Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[data], " +
        "failed to process volumes=[]: timed out waiting for the condition",
    );
  });
});
