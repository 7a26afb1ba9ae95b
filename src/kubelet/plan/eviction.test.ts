import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  crossed,
  evictionMessage,
  pressuresAt,
  THRESHOLDS_DEFAULT,
  TRANSITION_MS,
  victimOf,
  type NodeSupply,
  type PodUse,
  type Signal,
} from "./eviction.ts";

const MI = 1024 * 1024;

describe("crossed", () => {
  const rows: readonly [string, NodeSupply, string][] = [
    ["plenty", { memory: { capacity: 1000 * MI, available: 500 * MI } }, ""],
    ["memory", { memory: { capacity: 1000 * MI, available: 99 * MI } }, "memory.available"],
    ["disk", { disk: { capacity: 100, available: 9 } }, "nodefs.available"],
    ["inodes", { inodes: { capacity: 100, available: 4 } }, "nodefs.inodesFree"],
    ["a file system without inodes", { inodes: { capacity: 0, available: 0 } }, ""],
    ["processes", { pids: { capacity: 1000, available: 10 } }, "pid.available"],
  ];
  for (const [name, supply, expected] of rows)
    it(`${name}: [${expected}]`, () => {
      const found = crossed(supply, THRESHOLDS_DEFAULT).map(({ signal }) => signal);
      assert.equal(found.join(" "), expected);
    });
});

describe("victimOf", () => {
  /** `NAME used/requested priority` in Mi. */
  const use = (text: string): PodUse => {
    const [name = "", amounts = "", priority = "0"] = text.trim().split(" ");
    const [used, requested] = amounts.split("/").map(Number);
    const requests = { memory: `${requested}Mi`, "ephemeral-storage": `${requested}Mi` };
    return {
      pod: {
        metadata: { name },
        spec: {
          priority: Number(priority),
          containers: [{ name: "c", image: "i", resources: { requests } }],
        },
      },
      memoryBytes: used! * MI,
      diskBytes: used! * MI,
      inodes: used!,
      processes: used!,
    };
  };
  //  pods (used/requested Mi, priority)            signal                first to go
  const rows: readonly [string, Signal, string | undefined][] = [
    ["a 50/100 | b 20/10", "memory.available", "b"],
    ["a 50/10 9 | b 20/10 1", "memory.available", "b"],
    ["a 50/10 1 | b 20/10 1", "memory.available", "a"],
    ["a 50/100 0 | b 20/10 9", "nodefs.available", "b"],
    ["a 50/100 0 | b 20/10 0", "nodefs.inodesFree", "a"],
    ["a 50/10 2000000001", "memory.available", undefined],
    ["a 5/0 0 | b 7/0 0", "pid.available", "b"],
  ];
  for (const [pods, signal, expected] of rows)
    it(`${signal}: ${expected} of [${pods}]`, () => {
      const found = victimOf(signal, pods.split("|").map(use));
      assert.equal(found?.pod.metadata?.name, expected);
    });
});

describe("pressuresAt", () => {
  it("holds a pressure for five minutes after it was seen last", () => {
    const seen = new Map([["DiskPressure", 1000]] as const);
    assert.deepEqual([...pressuresAt(seen, 1000 + TRANSITION_MS - 1)], ["DiskPressure"]);
    assert.deepEqual([...pressuresAt(seen, 1000 + TRANSITION_MS)], []);
  });
});

describe("evictionMessage", () => {
  it("names threshold and what is left", () => {
    assert.equal(
      evictionMessage(THRESHOLDS_DEFAULT[0]!, 80 * MI),
      "The node was low on resource: memory. Threshold quantity: 100Mi, available: 81920Ki. ",
    );
  });
});
