import assert from "node:assert/strict";
import { it } from "node:test";
import { isReachable } from "./reachable.ts";

it("only addresses that belong to some other host are reachable", () => {
  const yes =
    "10.0.0.1 192.168.1.1 8.8.8.8 fd00::1 2001:db8::1 ::ffff:10.0.0.1 100.64.0.1 240.0.0.1";
  const no =
    "127.0.0.1 127.9.9.9 169.254.169.254 0.0.0.0 255.255.255.255 224.0.0.1 239.1.1.1 " +
    "::1 :: fe80::1 febf::1 ff02::1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:169.254.1.1 host 1.2.3";
  for (const address of yes.split(" ")) assert.equal(isReachable(address), true, address);
  for (const address of [...no.split(" "), ""]) assert.equal(isReachable(address), false, address);
});
