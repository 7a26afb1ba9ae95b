import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1EndpointSlice, V1Service } from "../gen/types.ts";
import { answer } from "./answer.ts";
import type { DnsRecord } from "./record.ts";
import { buildZoneIndex } from "./zone-index.ts";

const http = { name: "http", port: 80, protocol: "TCP" };
const services: readonly V1Service[] = [
  {
    metadata: { namespace: "default", name: "web" },
    spec: { clusterIP: "10.96.0.7", ports: [http, { name: "dns", port: 53, protocol: "UDP" }] },
  },
  {
    metadata: { namespace: "default", name: "db" },
    spec: { clusterIP: "None", ports: [{ ...http, name: "sql" }] },
  },
  {
    metadata: { namespace: "default", name: "early" },
    spec: { clusterIP: "None", publishNotReadyAddresses: true },
  },
  { metadata: { namespace: "default", name: "empty" }, spec: { clusterIP: "None" } },
  {
    metadata: { namespace: "other", name: "ext" },
    spec: { type: "ExternalName", externalName: "Example.com" },
  },
];
const slice = (name: string, port: string): V1EndpointSlice => ({
  metadata: { namespace: "default", labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  ports: [{ name: port, port: 5432, protocol: "TCP" }],
  endpoints: [
    { addresses: ["10.244.0.5"], hostname: "db-0", conditions: { ready: true } },
    { addresses: ["10.244.0.6"], conditions: { ready: true } },
    { addresses: ["10.244.0.9"], hostname: "db-9", conditions: { ready: false } },
  ],
});
const zone = buildZoneIndex(services, [slice("db", "sql"), slice("early", "sql")]);

function text({ type, data }: DnsRecord): string {
  if (type === "SRV") return `SRV ${data.port} ${data.target}`;
  return type === "SOA" ? "SOA" : `${type} ${data as string}`;
}

function ask(name: string, type = "A"): string {
  const found = answer(zone, "cluster.local", { name, type });
  if (!found) return "not ours";
  return [
    found.code,
    ...found.answers.map(text),
    ...found.additionals.map((record) => `+${text(record)}`),
  ].join(", ");
}

describe("answer", () => {
  for (const [name, type, expected] of [
    ["web.default.svc.cluster.local", "A", "NOERROR, A 10.96.0.7"],
    ["WEB.Default.svc.cluster.LOCAL.", "A", "NOERROR, A 10.96.0.7"],
    ["web.default.svc.cluster.local", "AAAA", "NOERROR"],
    [
      "_http._tcp.web.default.svc.cluster.local",
      "SRV",
      "NOERROR, SRV 80 web.default.svc.cluster.local, +A 10.96.0.7",
    ],
    ["_http._udp.web.default.svc.cluster.local", "SRV", "NXDOMAIN"],
    ["_tcp.web.default.svc.cluster.local", "A", "NOERROR"],
    ["nope.default.svc.cluster.local", "A", "NXDOMAIN"],
    ["web.nope.svc.cluster.local", "A", "NXDOMAIN"],
    ["default.svc.cluster.local", "A", "NOERROR"],
    ["nope.svc.cluster.local", "A", "NXDOMAIN"],
    ["svc.cluster.local", "A", "NOERROR"],
    ["cluster.local", "SOA", "NOERROR, SOA"],
    ["dns-version.cluster.local", "TXT", "NOERROR, TXT 1.1.0"],
    ["db.default.svc.cluster.local", "A", "NOERROR, A 10.244.0.5, A 10.244.0.6"],
    ["db-0.db.default.svc.cluster.local", "A", "NOERROR, A 10.244.0.5"],
    ["10-244-0-6.db.default.svc.cluster.local", "A", "NOERROR, A 10.244.0.6"],
    ["db-9.db.default.svc.cluster.local", "A", "NXDOMAIN"],
    ["db-9.early.default.svc.cluster.local", "A", "NOERROR, A 10.244.0.9"],
    ["empty.default.svc.cluster.local", "A", "NXDOMAIN"],
    [
      "_sql._tcp.db.default.svc.cluster.local",
      "SRV",
      "NOERROR, SRV 5432 db-0.db.default.svc.cluster.local, SRV 5432 10-244-0-6.db.default.svc.cluster.local, +A 10.244.0.5, +A 10.244.0.6",
    ],
    ["ext.other.svc.cluster.local", "A", "NOERROR, CNAME example.com"],
    ["10-244-0-5.default.pod.cluster.local", "A", "NOERROR, A 10.244.0.5"],
    ["nonsense.default.pod.cluster.local", "A", "NXDOMAIN"],
    ["7.0.96.10.in-addr.arpa", "PTR", "NOERROR, PTR web.default.svc.cluster.local"],
    ["8.0.96.10.in-addr.arpa", "PTR", "not ours"],
    ["example.com", "A", "not ours"],
    ["notcluster.local", "A", "not ours"],
  ] as const)
    it(`${name} ${type}: ${expected}`, () =>
      assert.equal(ask(name, type).replace("NXDOMAIN, SOA", "NXDOMAIN"), expected));

  it("finds the host of a headless Service by its address", () => {
    assert.equal(
      ask("5.0.244.10.in-addr.arpa", "PTR"),
      "NOERROR, PTR db-0.db.default.svc.cluster.local, PTR db-0.early.default.svc.cluster.local",
    );
  });

  it("gives the zone's SOA with every negative answer, so that resolvers may keep it", () => {
    const found = answer(zone, "cluster.local", {
      name: "nope.default.svc.cluster.local",
      type: "A",
    });
    assert.deepEqual(
      found?.authorities.map(({ type }) => type),
      ["SOA"],
    );
  });
});
