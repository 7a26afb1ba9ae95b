import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Resolver } from "node:dns/promises";
import { SystemClock } from "../../base/system-clock.ts";
import { SystemRandom } from "../../base/system-random.ts";
import { DnsServer } from "./dns-server.ts";
import { DnsForwarder, NoAnswer } from "./forwarder.ts";

const ADDRESS = "127.0.53.53";
const PORT = 15353;

describe("DnsServer", () => {
  const server = new DnsServer((query) => {
    const { name, type } = query.questions![0]!;
    if (name === "broken.test") throw new Error("on purpose");
    if (name !== "many.test" && name !== "one.test")
      return { code: "NXDOMAIN", isAuthoritative: true };
    const count = type === "A" ? (name === "many.test" ? 200 : 1) : 0;
    const answers = Array.from(
      { length: count },
      (_, i) => ({ type: "A", name, ttl: 5, data: `10.0.0.${i + 1}` }) as const,
    );
    return { code: "NOERROR", isAuthoritative: true, answers };
  });
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  before(async () => {
    await server.listen(ADDRESS, PORT);
    resolver.setServers([`${ADDRESS}:${PORT}`]);
  });
  after(() => server.close());

  it("answers a real resolver", async () => {
    assert.deepEqual(await resolver.resolve4("one.test"), ["10.0.0.1"]);
  });

  it("says truncated over UDP what only TCP can carry", async () => {
    assert.equal((await resolver.resolve4("many.test")).length, 200);
  });

  it("tells a missing name from a failure", async () => {
    await assert.rejects(resolver.resolve4("nope.test"), { code: "ENOTFOUND" });
    await assert.rejects(resolver.resolve4("broken.test"), { code: "ESERVFAIL" });
  });
});

describe("DnsForwarder", () => {
  it("gives up at once when there is no resolver", async () => {
    const forwarder = new DnsForwarder(new SystemClock(), new SystemRandom(), []);
    await assert.rejects(forwarder.ask({ name: "example.com", type: "A" }), NoAnswer);
  });
});
