import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hasSysResource, isOnOverlay } from "./capabilities.ts";
import { reachableResolvers } from "./resolvers.ts";

describe("reachableResolvers", () => {
  it("skips loopback stubs", () => {
    const text = "nameserver 127.0.0.53\nnameserver 10.0.0.1\nsearch a.example\n";
    assert.deepEqual(reachableResolvers(text), {
      servers: ["10.0.0.1"],
      searches: ["a.example"],
      options: [],
    });
  });
  it("takes a domain for a search list, where there is none", () =>
    assert.deepEqual(reachableResolvers("domain a.example\n").searches, ["a.example"]));
});

describe("hasSysResource", () => {
  it("reads bit 24 of the effective set", () => {
    assert.equal(hasSysResource("CapEff:\t000001fffeffffff\n"), false);
    assert.equal(hasSysResource("CapEff:\t000001ffffffffff\n"), true);
  });
});

describe("isOnOverlay", () => {
  const mounts = "1 0 0:1 / / rw - overlay overlay rw\n2 1 8:1 / /data rw - ext4 /dev/sda rw\n";
  it("goes by the innermost mount", () => {
    assert.equal(isOnOverlay("/root/.skiff", mounts), true);
    assert.equal(isOnOverlay("/data/x", mounts), false);
    assert.equal(isOnOverlay("/database", mounts), true);
  });
});
