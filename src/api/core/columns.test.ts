import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { node } from "../../../test/support/builders.ts";
import type { Column, Resource } from "../machinery/resource.ts";
import type { KubeObject } from "../machinery/object.ts";
import { endpointSliceResource } from "../discovery/endpoint-slice.ts";
import { endpointsResource } from "./endpoints.ts";
import { eventResource } from "./event.ts";
import { nodeResource } from "./node.ts";

const NOW = Date.parse("2026-01-01T01:00:00Z");

function cells<T extends KubeObject>({ columns }: Resource<T>, object: T): Record<string, unknown> {
  return Object.fromEntries(
    columns.map((column: Column<T>) => [column.name, column.cell(object, NOW)]),
  );
}

describe("columns", () => {
  it("of a Node", () => {
    const metadata = {
      name: "n",
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { "node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "a" },
    };
    const addresses = [{ type: "InternalIP", address: "10.0.0.1" }];
    const ready = node("n", { metadata, spec: { unschedulable: true } });
    assert.deepEqual(cells(nodeResource, { ...ready, status: { ...ready.status, addresses } }), {
      Name: "n",
      Status: "Ready,SchedulingDisabled",
      Roles: "a,control-plane",
      Age: "60m",
      Version: "",
      "Internal-IP": "10.0.0.1",
      "External-IP": "<none>",
      "OS-Image": "<unknown>",
      "Kernel-Version": "<unknown>",
      "Container-Runtime": "<unknown>",
    });
    assert.equal(cells(nodeResource, { metadata })["Status"], "Unknown");
  });

  it("of Endpoints and slices show three addresses", () => {
    const addresses = ["1", "2", "3", "4"].map((last) => ({ ip: `10.0.0.${last}` }));
    const subsets = [{ addresses, ports: [{ port: 80 }] }];
    assert.equal(
      cells(endpointsResource, { subsets })["Endpoints"],
      "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...",
    );
    assert.equal(cells(endpointsResource, {})["Endpoints"], "<none>");
    const slice = { addressType: "IPv4", endpoints: [{ addresses: ["10.0.0.1"] }], ports: [{ port: 80 }] }; // prettier-ignore
    assert.equal(cells(endpointSliceResource, slice)["Endpoints"], "10.0.0.1");
    assert.equal(cells(endpointSliceResource, { addressType: "IPv4" })["Ports"], "<unset>");
  });

  it("of an Event count its series", () => {
    const event = {
      metadata: { name: "e" },
      involvedObject: { kind: "Pod", name: "p", fieldPath: "spec.containers{a}" },
      message: " text\n",
      firstTimestamp: "2026-01-01T00:00:00Z",
      series: { count: 2, lastObservedTime: "2026-01-01T00:59:00.000000Z" },
      source: { component: "kubelet", host: "n" },
    };
    const shown = cells(eventResource, event);
    assert.deepEqual(
      ["Last Seen", "First Seen", "Count", "Object", "Message", "Source"].map(
        (name) => shown[name],
      ),
      ["60s", "60m", 3, "pod/p", "text", "kubelet, n"],
    );
  });
});
