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
    ["1:80! 1:80", "[!1 :80]"],
    ["3:80 1:80 2:80", "[1 2 3 :80]"],
    ["1:82 1:80 1:83 1:81", "[1 :80:81:82:83]"],
    ["3:82 1:80 2:81", "[1 :80] [2 :81] [3 :82]"],
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

/** The Endpoints of one Pod, with a port and a phase of its own. */
function made(spec: Partial<Service["spec"]>, pod: Pod = POD, labels = {}): Endpoints {
  const metadata = { ...SERVICE.metadata, labels };
  const service = { metadata, spec: { ...SERVICE.spec, ...spec } };
  const [write] = plan({ service, endpoints: undefined, pods: [pod] }).writes!;
  return (write as { object: Endpoints }).object;
}

describe("endpoints plan: which Pods", () => {
  const state = (phase: string, ready: "True" | "False", metadata = {}, ip = "10.0.0.1"): Pod => ({
    ...POD,
    metadata: { ...POD.metadata, ...metadata },
    status: { phase, podIP: ip, conditions: [{ type: "Ready", status: ready }] },
  });
  const GOING = { deletionTimestamp: "2026-01-01T00:00:00Z" };
  const ANY = { publishNotReadyAddresses: true };
  //    what, Pod, Service, where it is
  for (const [what, pod, spec, expected] of [
    ["ready", state("Running", "True"), {}, "addresses"],
    ["not ready", state("Running", "False"), {}, "notReadyAddresses"],
    ["pending", state("Pending", "False"), {}, "notReadyAddresses"],
    ["without an address", state("Pending", "False", {}, ""), {}, ""],
    ["ended well", state("Succeeded", "False"), {}, ""],
    ["ended badly", state("Failed", "False"), {}, ""],
    ["going", state("Running", "True", GOING), {}, ""],
    ["not ready, to be published", state("Running", "False"), ANY, "addresses"],
    ["going, to be published", state("Running", "True", GOING), ANY, "addresses"],
    ["ended, to be published", state("Failed", "False"), ANY, ""],
    ["of another family", state("Running", "True", {}, "fd00::1"), {}, ""],
  ] as const) {
    it(`${what} → "${expected}"`, () => {
      const [subset = {}] = made(spec, pod).subsets ?? [];
      assert.equal(Object.keys(subset).filter((key) => key !== "ports")[0] ?? "", expected);
    });
  }

  it("headless: labelled, whatever the Service's own label says; without ports it has addresses alone", () => {
    const label = "service.kubernetes.io/headless";
    const headless = made({ clusterIP: "None", ports: [] });
    assert.equal(headless.metadata?.labels?.[label], "");
    assert.deepEqual(Object.keys(headless.subsets![0]!), ["addresses"]);
    const ordinary = made({ clusterIP: "10.96.0.9" }, POD, { [label]: "" });
    assert.equal(ordinary.metadata?.labels?.[label], undefined);
    assert.equal(made({ clusterIP: "10.96.0.9", ports: [] }).subsets, undefined);
  });

  it("a Pod's own name counts for the Service that is its domain", () => {
    const named = (subdomain: string): Pod => ({
      ...POD,
      spec: { ...POD.spec!, hostname: "one", subdomain },
    });
    const hostnameOf = (pod: Pod) => made({}, pod).subsets![0]!.addresses![0]!.hostname;
    assert.equal(hostnameOf(named("web")), "one");
    assert.equal(hostnameOf(named("other")), undefined);
  });

  it("each protocol, and ports by name", () => {
    const ports = [
      { name: "dns", port: 53, protocol: "UDP" },
      { name: "call", port: 7, protocol: "SCTP" },
      { name: "web", port: 80, targetPort: "http" as never, protocol: "TCP" },
      { name: "none", port: 81, targetPort: "missing" as never, protocol: "TCP" },
    ];
    const containers = [{ name: "c", ports: [{ name: "http", containerPort: 8080 }] }];
    const [subset] = made({ ports }, { ...POD, spec: { ...POD.spec, containers } }).subsets!;
    assert.deepEqual(subset!.ports, [
      { name: "call", port: 7, protocol: "SCTP" },
      { name: "dns", port: 53, protocol: "UDP" },
      { name: "web", port: 8080, protocol: "TCP" },
    ]);
  });
});

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

describe("endpoints plan: the annotation of the last change", () => {
  const ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time";
  const BORN = "2026-01-01T00:00:00Z";
  const service = { ...SERVICE, metadata: { ...SERVICE.metadata, creationTimestamp: BORN } };
  const at = (name: string, status: "True" | "False", time: string, ip = "10.0.0.1"): Pod => ({
    ...POD,
    metadata: { ...POD.metadata, name, uid: name },
    status: {
      podIP: ip,
      conditions: [{ type: "Ready", status, lastTransitionTime: time as never }],
    },
  });
  /** The object after each of these sets of Pods. */
  function after(...steps: readonly (readonly Pod[])[]): Endpoints {
    let endpoints: Endpoints | undefined;
    for (const pods of steps) {
      const [write] = plan({ service, endpoints, pods }).writes ?? [];
      if (write) endpoints = (write as { object: Endpoints }).object;
    }
    return endpoints!;
  }
  const timeOf = ({ metadata }: Endpoints) => metadata?.annotations?.[ANNOTATION];
  const first = at("a", "False", "2026-01-01T00:01:00Z");
  const ready = at("a", "True", "2026-01-01T00:02:00Z");
  const later = at("b", "True", "2026-01-01T00:03:00Z", "10.0.0.2");

  it("of a new object: when the Service was made", () =>
    assert.equal(timeOf(after([first])), BORN));

  it("then: the first of the times at which the Pods that differ turned", () => {
    assert.equal(timeOf(after([first], [ready])), "2026-01-01T00:02:00Z");
    assert.equal(timeOf(after([first], [ready, later])), "2026-01-01T00:02:00Z");
    assert.equal(timeOf(after([first], [ready], [ready, later])), "2026-01-01T00:03:00Z");
  });

  it("is cleared by a change that no Pod is the reason of, and other annotations stay", () => {
    const written = after([first], [ready, later]);
    const annotations = { ...written.metadata?.annotations, mine: "yes" };
    const endpoints = { ...written, metadata: { ...written.metadata, annotations } };
    const [write] = plan({ service, endpoints, pods: [ready] }).writes!;
    const { metadata } = (write as { object: Endpoints }).object;
    assert.deepEqual(metadata?.annotations, { mine: "yes" });
  });

  it("is no reason to write", () => {
    assert.deepEqual(plan({ service, endpoints: after([first], [ready]), pods: [ready] }), {});
  });
});
