import assert from "node:assert/strict";
import { it } from "node:test";
import { node } from "../../../test/support/builders.ts";
import type { StorageClass } from "../../api/storage/storage-class.ts";
import { ProvisionIndex } from "./provision-index.ts";

const onMachine = (name: string, machine: string) =>
  node(name, { metadata: { labels: { "topology.skiff.dev/machine": machine } } });

it("ProvisionIndex: the nodes that a class allows are looked at once, until one of them changes", () => {
  const index = new ProvisionIndex();
  for (let at = 100; at < 1000; at++) index.setNode(`n${at}`, onMachine(`n${at}`, "one"));
  index.setNode("z", onMachine("z", "two"));
  let looks = 0;
  const late: StorageClass = {
    provisioner: "volumes.skiff.dev",
    get allowedTopologies() {
      looks++;
      const values = ["two"];
      return [{ matchLabelExpressions: [{ key: "topology.skiff.dev/machine", values }] }];
    },
  };
  assert.equal(index.machineFor(late), "two");
  assert.ok(looks > 900);
  looks = 0;
  for (let at = 0; at < 5000; at++) assert.equal(index.machineFor(late), "two");
  assert.equal(looks, 0);
  index.setNode("z", undefined);
  assert.equal(index.machineFor(late), undefined);
});
