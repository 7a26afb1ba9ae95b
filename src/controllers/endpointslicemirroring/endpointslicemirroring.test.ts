import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Endpoints } from "../../api/core/endpoints.ts";
import type { Service } from "../../api/core/service.ts";
import type { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import type { Plan, PlannedWrite } from "../../reconciler/controller.ts";
import { plan } from "./endpointslicemirroring.ts";

type Subset = NonNullable<Endpoints["subsets"]>[number];

/** `10.0.0.1 10.0.0.2! : 80 443`: addresses, those with a mark not ready, and ports. */
function subset(text: string): Subset {
  const [left = "", right = ""] = text.split(" : ");
  const words = left.trim().split(" ").filter(Boolean);
  const addressesOf = (isReady: boolean): { ip: string }[] =>
    words
      .filter((word) => word.endsWith("!") !== isReady)
      .map((word) => ({ ip: word.replace("!", "") }));
  return {
    addresses: addressesOf(true),
    notReadyAddresses: addressesOf(false),
    ports: right
      .split(" ")
      .filter(Boolean)
      .map((port) => ({ name: `p${port}`, port: Number(port), protocol: "TCP" })),
  };
}

function endpoints(text: string, metadata: Endpoints["metadata"] = {}): Endpoints {
  return {
    metadata: { name: "db", namespace: "d", uid: "e", ...metadata },
    subsets: text === "" ? [] : text.split(" | ").map(subset),
  };
}

const SERVICE: Service = { metadata: { name: "db", namespace: "d" }, spec: {} };

interface World {
  readonly slices?: readonly EndpointSlice[];
  readonly service?: Service | undefined;
}

function run(object: Endpoints, world: World = {}): Plan {
  const { slices = [] } = world;
  const service = "service" in world ? world.service : SERVICE;
  return plan({ endpoints: object, service, slices });
}

function sliceOf(write: PlannedWrite): EndpointSlice {
  assert.ok("object" in write);
  return write.object as EndpointSlice;
}

/** `create IPv4 10.0.0.1 10.0.0.2! :80`, sorted. */
function described({ writes = [] }: Plan): string {
  const lines = writes.map((write) => {
    if (write.verb === "delete") return `delete ${write.key.name}`;
    const slice = sliceOf(write);
    const shown = (slice.endpoints ?? []).map(
      ({ addresses, conditions }) => addresses[0] + (conditions?.ready ? "" : "!"),
    );
    const name = write.verb === "update" ? ` ${slice.metadata?.name}` : "";
    const ports = (slice.ports ?? []).map(({ port }) => port).join();
    return `${write.verb}${name} ${slice.addressType} ${shown.sort().join(" ")} :${ports}`;
  });
  return lines.sort().join(" | ");
}

/** The slices that the controller itself makes of such Endpoints, named `s0`, `s1` … */
function made(object: Endpoints): EndpointSlice[] {
  return (run(object).writes ?? []).map((write, index) => {
    const slice = sliceOf(write);
    return { ...slice, metadata: { ...slice.metadata, name: `s${index}`, uid: `u${index}` } };
  });
}

//     what, Endpoints, made before from, plan
const ROWS: readonly (readonly [string, string, string, string])[] = [
  ["nothing", "", "", ""],
  ["no addresses", " : 80", "", ""],
  ["ready and not", "10.0.0.1 10.0.0.2! : 80", "", "create IPv4 10.0.0.1 10.0.0.2! :80"],
  ["all its ports", "10.0.0.1 : 80 443", "", "create IPv4 10.0.0.1 :80,443"],
  [
    "both families",
    "10.0.0.1 fd00::1 : 80",
    "",
    "create IPv4 10.0.0.1 :80 | create IPv6 fd00::1 :80",
  ],
  [
    "one for each set of ports",
    "10.0.0.1 : 80 | 10.0.0.2 : 443",
    "",
    "create IPv4 10.0.0.1 :80 | create IPv4 10.0.0.2 :443",
  ],
  [
    "subsets of the same ports are one",
    "10.0.0.1 : 80 | 10.0.0.2 : 80",
    "",
    "create IPv4 10.0.0.1 10.0.0.2 :80",
  ],
  ["at rest", "10.0.0.1 10.0.0.2! : 80", "10.0.0.1 10.0.0.2! : 80", ""],
  ["one more", "10.0.0.1 10.0.0.2 : 80", "10.0.0.1 : 80", "update s0 IPv4 10.0.0.1 10.0.0.2 :80"],
  ["it became ready", "10.0.0.1 : 80", "10.0.0.1! : 80", "update s0 IPv4 10.0.0.1 :80"],
  ["all are gone", "", "10.0.0.1 : 80", "delete s0"],
  ["one set of ports less", "10.0.0.1 : 80", "10.0.0.1 : 80 | 10.0.0.1 : 443", "delete s1"],
  [
    "other ports: the slice is used again",
    "10.0.0.1 : 443",
    "10.0.0.1 : 80",
    "update s0 IPv4 10.0.0.1 :443",
  ],
  [
    "another family: it is not",
    "fd00::1 : 80",
    "10.0.0.1 : 80",
    "create IPv6 fd00::1 :80 | delete s0",
  ],
];

describe("endpointslice mirroring plan", () => {
  for (const [what, wanted, before, expected] of ROWS) {
    it(`${what}: "${wanted}" after "${before}" → "${expected}"`, () => {
      const slices = made(endpoints(before));
      assert.equal(described(run(endpoints(wanted), { slices })), expected);
    });
  }

  it("an endpoint keeps what its address says, a port its protocol", () => {
    const targetRef = { kind: "Pod", namespace: "d", name: "p", uid: "u" };
    const object: Endpoints = {
      ...endpoints(""),
      subsets: [
        {
          addresses: [
            { ip: "10.0.0.1", hostname: "one", nodeName: "n", targetRef },
            { ip: "10.0.0.2" },
          ],
          ports: [{ port: 80, appProtocol: "h2c" }],
        },
      ],
    };
    const [slice] = made(object);
    assert.deepEqual(slice?.endpoints, [
      {
        ...{ addresses: ["10.0.0.1"], conditions: { ready: true } },
        ...{ hostname: "one", nodeName: "n", targetRef },
      },
      { addresses: ["10.0.0.2"], conditions: { ready: true } },
    ]);
    assert.deepEqual(slice?.ports, [{ name: "", port: 80, protocol: "TCP", appProtocol: "h2c" }]);
  });

  it("a slice that is going is not filled again", () => {
    const before = made(endpoints("10.0.0.1 : 80"));
    const going = before.map((slice) => ({
      ...slice,
      metadata: { ...slice.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
    }));
    const result = run(endpoints("10.0.0.2 : 80"), { slices: going as never });
    assert.equal(described(result), "create IPv4 10.0.0.2 :80");
  });

  //     what, is mirrored, metadata, Service
  const MIRRORED: readonly (readonly [string, boolean, Endpoints["metadata"], World?])[] = [
    ["plain", true, {}],
    ["told to skip", false, { labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } }],
    ["told something else", true, { labels: { "endpointslice.kubernetes.io/skip-mirror": "no" } }],
    ["a lock", false, { annotations: { "control-plane.alpha.kubernetes.io/leader": "" } }],
    ["without a Service", false, {}, { service: undefined }],
    [
      "a Service with a selector",
      false,
      {},
      { service: { ...SERVICE, spec: { selector: { a: "b" } } } },
    ],
  ];
  for (const [what, isMirrored, metadata, world] of MIRRORED) {
    it(`${what}: ${isMirrored ? "mirrored" : "not mirrored, and what was goes"}`, () => {
      const object = endpoints("10.0.0.1 : 80", metadata);
      assert.equal(described(run(object, world)) !== "", isMirrored);
      const slices = made(endpoints("10.0.0.1 : 80", isMirrored ? metadata : {}));
      assert.equal(described(run(object, { ...world, slices })), isMirrored ? "" : "delete s0");
    });
  }

  it("slices of another manager are left alone", () => {
    const [slice] = made(endpoints("10.0.0.1 : 80"));
    const labels = { "endpointslice.kubernetes.io/managed-by": "me" };
    const slices = [{ ...slice!, metadata: { ...slice!.metadata, labels } }];
    assert.equal(described(run(endpoints(""), { slices })), "");
  });

  it("being deleted: nothing new comes", () => {
    const deletionTimestamp = "2026-01-01T00:00:00Z";
    assert.equal(described(run(endpoints("10.0.0.1 : 80", { deletionTimestamp }))), "");
  });

  it("labels and annotations are the Endpoints', but for those about itself", () => {
    const annotations = {
      note: "x",
      "endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:00Z",
    };
    const [slice] = made(endpoints("10.0.0.1 : 80", { labels: { team: "x" }, annotations }));
    assert.deepEqual(slice?.metadata?.labels, {
      team: "x",
      "kubernetes.io/service-name": "db",
      "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    });
    assert.deepEqual(slice?.metadata?.annotations, { note: "x" });
    assert.equal(slice?.metadata?.ownerReferences?.[0]?.kind, "Endpoints");
    const slices = [slice!];
    const changed = endpoints("10.0.0.1 : 80", { labels: { team: "y" }, annotations });
    assert.equal(described(run(changed, { slices })), "update s0 IPv4 10.0.0.1 :80");
  });

  it("a thousand of a subset and no more, which is told of", () => {
    const addresses = Array.from({ length: 1001 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const result = run(endpoints(`${addresses.join(" ")} : 80`));
    const [slice] = (result.writes ?? []).map(sliceOf);
    assert.equal(slice!.endpoints?.length, 1000);
    assert.deepEqual(
      result.events?.map(({ reason, message }) => `${reason}: ${message}`),
      [
        "TooManyAddressesToMirror: A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 1 addresses were skipped",
      ],
    );
    assert.deepEqual(run(endpoints(`${addresses.slice(1).join(" ")} : 80`)).events, []);
  });
});
