import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoints } from "../../api/core/endpoints.ts";
import type { Pod } from "../../api/core/pod.ts";
import type { Service } from "../../api/core/service.ts";
import { plan } from "./endpoints.ts";
import { packSubsets, type Entry } from "./subsets.ts";

/** `1:80 2:80! 1:443`: address and port; `!` not ready. Result: `[1 !2 :80]`. */
function pack(text: string): string {
  const entries = text.split(" ").map((entry): Entry => {
    const [, ip = "", port = "", mark] = /^(\d+):(\d+)(!?)$/.exec(entry)!;
    return { address: { ip }, port: { port: Number(port) }, isReady: mark !== "!" };
  });
  return packSubsets(entries)
    .map(({ addresses = [], notReadyAddresses = [], ports = [] }) =>
      [
        "[",
        ...addresses.map(({ ip }) => `${ip} `),
        ...notReadyAddresses.map(({ ip }) => `!${ip} `),
        ...ports.map(({ port }) => `:${port}`),
        "]",
      ].join(""),
    )
    .join(" ");
}

describe("packSubsets", () => {
  for (const [entries, expected] of [
    ["1:80", "[1 :80]"],
    ["2:80 1:80", "[1 2 :80]"],
    ["1:80 1:443", "[1 :443:80]"],
    ["1:80 2:80! 1:443 2:443!", "[1 !2 :443:80]"],
    ["1:80 2:81", "[1 :80] [2 :81]"],
    ["1:80 1:80!", "[!1 :80]"],
  ] as const) {
    it(`${entries} → ${expected}`, () => assert.equal(pack(entries), expected));
  }
});

const SERVICE: Service = {
  metadata: { name: "web", namespace: "d", labels: { a: "b" } },
  spec: { selector: { app: "web" }, ipFamilies: ["IPv4"], ports: [{ port: 80, protocol: "TCP" }] },
};

const POD: Pod = {
  metadata: { name: "p", namespace: "d", uid: "u" },
  spec: { nodeName: "n", containers: [] },
  status: { podIP: "10.0.0.1", conditions: [{ type: "Ready", status: "True" }] },
};

describe("endpoints plan", () => {
  it("makes the object, and leaves it alone while nothing changes", () => {
    const [write] = plan({ service: SERVICE, endpoints: undefined, pods: [POD] }).writes!;
    const object = (write as { object: Endpoints }).object;
    assert.deepEqual(object.metadata?.labels, {
      a: "b",
      "endpoints.kubernetes.io/managed-by": "endpoint-controller",
    });
    assert.deepEqual(object.subsets, [
      {
        addresses: [
          {
            ip: "10.0.0.1",
            nodeName: "n",
            targetRef: { kind: "Pod", namespace: "d", name: "p", uid: "u" },
          },
        ],
        ports: [{ port: 80, protocol: "TCP" }],
      },
    ]);
    assert.deepEqual(plan({ service: SERVICE, endpoints: object, pods: [POD] }), {});
  });

  it("what is left of a Service goes, hand-made Endpoints stay", () => {
    const metadata = { name: "web", namespace: "d", uid: "e" };
    const mine = {
      ...metadata,
      labels: { "endpoints.kubernetes.io/managed-by": "endpoint-controller" },
    };
    assert.equal(
      plan({ service: undefined, endpoints: { metadata: mine }, pods: [] }).writes?.[0]?.verb,
      "delete",
    );
    assert.deepEqual(plan({ service: undefined, endpoints: { metadata }, pods: [] }), {});
  });

  it("more than a thousand addresses are cut, and say so", () => {
    const pods = Array.from({ length: 1001 }, (_, i) => ({
      ...POD,
      metadata: { ...POD.metadata, name: `p${i}`, uid: `u${i}` },
      status: { ...POD.status, podIP: `10.0.${i >> 8}.${i & 255}` },
    }));
    const [write] = plan({ service: SERVICE, endpoints: undefined, pods }).writes!;
    const { subsets, metadata } = (write as { object: Endpoints }).object;
    assert.equal(subsets?.[0]?.addresses?.length, 1000);
    assert.equal(metadata?.annotations?.["endpoints.kubernetes.io/over-capacity"], "truncated");
  });
});
