import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Endpoint, V1EndpointSlice, V1Pod, V1Service, V1ServiceSpec } from "../gen/types.ts";
import { planRules } from "./plan-services.ts";
import { emptyPlan, MAP_NAMES, type RulePlan } from "./rule-plan.ts";
import { changeText } from "./rule-text.ts";

function service(spec: Partial<V1ServiceSpec> = {}): V1Service {
  return {
    metadata: { namespace: "default", name: "web" },
    spec: {
      clusterIP: "10.96.0.7",
      ports: [{ name: "http", port: 80, protocol: "TCP", nodePort: 30080 }],
      ...spec,
    },
  };
}

function slice(...endpoints: readonly V1Endpoint[]): V1EndpointSlice {
  return {
    metadata: {
      namespace: "default",
      name: "web-x",
      labels: { "kubernetes.io/service-name": "web" },
    },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints,
  };
}

const ready = (address: string, nodeName = "a"): V1Endpoint => ({
  addresses: [address],
  nodeName,
  conditions: { ready: true, serving: true, terminating: false },
});
const ending = (address: string): V1Endpoint => ({
  addresses: [address],
  nodeName: "a",
  conditions: { ready: false, serving: true, terminating: true },
});

function plan(
  services: readonly V1Service[],
  slices: readonly V1EndpointSlice[],
  pods: readonly V1Pod[] = [],
  zone = "",
): RulePlan {
  return planRules({
    nodeName: "a",
    zone,
    services,
    slices,
    pods,
    ownAddresses: new Set(["10.96.0.10"]),
  });
}

/** `map key → value` of every element, without hairpins. */
function elements(found: RulePlan): string[] {
  return MAP_NAMES.filter((name) => name !== "hairpins").flatMap((name) =>
    [...found.maps[name]].map(([key, value]) => `${name} ${key}${value && ` → ${value}`}`),
  );
}

describe("planRules", () => {
  it("sends a Service to its ready endpoints, by index", () => {
    assert.deepEqual(
      elements(plan([service()], [slice(ready("10.244.0.5"), ready("10.244.1.6", "b"))])),
      [
        "services 10.96.0.7 . tcp . 80 → goto pick-service-2",
        "nodeports tcp . 30080 → goto pick-nodeport-2",
        "endpoints 0 . 10.96.0.7 . tcp . 80 → 10.244.0.5 . 8080",
        "endpoints 1 . 10.96.0.7 . tcp . 80 → 10.244.1.6 . 8080",
        "nodeport_endpoints 0 . tcp . 30080 → 10.244.0.5 . 8080",
        "nodeport_endpoints 1 . tcp . 30080 → 10.244.1.6 . 8080",
      ],
    );
  });

  it("refuses what has no endpoint", () => {
    assert.deepEqual(elements(plan([service()], [])), [
      "refused 10.96.0.7 . tcp . 80",
      "refused_nodeports tcp . 30080",
    ]);
  });

  it("uses endpoints that still serve while they end, when there are no others", () => {
    const only = elements(
      plan([service({ ports: [{ name: "http", port: 80 }] })], [slice(ending("10.244.0.5"))]),
    );
    assert.deepEqual(only[1], "endpoints 0 . 10.96.0.7 . tcp . 80 → 10.244.0.5 . 8080");
    const both = plan([service()], [slice(ending("10.244.0.5"), ready("10.244.0.6"))]);
    assert.equal(both.maps.endpoints.size, 1);
  });

  it("keeps outside traffic on the node where the policy is Local", () => {
    const found = plan(
      [service({ externalTrafficPolicy: "Local" })],
      [slice(ready("10.244.0.5"), ready("10.244.1.6", "b"))],
    );
    assert.deepEqual([...found.maps.nodeport_endpoints.values()], ["10.244.0.5 . 8080"]);
    assert.equal(found.maps.endpoints.size, 2);
    const none = plan(
      [service({ externalTrafficPolicy: "Local" })],
      [slice(ready("10.244.1.6", "b"))],
    );
    assert.equal(
      none.maps.nodeports.size + none.maps.refused_nodeports.size,
      0,
      "dropped, not refused",
    );
  });

  describe("hints", () => {
    /** An endpoint as `node/zones,…/nodes,…`, where what it is for may be left out; `!`: it is not ready, `~`: it ends. */
    function endpoint(text: string, index: number): V1Endpoint {
      const [nodeName = "", zones = "", nodes = ""] = text.replace(/^[!~]/, "").split("/");
      const names = (list: string) => list.split(",").map((name) => ({ name }));
      const isReady = !/^[!~]/.test(text);
      return {
        addresses: [`10.244.0.${index}`],
        nodeName,
        conditions: {
          ready: isReady,
          serving: !text.startsWith("!"),
          terminating: text.startsWith("~"),
        },
        hints: {
          ...(zones && { forZones: names(zones) }),
          ...(nodes && { forNodes: names(nodes) }),
        },
      };
    }
    /** The endpoints, by number, that a Service uses on node a of a zone. */
    function used(endpoints: string, zone: string, spec: Partial<V1ServiceSpec> = {}): string {
      const found = plan([service(spec)], [slice(...endpoints.split(" ").map(endpoint))], [], zone);
      return [...found.maps.endpoints.values()]
        .map((to) => to.replace(/.*\.(\d+) .*/, "$1"))
        .join(" ");
    }

    // endpoints | zone of node a → numbers of those that are used
    const rows: readonly (readonly [string, string, string])[] = [
      ["a/z b/y", "z", "0"],
      ["a/z b/y", "y", "1"],
      ["b/z,y b/y", "z", "0"],
      ["a/z b/y", "", "0 1"],
      ["a/z b/y", "x", "0 1"],
      ["a/z b", "z", "0 1"],
      ["a/z !b", "z", "0"],
      ["!a/z b/y", "z", "1"],
      ["a/z/a b/z/b", "z", "0"],
      ["b/z/b b/z/b", "z", "0 1"],
      ["b/z/b b/y/b", "y", "1"],
      ["a/z/a b/z", "z", "0 1"],
      ["~a/z ~b/y", "z", "0 1"],
    ];
    for (const [endpoints, zone, expected] of rows)
      it(`${endpoints} | ${zone || "no zone"} → ${expected}`, () => {
        assert.equal(used(endpoints, zone), expected);
      });

    it("where only the node's own endpoints count, hints do not", () => {
      const spec: Partial<V1ServiceSpec> = { internalTrafficPolicy: "Local" };
      assert.equal(used("a/y b/z", "z", spec), "0");
    });
  });

  it("says nothing of headless Services and of addresses the node answers itself", () => {
    assert.deepEqual(
      elements(plan([service({ clusterIP: "None" }), service({ clusterIP: "10.96.0.10" })], [])),
      [],
    );
  });

  it("remembers clients where affinity is asked for", () => {
    const found = plan(
      [service({ sessionAffinity: "ClientIP", ports: [{ name: "http", port: 80 }] })],
      [slice(ready("10.244.0.5"))],
    );
    const [name, chain] = [...found.chains][0]!;
    assert.equal(found.maps.services.get("10.96.0.7 . tcp . 80"), `goto ${name}`);
    assert.equal(chain.rules.length, 2);
    assert.deepEqual([...chain.clientSets.values()], [{ seconds: 10_800 }]);
  });

  it("opens host ports of running Pods", () => {
    const pod: V1Pod = {
      spec: {
        containers: [
          {
            name: "c",
            ports: [
              { containerPort: 80, hostPort: 8080 },
              { containerPort: 53, hostPort: 53, protocol: "UDP", hostIP: "10.88.0.2" },
            ],
          },
        ],
      },
      status: { podIP: "10.244.0.9", phase: "Running" },
    };
    assert.deepEqual(elements(plan([], [], [pod])), [
      "hostports tcp . 8080 → 10.244.0.9 . 80",
      "hostports_at 10.88.0.2 . udp . 53 → 10.244.0.9 . 53",
    ]);
  });
});

describe("changeText", () => {
  it("mentions only what changed", () => {
    const before = plan(
      [service({ ports: [{ name: "http", port: 80 }] })],
      [slice(ready("10.244.0.5"), ready("10.244.0.6"))],
    );
    const after = plan(
      [service({ ports: [{ name: "http", port: 80 }] })],
      [slice(ready("10.244.0.5"), ready("10.244.0.7"))],
    );
    assert.equal(
      changeText(before, after),
      [
        "delete element ip skiff-services endpoints { 1 . 10.96.0.7 . tcp . 80 : 10.244.0.6 . 8080 }",
        "delete element ip skiff-services hairpins { 10.244.0.6 . 10.244.0.6 }",
        "add element ip skiff-services endpoints { 1 . 10.96.0.7 . tcp . 80 : 10.244.0.7 . 8080 }",
        "add element ip skiff-services hairpins { 10.244.0.7 . 10.244.0.7 }",
        "",
      ].join("\n"),
    );
  });

  it("is empty between equal plans", () => {
    assert.equal(changeText(emptyPlan(), emptyPlan()), "");
  });
});
