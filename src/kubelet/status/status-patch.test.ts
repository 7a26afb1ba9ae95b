import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { statusPatch } from "./status-patch.ts";

const unready = {
  type: "Ready",
  status: "False",
  reason: "ContainersNotReady",
  message: "containers with unready status: [main]",
} as const;

describe("statusPatch", () => {
  it("has what differs, and null for what is gone", () => {
    const patch = statusPatch(
      { phase: "Pending", podIP: "10.0.0.1", message: "old" },
      { phase: "Running", podIP: "10.0.0.1" },
    );
    assert.deepEqual(patch, { phase: "Running", message: null });
  });

  it("replaces addresses, which would be merged", () => {
    assert.deepEqual(
      statusPatch({ podIPs: [{ ip: "10.0.0.1" }] }, { podIPs: [{ ip: "10.0.0.2" }] }),
      { podIPs: [{ $patch: "replace" }, { ip: "10.0.0.2" }] },
    );
    assert.deepEqual(statusPatch({}, { podIPs: [{ ip: "10.0.0.2" }] }), {
      podIPs: [{ ip: "10.0.0.2" }],
    });
  });

  it("takes the reason off a condition that has none any more", () => {
    const patch = statusPatch(
      { conditions: [unready] },
      { conditions: [{ type: "Ready", status: "True" }] },
    );
    assert.deepEqual(patch, {
      "$setElementOrder/conditions": [{ type: "Ready" }],
      conditions: [{ type: "Ready", status: "True", reason: null, message: null }],
    });
  });

  it("leaves a condition that is new as it is", () => {
    assert.deepEqual(statusPatch({}, { conditions: [unready] }), {
      "$setElementOrder/conditions": [{ type: "Ready" }],
      conditions: [unready],
    });
  });

  it("says nothing of conditions that stay as they are, and takes away its own", () => {
    const gate = { type: "example.com/gate", status: "True" };
    const waiting = { type: "PodResizePending", status: "True" };
    const scheduled = { type: "PodScheduled", status: "True" };
    assert.deepEqual(
      statusPatch({ conditions: [scheduled, waiting] }, { conditions: [gate, unready, scheduled] }),
      {
        "$setElementOrder/conditions": [
          { type: "example.com/gate" },
          { type: "Ready" },
          { type: "PodScheduled" },
        ],
        conditions: [{ $patch: "delete", type: "PodResizePending" }, gate, unready],
      },
    );
  });
});
