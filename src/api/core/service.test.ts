import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { service } from "../../../test/support/builders.ts";
import { errorLines } from "../../../test/support/field-errors.ts";
import type { V1Service, V1ServiceSpec, V1ServiceStatus } from "../../gen/types.ts";
import { serviceColumns } from "./service-columns.ts";
import { serviceResource } from "./service.ts";

const { strategy } = serviceResource;
const NOW = { now: 0, user: "u" };

function complete(spec: Partial<V1ServiceSpec>, status?: V1ServiceStatus): V1Service {
  const given = service("s", { spec, ...(status && { status }) });
  return strategy.prepareForCreate(strategy.withDefaults(given), NOW);
}

function row(spec: Partial<V1ServiceSpec>, ...expected: string[]): void {
  it(JSON.stringify(spec), () =>
    assert.deepEqual(errorLines(strategy.validate(complete(spec))), expected),
  );
}

describe("defaults of a Service", () => {
  it("are upstream's", () => {
    assert.deepEqual(complete({}).spec, {
      selector: { app: "s" },
      ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
      sessionAffinity: "None",
      type: "ClusterIP",
      internalTrafficPolicy: "Cluster",
    });
  });

  it("depend on its type", () => {
    const balanced = complete({ type: "LoadBalancer", sessionAffinity: "ClientIP" }).spec!;
    assert.equal(balanced.externalTrafficPolicy, "Cluster");
    assert.equal(balanced.allocateLoadBalancerNodePorts, true);
    assert.deepEqual(balanced.sessionAffinityConfig, { clientIP: { timeoutSeconds: 10800 } });
    assert.equal(complete({ type: "ExternalName" }).spec!.internalTrafficPolicy, undefined);
    assert.equal(complete({ externalIPs: ["1.2.3.4"] }).spec!.externalTrafficPolicy, "Cluster");
  });

  it("change nothing the second time", () => {
    const once = strategy.withDefaults(service("s", { spec: { type: "NodePort" } }));
    assert.equal(strategy.withDefaults(once), once);
  });

  it("put clusterIP into clusterIPs", () => {
    assert.deepEqual(complete({ clusterIP: "None" }).spec!.clusterIPs, ["None"]);
  });
});

describe("a Service", () => {
  row({});
  row({ ports: [] }, "spec.ports Required");
  row({ ports: [], clusterIP: "None" });
  row(
    { type: "Magic" },
    'spec.type NotSupported: supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
  );
  row(
    { ports: [{ port: 1 }, { port: 2 }] },
    "spec.ports[0].name Required",
    "spec.ports[1].name Required",
  );
  row(
    {
      ports: [
        { name: "a", port: 1 },
        { name: "a", port: 2 },
      ],
    },
    "spec.ports[1].name Duplicate a",
  );
  row(
    {
      ports: [
        { name: "a", port: 1 },
        { name: "b", port: 1 },
      ],
    },
    "spec.ports[1] Duplicate TCP/1",
  );
  row(
    { ports: [{ port: 0 }] },
    "spec.ports[0].port Invalid: must be between 1 and 65535, inclusive",
    "spec.ports[0].targetPort Invalid: must be between 1 and 65535, inclusive",
  );
  row(
    { ports: [{ port: 1, nodePort: 30000 }] },
    "spec.ports[0].nodePort Forbidden: may not be used when `type` is 'ClusterIP'",
  );
  row({ type: "NodePort", ports: [{ port: 1, nodePort: 30000 }] });
  row(
    { type: "NodePort", clusterIP: "None" },
    "spec.clusterIPs[0] Invalid: may not be set to 'None' for NodePort services",
  );
  row({ type: "ExternalName", ports: [] }, "spec.externalName Required");
  row({ type: "ExternalName", externalName: "a.b.", ports: [] });
  row(
    { clusterIP: "x" },
    "spec.clusterIPs[0] Invalid: must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
  );
  row(
    { clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.2"] },
    "spec.clusterIPs Invalid: first value must match `clusterIP`",
  );
  row(
    { clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1", "10.0.0.2"] },
    "spec.clusterIPs Invalid: may specify no more than one IP for each IP family",
  );
  row(
    { clusterIP: "10.0.0.1", ipFamilies: ["IPv6"] },
    "spec.clusterIPs[0] Invalid: expected an IPv6 value as indicated by `ipFamilies[0]`",
  );
  row(
    { externalIPs: ["127.0.0.1"] },
    "spec.externalIPs[0] Invalid: may not be in the loopback range (127.0.0.0/8, ::1/128)",
  );
  row(
    { externalTrafficPolicy: "Local" },
    "spec.externalTrafficPolicy Invalid: may only be set for externally-accessible services",
  );
  row(
    { loadBalancerSourceRanges: ["10.0.0.0/8"] },
    "spec.loadBalancerSourceRanges Forbidden: may only be used when `type` is 'LoadBalancer'",
  );
  row(
    { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } } },
    "spec.sessionAffinityConfig.clientIP.timeoutSeconds Invalid: must be greater than 0 and less than 86400",
  );
  row(
    { trafficDistribution: "x" },
    'spec.trafficDistribution NotSupported: supported values: "PreferClose", "PreferSameNode", "PreferSameZone"',
  );
});

describe("an update of a Service", () => {
  const STORED: Partial<V1ServiceSpec> = {
    type: "NodePort",
    clusterIP: "10.96.0.7",
    clusterIPs: ["10.96.0.7"],
    ipFamilies: ["IPv4"],
    ipFamilyPolicy: "SingleStack",
    ports: [{ port: 80, nodePort: 30080 }],
  };
  const update = (spec: Partial<V1ServiceSpec>): V1Service =>
    strategy.prepareForUpdate(strategy.withDefaults(service("s", { spec })), complete(STORED), NOW);

  it("keeps what was allocated", () => {
    const { clusterIP, clusterIPs, ports } = update({ type: "NodePort" }).spec!;
    assert.deepEqual([clusterIP, clusterIPs], ["10.96.0.7", ["10.96.0.7"]]);
    assert.equal(ports![0]!.nodePort, 30080);
  });

  it("gives node ports back with the type", () => {
    const { ports, externalTrafficPolicy } = update({
      ...STORED,
      type: "ClusterIP",
      externalTrafficPolicy: "Cluster",
    }).spec!;
    assert.equal(ports![0]!.nodePort, undefined);
    assert.equal(externalTrafficPolicy, undefined);
  });

  it("gives the address back when it becomes a name", () => {
    const spec = update({ ...STORED, type: "ExternalName", externalName: "a.b" }).spec!;
    assert.deepEqual(
      [spec.clusterIP, spec.clusterIPs, spec.ipFamilies],
      [undefined, undefined, undefined],
    );
  });

  it("may not change the address", () => {
    const changed = update({ ...STORED, clusterIP: "10.96.0.8", clusterIPs: ["10.96.0.8"] });
    assert.deepEqual(errorLines(strategy.validateUpdate(changed, complete(STORED))), [
      "spec.clusterIPs[0] Invalid: may not change once set",
    ]);
  });
});

describe("columns of a Service", () => {
  const cells = (spec: Partial<V1ServiceSpec>, status?: V1ServiceStatus): unknown[] =>
    ["Type", "Cluster-IP", "External-IP", "Port(s)", "Selector"].map((name) =>
      serviceColumns
        .find((column) => column.name === name)!
        .cell({ ...complete(spec), ...(status && { status }) }, 0),
    );
  it("of a plain one", () =>
    assert.deepEqual(cells({ clusterIP: "10.0.0.1" }), ["ClusterIP", "10.0.0.1", "<none>", "80/TCP", "app=s"])); // prettier-ignore
  it("of one that waits for its balancer", () => {
    const spec = { type: "LoadBalancer", ports: [{ port: 80, nodePort: 30080 }] };
    assert.deepEqual(cells(spec).slice(2, 4), ["<pending>", "80:30080/TCP"]);
    const status = { loadBalancer: { ingress: [{ ip: "2.2.2.2" }, { hostname: "a" }] } };
    assert.equal(cells(spec, status)[2], "2.2.2.2,a");
  });
  it("of a name", () =>
    assert.deepEqual(cells({ type: "ExternalName", externalName: "a.b", ports: [] }).slice(1, 4), ["<none>", "a.b", "<none>"])); // prettier-ignore
});
