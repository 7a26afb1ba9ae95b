import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Machine } from "../executor/machine.ts";
import { nodeStatus, type NodeIdentity, type RuntimeFacts } from "./node-status.ts";

const IDENTITY = { name: "n", ips: ["10.0.0.1"], kubeletPort: 10250 } as unknown as NodeIdentity;
const MACHINE = { cpus: 2, memoryBytes: 2 ** 32, diskBytes: 2 ** 33 } as Machine;
const RUNTIME: RuntimeFacts = {
  version: "",
  conditions: [],
  images: [],
  pressures: new Set(),
  volumesInUse: [],
};

describe("nodeStatus", () => {
  it("offers what others have added to the capacity, and the machine's own as they are", () => {
    const capacity = { "example.com/gpu": "5", cpu: "64" };
    const status = nodeStatus(IDENTITY, MACHINE, RUNTIME, { capacity }, 0);
    for (const amounts of [status.capacity, status.allocatable]) {
      assert.equal(amounts?.["example.com/gpu"], "5");
      assert.equal(amounts?.["cpu"], "2");
    }
  });
  it("offers no longer what is not there any more", () => {
    const allocatable = { "example.com/gpu": "5" };
    const status = nodeStatus(IDENTITY, MACHINE, RUNTIME, { allocatable }, 0);
    assert.equal(status.allocatable?.["example.com/gpu"], undefined);
  });
});
