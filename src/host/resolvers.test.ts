import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hasSysResource, isOnOverlay } from "./capabilities.ts";
import { parseResolvConf, resolvConfText } from "./resolvers.ts";

describe("parseResolvConf", () => {
  it("skips loopback stubs and comments", () => {
    const text =
      "# made by hand\nnameserver 127.0.0.53\nnameserver 10.0.0.1 ; first\nsearch a.example b.example\noptions edns0 trust-ad\n";
    assert.deepEqual(parseResolvConf(text), {
      servers: ["10.0.0.1"],
      search: ["a.example", "b.example"],
      options: ["edns0", "trust-ad"],
    });
  });

  it("reads back what it writes", () => {
    const config = { servers: ["10.0.0.1"], search: ["x"], options: ["ndots:2"] };
    assert.deepEqual(parseResolvConf(resolvConfText(config)), config);
  });
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
