import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Pod } from "../../api/core/pod.ts";
import type { Service } from "../../api/core/service.ts";
import type { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import type { PlannedWrite } from "../../reconciler/controller.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { Node as NodeKind } from "../../api/core/node.ts";
import { Pod as PodKind } from "../../api/core/pod.ts";
import { Service as ServiceKind } from "../../api/core/service.ts";
import { EndpointSlice as EndpointSliceKind } from "../../api/discovery/endpoint-slice.ts";
import { endpointSliceController, plan } from "./endpointslice.ts";

type Spec = NonNullable<Service["spec"]>;

function service(spec: Partial<Spec> = {}): Service {
  return {
    metadata: { name: "web", namespace: "d", uid: "s", labels: { team: "x" } },
    spec: {
      selector: { app: "web" },
      ipFamilies: ["IPv4"],
      clusterIP: "10.96.0.9",
      ports: [{ name: "http", port: 80, targetPort: "web" as never, protocol: "TCP" }],
      ...spec,
    },
  };
}

interface Wish {
  readonly ready?: boolean;
  readonly deleting?: boolean;
  readonly phase?: string;
  readonly port?: number;
  readonly ips?: readonly string[];
  readonly node?: string;
  readonly hostname?: string;
}

function pod(name: string, wish: Wish = {}): Pod {
  const { ready = true, deleting, phase = "Running", port = 8080, node = "n1", hostname } = wish;
  const ips = wish.ips ?? [`10.0.0.${name.charCodeAt(0)}`];
  return {
    metadata: {
      name,
      namespace: "d",
      uid: name,
      ...(deleting && { deletionTimestamp: "2026-01-01T00:00:00Z" }),
    },
    spec: {
      nodeName: node,
      ...(hostname && { hostname, subdomain: "web" }),
      containers: [{ name: "c", ports: [{ name: "web", containerPort: port }] }],
    },
    status: {
      phase,
      podIPs: ips.map((ip) => ({ ip })),
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
    },
  };
}

const zones = new Map([
  ["n1", "z1"],
  ["n2", undefined],
]);

function writes(
  svc: Service,
  pods: readonly Pod[],
  slices: readonly EndpointSlice[] = [],
): readonly PlannedWrite[] {
  return plan({ service: svc, pods, zones, slices }).writes ?? [];
}

function slicesAfter(result: readonly PlannedWrite[]): EndpointSlice[] {
  return result.flatMap((write) => ("object" in write ? [write.object as EndpointSlice] : []));
}

/** What the controller itself makes of nothing, as the server would name it. */
function existing(svc: Service, pods: readonly Pod[]): EndpointSlice[] {
  return slicesAfter(writes(svc, pods)).map((slice, index) => ({
    ...slice,
    metadata: { ...slice.metadata, name: `web-${index}`, uid: `u${index}` },
  }));
}

describe("endpointslice plan", () => {
  it("one ready Pod: the whole slice", () => {
    assert.deepEqual(slicesAfter(writes(service(), [pod("a", { hostname: "h" })])), [
      {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: {
          generateName: "web-",
          namespace: "d",
          labels: {
            team: "x",
            "kubernetes.io/service-name": "web",
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
          },
          ownerReferences: [
            {
              apiVersion: "v1",
              kind: "Service",
              name: "web",
              uid: "s",
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        },
        addressType: "IPv4",
        endpoints: [
          {
            addresses: ["10.0.0.97"],
            conditions: { ready: true, serving: true, terminating: false },
            hostname: "h",
            targetRef: { kind: "Pod", namespace: "d", name: "a", uid: "a" },
            nodeName: "n1",
            zone: "z1",
          },
        ],
        ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      },
    ]);
  });

  it("its own work is left alone", () => {
    const pods = [pod("a"), pod("b", { ready: false })];
    assert.deepEqual(writes(service(), pods, existing(service(), pods)), []);
  });

  it("conditions of ready, unready and ending Pods; ended ones are left out", () => {
    const pods = [
      pod("a"),
      pod("b", { ready: false }),
      pod("c", { deleting: true }),
      pod("d", { phase: "Failed" }),
    ];
    const conditions = (svc: Service): unknown =>
      slicesAfter(writes(svc, pods))[0]?.endpoints?.map((endpoint) =>
        Object.entries(endpoint.conditions ?? {})
          .filter(([, is]) => is)
          .map(([name]) => name)
          .join("+"),
      );
    assert.deepEqual(conditions(service()), ["ready+serving", "", "serving+terminating"]);
    assert.deepEqual(conditions(service({ publishNotReadyAddresses: true })), [
      "ready+serving",
      "ready",
      "ready+serving+terminating",
    ]);
  });

  it("Pods that have the named port elsewhere get a slice of their own", () => {
    const slices = slicesAfter(writes(service(), [pod("a"), pod("b", { port: 9090 }), pod("c")]));
    assert.deepEqual(
      slices.map(({ ports, endpoints }) => [ports?.[0]?.port, endpoints?.length]),
      [
        [8080, 2],
        [9090, 1],
      ],
    );
  });

  it("a port says what is spoken there; a Pod without the named port has none", () => {
    const ports = [
      { name: "http", port: 80, targetPort: "web" as never, protocol: "TCP", appProtocol: "h2c" },
      { name: "none", port: 81, targetPort: "missing" as never, protocol: "TCP" },
    ];
    const [slice] = slicesAfter(writes(service({ ports }), [pod("a")]));
    assert.deepEqual(slice?.ports, [
      { name: "http", port: 8080, protocol: "TCP", appProtocol: "h2c" },
    ]);
  });

  it("sees its Pods, the zones of their nodes and its own slices", () => {
    const labelled = (one: Pod): Pod => ({
      ...one,
      metadata: { ...one.metadata, labels: { app: "web" } },
    });
    const [own] = existing(service(), [pod("a")]);
    const cache = new StaticCache()
      .put(ServiceKind, service())
      .put(PodKind, labelled(pod("a")))
      .put(PodKind, labelled(pod("b", { node: "gone" })))
      .put(PodKind, pod("c"))
      .put(NodeKind, { metadata: { name: "n1", labels: { "topology.kubernetes.io/zone": "z" } } })
      .put(EndpointSliceKind, own!);
    const observed = endpointSliceController.observe(cache, { namespace: "d", name: "web" })!;
    assert.deepEqual(
      observed.pods.map(({ metadata }) => metadata?.name),
      ["a", "b"],
    );
    assert.deepEqual([...observed.zones], [["n1", "z"]]);
    assert.equal(observed.slices.length, 1);
    assert.equal(endpointSliceController.observe(cache, { namespace: "d", name: "x" }), undefined);
  });

  it("a Service that is a name alone has no slices, whatever it selects", () => {
    const named = service({ type: "ExternalName", externalName: "example.com" });
    const cache = new StaticCache().put(ServiceKind, named);
    assert.equal(
      endpointSliceController.observe(cache, { namespace: "d", name: "web" }),
      undefined,
    );
    const without = { ...service(), spec: { ...service().spec, selector: undefined } };
    const other = new StaticCache().put(ServiceKind, without as never);
    assert.equal(
      endpointSliceController.observe(other, { namespace: "d", name: "web" }),
      undefined,
    );
  });

  it("both families", () => {
    const svc = service({ ipFamilies: ["IPv4", "IPv6"] });
    const slices = slicesAfter(writes(svc, [pod("a", { ips: ["10.0.0.1", "fd00::1"] })]));
    assert.deepEqual(
      slices.map(({ addressType, endpoints }) => [addressType, endpoints?.[0]?.addresses[0]]),
      [
        ["IPv4", "10.0.0.1"],
        ["IPv6", "fd00::1"],
      ],
    );
  });

  it("no Pods: one empty slice, and it stays", () => {
    const none = existing(service(), []);
    assert.deepEqual(
      none.map(({ endpoints, ports }) => [endpoints, ports]),
      [[[], []]],
    );
    assert.deepEqual(writes(service(), [], none), []);
  });

  it("the first Pod goes into the empty slice, the last one leaves it empty again", () => {
    const verbs = (result: readonly PlannedWrite[]): string =>
      result.map(({ verb }) => verb).join();
    assert.equal(verbs(writes(service(), [pod("a")], existing(service(), []))), "update");
    assert.equal(verbs(writes(service(), [], existing(service(), [pod("a")]))), "update");
  });

  it("at most a hundred endpoints in a slice", () => {
    const pods = Array.from({ length: 250 }, (_, i) =>
      pod(`p${String(i).padStart(3, "0")}`, { ips: [`10.0.${i}.1`] }),
    );
    assert.deepEqual(
      slicesAfter(writes(service(), pods)).map(({ endpoints }) => endpoints?.length),
      [100, 100, 50],
    );
  });

  it("headless: labelled, and without ports if the Service has none", () => {
    const [slice] = slicesAfter(writes(service({ clusterIP: "None", ports: [] }), [pod("a")]));
    assert.equal(slice?.metadata?.labels?.["service.kubernetes.io/headless"], "");
    assert.deepEqual(slice?.ports, []);
    assert.equal(slice?.endpoints?.length, 1);
  });

  it("a Pod of a node that is gone is left out", () => {
    const [slice] = slicesAfter(writes(service(), [pod("a"), pod("b", { node: "gone" })]));
    assert.equal(slice?.endpoints?.length, 1);
  });

  it("slices of others are not touched; of a family that is no longer ours they go", () => {
    const [own] = existing(service(), [pod("a")]);
    const foreign = { ...own!, metadata: { ...own!.metadata, name: "x", labels: {} } };
    const six = {
      ...own!,
      addressType: "IPv6" as const,
      metadata: { ...own!.metadata, name: "six" },
    };
    const result = writes(service(), [pod("a")], [own!, foreign, six]);
    assert.deepEqual(
      result.map((write) => [write.verb, "key" in write && write.key.name]),
      [["delete", "six"]],
    );
  });
});

describe("endpointslice plan: the annotation of the last change", () => {
  const ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time";
  const BORN = "2026-01-01T00:00:00Z" as never;
  const svc = { ...service(), metadata: { ...service().metadata, creationTimestamp: BORN } };
  const at = (name: string, ready: boolean, minute: number): Pod => {
    const one = pod(name, { ready });
    const lastTransitionTime = `2026-01-01T00:0${minute}:00Z` as never;
    const conditions = one.status!.conditions!.map((each) => ({ ...each, lastTransitionTime }));
    return { ...one, status: { ...one.status, conditions } };
  };
  const times = (pods: readonly Pod[], slices: readonly EndpointSlice[] = []): unknown[] =>
    slicesAfter(writes(svc, pods, slices)).map(
      ({ metadata }) => metadata?.annotations?.[ANNOTATION] ?? "none",
    );

  it("of the first slices: when the Service was made", () =>
    assert.deepEqual(times([at("a", false, 1)]), [BORN]));

  it("then: the first of the times at which the Pods that differ turned", () => {
    const slices = existing(svc, [at("a", false, 1)]);
    assert.deepEqual(times([at("a", true, 2)], slices), ["2026-01-01T00:02:00Z"]);
    assert.deepEqual(times([at("a", true, 4), at("b", true, 3)], slices), ["2026-01-01T00:03:00Z"]);
    assert.deepEqual(times([at("a", false, 1), at("b", true, 3)], slices), [
      "2026-01-01T00:03:00Z",
    ]);
  });

  it("is cleared by a change that no Pod is the reason of, and is no reason to write", () => {
    const pods = [at("a", true, 1), at("b", true, 1)];
    const slices = existing(svc, pods);
    assert.deepEqual(times(pods.slice(0, 1), slices), ["none"]);
    assert.deepEqual(writes(svc, pods, slices), []);
  });
});
