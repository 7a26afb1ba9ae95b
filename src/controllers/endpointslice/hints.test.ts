import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Node } from "../../api/core/node.ts";
import type { Pod } from "../../api/core/pod.ts";
import type { Service } from "../../api/core/service.ts";
import type { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { plan } from "./endpointslice.ts";
import { spread, type Placed } from "./spread.ts";
import { zoneShares, type ZoneShares } from "./zone-shares.ts";

/** `a:0.5 b:0.5` */
function sharesOf(text: string): ZoneShares | undefined {
  if (text === "") return undefined;
  const entries = text.split(" ").map((part) => part.split(":") as [string, string]);
  return new Map(entries.map(([zone, share]) => [zone, Number(share)]));
}

describe("spread", () => {
  /** Endpoints as `zone` or `zone>hint`; what comes of it: the zone that each is for, or the problem. */
  function row(endpoints: string, shares: string, expected: string, why = ""): void {
    it(`${endpoints || "none"} | ${shares || "unknown"} → ${expected}${why && `: ${why}`}`, () => {
      const placed = endpoints.split(" ").flatMap((part): Placed[] => {
        const [zone, hint] = part.split(">");
        return part === "" ? [] : [{ zone: zone === "-" ? undefined : zone, hint }];
      });
      const found = spread(placed, sharesOf(shares));
      assert.equal("problem" in found ? found.problem : found.zones.join(" "), expected);
    });
  }

  const noNodes =
    "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";
  row("", "", noNodes);
  row("a", "", noNodes);
  row("a b", "a:0.3 b:0.4 c:0.3", "Insufficient number of endpoints (2 endpoints, 3 zones)");
  row("a b", "a:0.45 b:0.55", "a b");
  row("a b - b", "a:0.5 b:0.5", "One or more endpoints do not have a zone specified");
  row("a b a b", "a:0.5 b:0.5", "a b a b");
  row("a a a a", "a:0.5 b:0.5", "b b a a", "a zone without endpoints gets some");
  row("a b c c a a a b c a", "a:0.35 b:0.35 c:0.3", "b b c c a a a b c a", "as near as it gets");
  row("a a a", "a:0.34 b:0.33 c:0.33", "b c a", "one each");
  row(
    "a b c d",
    "a:0.4 b:0.3 c:0.29 d:0.01",
    "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold (4 endpoints, 4 zones)",
  );
  // What has a hint keeps it: nothing is written.
  row("a>b a>a b>b b>a", "a:0.5 b:0.5", "b a b a");
  row("a>a a>a b>b b>b a a", "a:0.5 b:0.5", "a a b b b a", "who is new moves first");
  row("a>a a>a a>a b>b", "a:0.5 b:0.5", "b a a b", "beyond the bounds one moves");
  row("a>c b>b a>a b>b", "a:0.5 b:0.5", "a b a b", "a zone that is no more");
});

describe("zoneShares", () => {
  interface Wish {
    readonly zone?: string;
    readonly cpu?: string;
    readonly ready?: boolean;
    readonly role?: string;
  }
  function node({ zone, cpu = "1000m", ready = true, role }: Wish): Node {
    return {
      metadata: {
        labels: {
          ...(zone && { "topology.kubernetes.io/zone": zone }),
          ...(role && { [`node-role.kubernetes.io/${role}`]: "" }),
        },
      },
      status: {
        allocatable: { cpu },
        conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      },
    };
  }
  function row(what: string, nodes: readonly Wish[], expected: object | undefined): void {
    it(what, () => {
      const shares = zoneShares(nodes.map(node));
      assert.deepEqual(shares && Object.fromEntries(shares), expected);
    });
  }

  const [a, b] = [{ zone: "a" }, { zone: "b" }];
  row("empty", [], undefined);
  row("single node", [a], undefined);
  row("single zone", [a, a], undefined);
  row("2 zones", [a, b], { a: 0.5, b: 0.5 });
  row("2 zones, unready node in 1, ready node in 1", [{ ...a, ready: false }, b], undefined);
  row("2 zones, control plane node in 1, ready node in 1", [{ ...a, role: "control-plane" }, b], undefined); // prettier-ignore
  row("2 zones, unready node in 1, ready nodes in both", [{ ...a, ready: false }, a, b], { a: 0.5, b: 0.5 }); // prettier-ignore
  row("3 nodes, one without a zone", [a, b, {}], undefined);
  row("3 nodes, one without cpu", [a, b, { ...b, cpu: "0" }], undefined);
  row("unequal", [{ ...a, cpu: "3" }, b], { a: 0.75, b: 0.25 });
});

describe("hints", () => {
  const zones = new Map([
    ["n1", "a"],
    ["n2", "b"],
    ["n3", undefined],
  ]);

  function service(wish: string | undefined, mode?: string): Service {
    return {
      metadata: {
        ...{ name: "web", namespace: "d", uid: "s" },
        ...(mode && { annotations: { "service.kubernetes.io/topology-mode": mode } }),
      },
      spec: {
        ...{ selector: { app: "web" }, ipFamilies: ["IPv4"], clusterIP: "10.96.0.9" },
        ports: [{ port: 80 }],
        ...(wish && { trafficDistribution: wish }),
      },
    };
  }

  const pod = (name: string, nodeName: string, isReady = true): Pod => ({
    metadata: { name, namespace: "d", uid: name },
    spec: { nodeName, containers: [{ name: "c" }] },
    status: {
      phase: "Running",
      podIPs: [{ ip: `10.0.0.${name.charCodeAt(0)}` }],
      conditions: [{ type: "Ready", status: isReady ? "True" : "False" }],
    },
  });
  const pods = [pod("x", "n1"), pod("y", "n2"), pod("z", "n3"), pod("u", "n1", false)];

  function run(
    svc: Service,
    slices: readonly EndpointSlice[] = [],
    given: readonly Pod[] = pods,
    shares = "a:0.5 b:0.5",
  ): Plan {
    return plan({ service: svc, pods: given, zones, slices, shares: sharesOf(shares) });
  }

  function slicesOf({ writes = [] }: Plan): EndpointSlice[] {
    return writes.flatMap((write) => ("object" in write ? [write.object as EndpointSlice] : []));
  }

  /** `x:zone a,node n1 y:…` of what is written. */
  function hintsOf(made: Plan): string {
    return slicesOf(made)
      .flatMap(({ endpoints }) => endpoints ?? [])
      .map(({ targetRef, hints }) => {
        const parts = [
          ...(hints?.forZones ?? []).map(({ name }) => `zone ${name}`),
          ...(hints?.forNodes ?? []).map(({ name }) => `node ${name}`),
        ];
        return `${targetRef?.name}:${parts.join()}`;
      })
      .join(" ");
  }

  function existing(svc: Service, given = pods): EndpointSlice[] {
    return slicesOf(run(svc, [], given)).map((slice, index) => ({
      ...slice,
      metadata: { ...slice.metadata, name: `web-${index}`, uid: `u${index}` },
    }));
  }

  const told = ({ events = [] }: Plan): readonly string[] =>
    events
      .filter(({ afterWrite }) => afterWrite === undefined)
      .map(({ type, reason, message }) => `${type} ${reason} ${message}`);

  // wish → the hints of: x in zone a on n1, y in b on n2, z without a zone on n3, u not ready
  const rows: readonly (readonly [string | undefined, string])[] = [
    [undefined, "x: y: z: u:"],
    ["PreferClose", "x:zone a y:zone b z: u:"],
    ["PreferSameZone", "x:zone a y:zone b z: u:"],
    ["PreferSameNode", "x:zone a,node n1 y:zone b,node n2 z:node n3 u:"],
    ["Unknown", "x: y: z: u:"],
  ];
  for (const [wish, expected] of rows)
    it(`${wish ?? "nothing"} is asked for: ${expected}`, () => {
      assert.equal(hintsOf(run(service(wish))), expected);
      assert.deepEqual(slicesOf(run(service(wish), existing(service(wish)))), [], "at rest");
    });

  it("hints that are wrong, or no longer asked for, are put right", () => {
    const slices = existing(service("PreferSameNode"));
    const made = run(service("PreferClose"), slices);
    assert.equal(hintsOf(made), "x:zone a y:zone b z: u:");
    assert.equal(hintsOf(run(service(undefined), slices)), "x: y: z: u:");
  });

  it("an endpoint that is not ready does not have its slice written for a hint", () => {
    const waiting = [pod("u", "n1", false)];
    assert.deepEqual(run(service("PreferClose"), existing(service(undefined), waiting), waiting).writes, []); // prettier-ignore
  });

  it("the annotation goes before the field, and is told of when its hints begin", () => {
    const zoned = pods.filter(({ metadata }) => metadata?.name !== "z");
    const svc = service("PreferSameNode", "Auto");
    const begun = run(svc, [], zoned);
    assert.equal(hintsOf(begun), "x:zone a y:zone b u:");
    const enabled = "Topology Aware Hints has been enabled, addressType: IPv4";
    assert.deepEqual(told(begun), [`Normal TopologyAwareHintsEnabled ${enabled}`]);
    const rest = run(svc, existing(svc, zoned), zoned);
    assert.deepEqual([rest.writes, told(rest)], [[], []]);
  });

  it("no hints by the size of zones, and why; none any more", () => {
    const zoned = pods.filter(({ metadata }) => metadata?.name !== "z");
    const made = run(service(undefined, "auto"), [], zoned, "");
    assert.equal(hintsOf(made), "x: y: u:");
    assert.deepEqual(told(made), [
      "Warning TopologyAwareHintsDisabled Insufficient Node information: allocatable CPU or zone not specified on one or more nodes, addressType: IPv4",
    ]);
    const slices = existing(service(undefined, "Auto"), zoned);
    const over = run(service(undefined, "Disabled"), slices, zoned);
    assert.equal(hintsOf(over), "x: y: u:");
    const disabled = "Topology Aware Hints has been disabled, addressType: IPv4";
    assert.deepEqual(told(over), [`Warning TopologyAwareHintsDisabled ${disabled}`]);
  });
});
