import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1CSINode } from "../../gen/types.ts";
import { driverTold } from "./csi-node.ts";

const owner = { apiVersion: "v1", kind: "Node", name: "n", uid: "u" };
const own = {
  name: "volumes.skiff.dev",
  nodeID: "n",
  topologyKeys: ["topology.skiff.dev/machine"],
};
const other = { name: "disks.example.com", nodeID: "i-1", topologyKeys: null as never };
const node = (drivers: V1CSINode["spec"]["drivers"], uid = "u"): V1CSINode => ({
  metadata: { name: "n", resourceVersion: "5", ownerReferences: [{ ...owner, uid }] },
  spec: { drivers },
});

describe("driverTold", () => {
  it("leaves what is right", () => assert.equal(driverTold(node([other, own]), owner), undefined));
  it("adds the driver to those that are there", () => {
    const { spec, metadata } = driverTold(node([other]), owner)!;
    assert.deepEqual(spec.drivers, [other, own]);
    assert.equal(metadata?.resourceVersion, "5");
  });
  it("belongs to the Node that is there now", () => {
    const { metadata } = driverTold(node([own], "earlier"), owner)!;
    assert.deepEqual(metadata?.ownerReferences, [owner]);
  });
});
