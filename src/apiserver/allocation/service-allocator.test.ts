import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inServer } from "../../../test/support/api-server.ts";

const SERVICES = "/api/v1/namespaces/default/services";
const MERGE = { "content-type": "application/merge-patch+json" };
const service = (name: string, spec: object = {}): object => ({
  metadata: { name },
  spec: { ports: [{ port: 80 }], selector: { app: "x" }, ...spec },
});

describe("Services", () => {
  it(
    "get an address and, of type NodePort, a port; both are free again afterwards",
    inServer(async ({ request }) => {
      const { json } = await request("POST", SERVICES, service("a", { type: "NodePort" }));
      const { clusterIP, clusterIPs, ports, ipFamilies, ipFamilyPolicy } = json.spec;
      assert.match(clusterIP, /^10\.96\.0\.\d+$/);
      assert.deepEqual(
        [clusterIPs, ipFamilies, ipFamilyPolicy],
        [[clusterIP], ["IPv4"], "SingleStack"],
      );
      assert.ok(ports[0].nodePort >= 30000 && ports[0].nodePort <= 32767);
      const same = { type: "NodePort", clusterIP, ports };
      const { status, json: refusal } = await request("POST", SERVICES, service("b", same));
      assert.equal(status, 422);
      assert.match(
        refusal.message,
        /spec\.clusterIPs: Invalid value: .*failed to allocate IP .*: provided IP is already allocated/,
      );
      await request("DELETE", `${SERVICES}/a`);
      assert.equal((await request("POST", SERVICES, service("b", same))).status, 201);
    }),
  );

  it(
    "keep what they have when an update leaves it out",
    inServer(async ({ request }) => {
      const { json } = await request("POST", SERVICES, service("a", { type: "NodePort" }));
      const answer = await request("PUT", `${SERVICES}/a`, service("a", { type: "NodePort" }));
      assert.equal(answer.json.spec.clusterIP, json.spec.clusterIP);
      assert.equal(answer.json.spec.ports[0].nodePort, json.spec.ports[0].nodePort);
    }),
  );

  it(
    "lose their port with their type",
    inServer(async ({ request }) => {
      const { json } = await request("POST", SERVICES, service("a", { type: "NodePort" }));
      const patch = { spec: { type: "ClusterIP" } };
      const { json: after } = await request("PATCH", `${SERVICES}/a`, patch, MERGE);
      assert.equal(after.spec.ports[0].nodePort, undefined);
      assert.equal(after.spec.clusterIP, json.spec.clusterIP);
    }),
  );

  it(
    "without an address stay without",
    inServer(async ({ request }) => {
      const { json } = await request("POST", SERVICES, service("a", { clusterIP: "None" }));
      assert.deepEqual(json.spec.clusterIPs, ["None"]);
    }),
  );

  const REFUSALS: readonly [string, object, RegExp][] = [
    [
      "an address out of range",
      { clusterIP: "10.1.1.1" },
      /not in the valid range\. The range of valid IPs is 10\.96\.0\.0\/24/,
    ],
    [
      "a port out of range",
      { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] },
      /spec\.ports\[0\]\.nodePort: Invalid value: 80: provided port is not in the valid range\. The range of valid ports is 30000-32767/,
    ],
    [
      "IPv6",
      { ipFamilies: ["IPv6"] },
      /spec\.ipFamilies\[0\]: Invalid value: "IPv6": not configured on this cluster/,
    ],
  ];
  for (const [what, spec, message] of REFUSALS)
    it(
      `refuse ${what}`,
      inServer(async ({ request }) => {
        const { status, json } = await request("POST", SERVICES, service("a", spec));
        assert.equal(status, 422);
        assert.match(json.message, message);
      }),
    );

  it(
    "all find an address until the range is full, and each its own",
    inServer(async ({ request }) => {
      const answers = await Promise.all(
        Array.from({ length: 260 }, (_, i) => request("POST", SERVICES, service(`s${i}`))),
      );
      const given = answers.filter(({ status }) => status === 201);
      assert.equal(given.length, 254);
      assert.equal(new Set(given.map(({ json }) => json.spec.clusterIP)).size, 254);
      assert.match(answers.find(({ status }) => status !== 201)!.json.message, /range is full/);
    }),
  );
});
