import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { proxyAdvice } from "./proxy-environment.ts";

const NODES = "10.88.0.0/24";
const LACKS = "NO_PROXY lacks the nodes' range: add 10.88.0.0/24, so that node ports are reached";

describe("proxyAdvice", () => {
  it("says nothing where there is no proxy", () => {
    const nothing = { withheld: [], options: [], warnings: [] };
    assert.deepEqual(proxyAdvice({ HTTP_PROXY: "", PATH: "/bin" }, NODES), nothing);
  });

  it("lists a proxy that is used, and wants the nodes around it", () => {
    assert.deepEqual(proxyAdvice({ https_proxy: "http://proxy.example:3128" }, NODES), {
      withheld: [],
      options: ["https_proxy=http://proxy.example:3128"],
      warnings: [LACKS],
    });
  });

  for (const value of ["http://127.0.0.1:3128", "localhost:3128", "http://[::1]:3128"])
    it(`withholds ${value}`, () => {
      const advice = proxyAdvice({ HTTP_PROXY: value, NO_PROXY: `a, ${NODES}` }, NODES);
      assert.deepEqual(advice.withheld, ["HTTP_PROXY"]);
      assert.deepEqual(advice.options, []);
      assert.deepEqual(advice.warnings, [
        `HTTP_PROXY=${value} is not handed to the nodes: there, it would be the node itself`,
      ]);
    });

  it("shows no password", () => {
    const { options } = proxyAdvice(
      { HTTP_PROXY: "http://me:secret@proxy:1", NO_PROXY: "*" },
      NODES,
    );
    assert.deepEqual(options, ["HTTP_PROXY=http://me:***@proxy:1/"]);
  });
});
