import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadSchemas } from "../schema-set.ts";
import type { TypeSchema } from "../schema.ts";
import { applyType } from "./apply-type.ts";
import { compareTyped } from "./compare.ts";
import { createdFields } from "./created-fields.ts";
import { EMPTY_SET, fieldSetOf, recursiveDifference, union } from "./field-set.ts";

const schemas = loadSchemas();
const typeOf = (group: string, version: string, kind: string): TypeSchema =>
  schemas.root(group, version, kind)!;

const pod = {
  metadata: {
    name: "p",
    labels: { "10": "t", "9": "u", app: "x" },
    finalizers: ["x.io/f"],
    ownerReferences: [{ apiVersion: "v1", kind: "A", name: "a", uid: "u" }],
  },
  spec: {
    volumes: [{ name: "v", emptyDir: {} }],
    containers: [
      {
        name: "web",
        image: "nginx",
        ports: [{ containerPort: 443 }, { containerPort: 80, protocol: "TCP" }],
        env: [{ name: "A", value: "" }],
      },
    ],
    nodeSelector: { a: "b" },
    securityContext: {},
  },
  status: { phase: "Pending" },
};

const OBJECTS: readonly [TypeSchema, object][] = [
  [typeOf("", "v1", "Pod"), pod],
  [typeOf("", "v1", "ConfigMap"), { metadata: { name: "a" }, data: {}, immutable: false }],
  [
    typeOf("apps", "v1", "Deployment"),
    { metadata: {}, spec: { replicas: 1, selector: {}, template: pod } },
  ],
  [typeOf("", "v1", "Event"), { involvedObject: { name: "a" }, source: {}, reason: "", count: 1 }],
  [typeOf("", "v1", "Service"), { spec: { ports: [{ port: 1 }, { port: 1 }, { port: 2 }] } }],
];

describe("createdFields", () => {
  for (const [schema, object] of OBJECTS)
    it(`finds of a ${schema.kind!.kind} what comparing it with nothing finds`, () => {
      const type = applyType(schemas, schema);
      const { added, modified } = compareTyped(type, {}, object);
      assert.equal(
        JSON.stringify(createdFields(type, object, EMPTY_SET)),
        JSON.stringify(union(added, modified)),
      );
    });

  it("is what upstream records of a Pod", () => {
    const type = applyType(schemas, typeOf("", "v1", "Pod"));
    const skipped = fieldSetOf(["f:status"], ["f:metadata", "f:name"]);
    assert.equal(
      JSON.stringify(createdFields(type, pod, skipped)),
      '{"f:metadata":{"f:finalizers":{".":{},"v:\\"x.io/f\\"":{}},' +
        '"f:labels":{".":{},"f:10":{},"f:9":{},"f:app":{}},' +
        '"f:ownerReferences":{".":{},"k:{\\"uid\\":\\"u\\"}":' +
        '{".":{},"f:apiVersion":{},"f:kind":{},"f:name":{},"f:uid":{}}}},' +
        '"f:spec":{"f:containers":{"k:{\\"name\\":\\"web\\"}":{".":{},' +
        '"f:env":{".":{},"k:{\\"name\\":\\"A\\"}":{".":{},"f:name":{},"f:value":{}}},' +
        '"f:image":{},"f:name":{},"f:ports":{".":{},' +
        '"k:{\\"containerPort\\":80,\\"protocol\\":\\"TCP\\"}":{".":{},"f:containerPort":{},"f:protocol":{}},' +
        '"k:{\\"containerPort\\":443,\\"protocol\\":\\"TCP\\"}":{".":{},"f:containerPort":{}}},' +
        '"f:resources":{}}},"f:nodeSelector":{},"f:securityContext":{},' +
        '"f:volumes":{".":{},"k:{\\"name\\":\\"v\\"}":{".":{},"f:emptyDir":{},"f:name":{}}}}}',
    );
  });

  it("objects of one shape share one document, and members skipped go with all below them", () => {
    const type = applyType(schemas, typeOf("", "v1", "ConfigMap"));
    const first = createdFields(type, { metadata: { name: "a" }, data: { k: "1" } }, EMPTY_SET);
    const second = createdFields(type, { metadata: { name: "b" }, data: { k: "2" } }, EMPTY_SET);
    assert.equal(first, second);
    const skipped = fieldSetOf(["f:data"], ["f:metadata", "f:name"]);
    const object = { metadata: { name: "a" }, data: { k: "1" } };
    assert.equal(createdFields(type, object, skipped), undefined);
    assert.deepEqual(recursiveDifference(first!, skipped), EMPTY_SET);
  });
});
