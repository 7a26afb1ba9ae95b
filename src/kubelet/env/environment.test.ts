import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Container } from "../../gen/types.ts";
import { ConfigError, environmentOf, type ObjectSource } from "./environment.ts";
import { expand } from "./expand.ts";
import { serviceVariables } from "./service-variables.ts";

const objects: ObjectSource = {
  configMap: (name) => (name === "cm" ? { data: { a: "1", "b=": "no", c: "3" } } : undefined),
  secret: (name) =>
    name === "s" ? { data: { key: Buffer.from("hidden").toString("base64") } } : undefined,
};
const pod = {
  metadata: { name: "p", namespace: "ns", uid: "u", labels: { app: "x" } },
  spec: {
    containers: [{ name: "c", image: "i", resources: { limits: { cpu: "1500m", memory: "1Mi" } } }],
  },
};
const fields = {
  pod,
  podIps: ["10.0.0.1", "fd00::1"],
  hostIps: ["10.1.0.1"],
  nodeName: "node",
  allocatable: { cpu: "4", memory: "8Gi" },
};
const of = (container: Partial<V1Container>): Record<string, string> =>
  Object.fromEntries(
    environmentOf({ ...pod.spec.containers[0]!, ...container }, fields, objects, { SVC: "svc" }),
  );
const ref = (valueFrom: object): Record<string, string> => of({ env: [{ name: "X", valueFrom }] });

describe("environmentOf", () => {
  it("later variables see earlier ones and Services", () => {
    const env = [
      { name: "A", value: "a" },
      { name: "B", value: "$(A)-$(SVC)-$(C)-$$(A)" },
      { name: "C", value: "c" },
    ];
    assert.deepEqual(of({ env }), { A: "a", B: "a-svc-$(C)-$(A)", C: "c", SVC: "svc" });
  });

  it("takes whole objects with a prefix, but for keys that are no names", () => {
    const envFrom = [{ prefix: "P_", configMapRef: { name: "cm" } }, { secretRef: { name: "s" } }];
    assert.deepEqual(of({ envFrom }), { P_a: "1", P_c: "3", key: "hidden", SVC: "svc" });
  });

  const references: readonly [object, string][] = [
    [{ fieldRef: { fieldPath: "metadata.name" } }, "p"],
    [{ fieldRef: { fieldPath: "metadata.labels['app']" } }, "x"],
    [{ fieldRef: { fieldPath: "status.podIPs" } }, "10.0.0.1,fd00::1"],
    [{ fieldRef: { fieldPath: "status.hostIP" } }, "10.1.0.1"],
    [{ resourceFieldRef: { resource: "limits.cpu" } }, "2"],
    [{ resourceFieldRef: { resource: "limits.cpu", divisor: "1m" } }, "1500"],
    [{ resourceFieldRef: { resource: "requests.memory" } }, "0"],
    [{ configMapKeyRef: { name: "cm", key: "a" } }, "1"],
    [{ secretKeyRef: { name: "s", key: "key" } }, "hidden"],
  ];
  for (const [valueFrom, value] of references)
    it(`${JSON.stringify(valueFrom)} is ${value}`, () => assert.equal(ref(valueFrom)["X"], value));

  const refusals: readonly [object, string][] = [
    [{ configMapKeyRef: { name: "no", key: "a" } }, 'configmap "no" not found'],
    [{ configMapKeyRef: { name: "cm", key: "z" } }, "couldn't find key z in ConfigMap ns/cm"],
    [{ secretKeyRef: { name: "s", key: "z" } }, "couldn't find key z in Secret ns/s"],
  ];
  for (const [valueFrom, message] of refusals)
    it(message, () => assert.throws(() => ref(valueFrom), { name: ConfigError.name, message }));

  it("leaves out what is optional and missing", () => {
    assert.deepEqual(ref({ configMapKeyRef: { name: "no", key: "a", optional: true } }), {
      SVC: "svc",
    });
  });
});

describe("expand", () => {
  const lookup = (name: string): string | undefined => ({ A: "1", E: "" })[name];
  for (const [text, result] of [
    ["$(A)$(E)$(B)", "1$(B)"],
    ["$$(A) $$ $", "$(A) $ $"],
    ["$(A", "$(A"],
    ["$A ${A}", "$A ${A}"],
  ] as const)
    it(`${text} becomes ${result}`, () => assert.equal(expand(text, lookup), result));
});

describe("serviceVariables", () => {
  const service = (namespace: string, name: string, clusterIP: string) => ({
    metadata: { namespace, name },
    spec: { clusterIP, ports: [{ name: "web", port: 80, protocol: "TCP" }] },
  });
  const all = [
    service("default", "kubernetes", "10.96.0.1"),
    service("ns", "my-db", "10.96.0.2"),
    service("ns", "headless", "None"),
    service("other", "far", "10.96.0.3"),
  ];

  it("names those of the namespace, and the API server", () => {
    assert.deepEqual(
      Object.keys(serviceVariables(all, "ns", true)).filter((name) =>
        name.endsWith("_SERVICE_HOST"),
      ),
      ["KUBERNETES_SERVICE_HOST", "MY_DB_SERVICE_HOST"],
    );
    assert.deepEqual(
      Object.keys(serviceVariables(all, "ns", false)).filter((name) => name.endsWith("_HOST")),
      ["KUBERNETES_SERVICE_HOST"],
    );
  });

  it("has upstream's seven names of a port", () => {
    assert.deepEqual(serviceVariables([service("ns", "my-db", "10.96.0.2")], "ns", true), {
      MY_DB_SERVICE_HOST: "10.96.0.2",
      MY_DB_SERVICE_PORT: "80",
      MY_DB_SERVICE_PORT_WEB: "80",
      MY_DB_PORT: "tcp://10.96.0.2:80",
      MY_DB_PORT_80_TCP: "tcp://10.96.0.2:80",
      MY_DB_PORT_80_TCP_PROTO: "tcp",
      MY_DB_PORT_80_TCP_PORT: "80",
      MY_DB_PORT_80_TCP_ADDR: "10.96.0.2",
    });
  });
});
