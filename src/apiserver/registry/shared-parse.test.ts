import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../base/seeded-random.ts";
import { parseShared } from "./shared-parse.ts";

type Loose = any;
const reparsed = (object: object): Loose => parseShared(JSON.stringify(object));

const spec = (node?: string): object => ({
  containers: [{ name: "c", image: "nginx:1.25", args: ['a "quoted" } brace', "back\\slash"] }],
  ...(node !== undefined && { nodeName: node }),
  tolerations: [{ key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" }],
});
const managers = (time: string): object[] => [
  { manager: "kubectl", operation: "Update", time, fieldsV1: { "f:spec": { 'k:{"n":"}"}': {} } } },
  { manager: "kubelet", time, fieldsV1: { "f:status": {} }, subresource: "status" },
];
const pod = (name: string, node?: string): object => ({
  kind: "Pod",
  apiVersion: "v1",
  metadata: {
    name,
    uid: name,
    labels: { app: "a" },
    ownerReferences: [{ kind: "ReplicaSet", name: "r", uid: "u" }],
    managedFields: managers(name),
  },
  spec: spec(node),
  status: { phase: "Pending", spec: { nested: true } },
});

describe("shared parse", () => {
  it("reads what JSON.parse reads, in the same order", () => {
    for (const object of [pod("a"), pod("b", "n1"), { kind: "Secret", metadata: {}, data: {} }]) {
      const read = reparsed(object);
      assert.deepEqual(read, object);
      assert.equal(JSON.stringify(read), JSON.stringify(object));
    }
  });

  it("objects of one template share labels, owners, spec and field sets, and nothing that is their own", () => {
    const [a, b] = [reparsed(pod("a")), reparsed(pod("b"))];
    assert.equal(a.metadata.labels, b.metadata.labels);
    assert.equal(a.metadata.ownerReferences, b.metadata.ownerReferences);
    assert.equal(a.spec, b.spec);
    assert.equal(a.metadata.managedFields[0].fieldsV1, b.metadata.managedFields[0].fieldsV1);
    assert.notEqual(a.metadata.managedFields[0], b.metadata.managedFields[0]);
    assert.notEqual(a.status, b.status);
  });

  it("Pods on different nodes share the members of their specs", () => {
    const [a, b] = [reparsed(pod("a", "n1")), reparsed(pod("b", "n2"))];
    assert.equal(b.spec.nodeName, "n2");
    assert.notEqual(a.spec, b.spec);
    assert.equal(a.spec.containers, b.spec.containers);
    assert.equal(a.spec.tolerations, b.spec.tolerations);
  });

  it("words of the format in other places change nothing", () => {
    const fields = { "f:a": {} };
    const objects: readonly object[] = [
      { metadata: { name: "n" }, data: { a: 1, spec: { b: 2 } } },
      { metadata: { name: "n" }, spec: null, data: { a: 1, spec: { b: 2 } } },
      { metadata: { annotations: { x: ',"spec":{"a":1}', spec: "{" } }, spec: { a: { b: "]}" } } },
      { metadata: { managedFields: [{ fieldsV1: null }] }, data: { x: 1, fieldsV1: fields } },
      { metadata: { managedFields: [{ fieldsV1: fields }] }, spec: { fieldsV1: fields } },
      { metadata: { name: "n" }, spec: { properties: { a: 0, fieldsV1: fields, spec: fields } } },
      { metadata: { name: "n" }, spec: "text" },
      { metadata: { name: "n" }, spec: { template: { metadata: { a: 1, labels: { b: "2" } } } } },
      { metadata: { name: "n" }, data: { a: 1, labels: { b: "2" }, ownerReferences: [1] } },
      { metadata: { ownerReferences: [{ a: 1, labels: {} }], labels: { b: "2" } }, spec: {} },
      { metadata: { name: "n", labels: null, ownerReferences: [] } },
      { metadata: { name: "n" }, spec: {} },
      { kind: "X", spec: { template: { metadata: {}, spec: spec() } }, status: {} },
      JSON.parse('{"metadata":{},"spec":{"__proto__":{"a":"a long enough member of it, is it?"}}}'),
    ];
    for (const object of objects) {
      const text = JSON.stringify(object);
      assert.equal(JSON.stringify(parseShared(text)), text);
      // The second time from what was remembered.
      assert.deepEqual(parseShared(text), JSON.parse(text));
    }
  });

  it("any object reads as JSON.parse reads it", () => {
    const random = new SeededRandom(1);
    const names = ["spec", "fieldsV1", "metadata", "managedFields", "a", 'q"', "\\", "é", "}"];
    const valueAt = (depth: number): unknown => {
      const choice = random.integer(depth > 4 ? 4 : 7);
      if (choice < 4) return [random.integer(9), names[random.integer(9)], null, true][choice];
      if (choice === 4) return Array.from({ length: random.integer(4) }, () => valueAt(depth + 1));
      const members = Array.from({ length: random.integer(5) }, () => [
        names[random.integer(9)],
        valueAt(depth + 1),
      ]);
      return Object.fromEntries(members) as object;
    };
    for (let at = 0; at < 3000; at++) {
      const text = JSON.stringify({
        kind: "X",
        metadata: { managedFields: [{ fieldsV1: valueAt(2) }, valueAt(2)], x: valueAt(2) },
        spec: valueAt(1),
        status: valueAt(1),
      });
      assert.equal(JSON.stringify(parseShared(text)), text);
    }
  });
});
