import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseResolvConf, resolvConfText } from "./resolv-conf.ts";

describe("parseResolvConf", () => {
  it("takes the last search list, all options, and no comment", () => {
    const text =
      "# made by hand\nnameserver 127.0.0.53\nnameserver 10.0.0.1 ; first\nsearch old\nsearch a. b\n" +
      "options edns0 trust-ad\noptions ndots:2\ndomain x\n";
    assert.deepEqual(parseResolvConf(text), {
      servers: ["127.0.0.53", "10.0.0.1"],
      searches: ["a", "b"],
      options: ["edns0", "trust-ad", "ndots:2"],
      domain: "x",
    });
  });

  it("reads back what is written", () => {
    const config = { servers: ["10.0.0.1"], searches: ["x"], options: ["ndots:2"] };
    assert.deepEqual(parseResolvConf(resolvConfText(config)), config);
  });
});
