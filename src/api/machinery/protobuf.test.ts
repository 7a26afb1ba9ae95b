import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProtobufError } from "../../base/protobuf.ts";
import { SeededRandom } from "../../base/seeded-random.ts";
import * as builders from "../../../test/support/builders.ts";
import { conform } from "./conform.ts";
import { encodeProtobuf, openProtobuf, protobufType, readProtobuf } from "./protobuf.ts";
import { loadSchemas } from "./schema-set.ts";
import type { SchemaSet, TypeSchema } from "./schema.ts";

const schemas = loadSchemas();

type Document = Record<string, unknown>;

function decode(bytes: Buffer): Document {
  const document = openProtobuf(bytes);
  const type = protobufType(schemas, document.apiVersion, document.kind);
  assert.ok(type, `${document.apiVersion} ${document.kind} has a type`);
  return readProtobuf(schemas, type, document);
}

function encode(value: object): Buffer {
  const { apiVersion, kind } = value as { apiVersion: string; kind: string };
  return encodeProtobuf(schemas, protobufType(schemas, apiVersion, kind)!, value as Document);
}

/** In schema order and canonical, so that two ways to the same object can be compared. */
function canonical(value: object): unknown {
  const { apiVersion, kind } = value as { apiVersion: string; kind: string };
  const result = conform(schemas, protobufType(schemas, apiVersion, kind)!, value);
  assert.ok(result.isOk, JSON.stringify(result));
  assert.deepEqual(result.strictErrors, []);
  return result.value;
}

/** The bodies that kubectl 1.33 sends. */
const FROM_KUBECTL = {
  /** create deployment web --image=nginx:1 --port=80 */
  deployment:
    "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50Er0BCiIKA3dlYhIAGgNjYXAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEogBCAESDAoKCgNhcHASA3dl" +
    "YhpuChwKABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEk4SMAoFbmdpbngSB25naW54OjEqADIKCgAQABhQIgAqAEIAagByAIABAIgBAJABAKIB" +
    "ABoAMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAiAgoAKAA4ABoMCAAQABgAIAAoADgAGgAiAA==",
  /** create service nodeport np --tcp=80:http */
  service:
    "azhzAAoNCgJ2MRIHU2VydmljZRJrCiAKAm5wEgAaA2NhcCIAKgAyADgAQgBaCQoDYXBwEgJucBJDCh4KBzgwLWh0dHASA1RDUBhQIgoIARAAGgRo" +
    "dHRwKAASCQoDYXBwEgJucBoAIghOb2RlUG9ydDoAQgBSAFoAYABoABoCCgAaACIA",
  /** create token default --duration=10m */
  token:
    "azhzAAooChhhdXRoZW50aWNhdGlvbi5rOHMuaW8vdjESDFRva2VuUmVxdWVzdBIdChAKABIAGgAiACoAMgA4AEIAEgMg2AQaBAoAEgAaACIA",
} as const;

const captured = (name: keyof typeof FROM_KUBECTL) => Buffer.from(FROM_KUBECTL[name], "base64");

/** Objects with what protobuf has otherwise than JSON: embedded structs, lists in maps, times, free JSON, bytes. */
const RICH: readonly object[] = [
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "rich",
      creationTimestamp: "2026-01-02T03:04:05Z",
      deletionGracePeriodSeconds: 0,
      ownerReferences: [{ apiVersion: "v1", kind: "A", name: "b", uid: "c", controller: false }],
      managedFields: [
        { manager: "m", fieldsType: "FieldsV1", fieldsV1: { "f:spec": { ".": {} } } },
      ],
    },
    spec: {
      containers: [
        {
          name: "app",
          env: [
            { name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k", optional: false } } },
            {
              name: "B",
              valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "0" } },
            },
            { name: "C", valueFrom: { fileKeyRef: { volumeName: "v", path: "p", key: "k" } } },
          ],
          envFrom: [{ prefix: "P_", configMapRef: { name: "c", optional: true } }],
          resources: { limits: { cpu: "500m", memory: "1Gi" } },
          livenessProbe: { httpGet: { port: "http", path: "/" }, periodSeconds: 3 },
          readinessProbe: { exec: { command: ["a", ""] }, terminationGracePeriodSeconds: 0 },
          startupProbe: { grpc: { port: 1, service: "" } },
          lifecycle: { preStop: { tcpSocket: { port: 80 } } },
          restartPolicyRules: [
            { action: "Restart", exitCodes: { operator: "In", values: [0, 42] } },
          ],
          securityContext: { runAsUser: 0, runAsNonRoot: false, readOnlyRootFilesystem: true },
        },
      ],
      ephemeralContainers: [{ name: "e", image: "i", targetContainerName: "app", resources: {} }],
      volumes: [
        { name: "h", hostPath: { path: "/x", type: "" } },
        { name: "e", emptyDir: {} },
        {
          name: "p",
          projected: {
            defaultMode: 420,
            sources: [
              { serviceAccountToken: { path: "t", expirationSeconds: 3607 } },
              { configMap: { name: "c", items: [{ key: "a", path: "b", mode: 0 }] } },
            ],
          },
        },
      ],
      tolerations: [{ operator: "Exists", tolerationSeconds: -1 }],
      overhead: { cpu: "1" },
      priority: -1000,
    },
    status: { startTime: "1970-01-01T00:00:00Z", podIPs: [{ ip: "::1" }] },
  },
  {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: { user: "u", extra: { scopes: ["a", "b"], none: [] } },
    status: { allowed: false },
  },
  {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    revision: 3,
    data: { spec: [1, { a: null }] },
  },
  {
    apiVersion: "v1",
    kind: "PersistentVolume",
    spec: { capacity: { storage: "10Gi" }, nfs: { server: "s", path: "/" }, mountOptions: ["ro"] },
  },
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    spec: {
      rules: [
        {
          host: "a",
          http: {
            paths: [
              {
                pathType: "Prefix",
                backend: { service: { name: "s", port: { number: 80 } } },
              },
            ],
          },
        },
      ],
    },
  },
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    webhooks: [
      {
        name: "w",
        clientConfig: { caBundle: "AAAA", service: { namespace: "n", name: "s", port: 443 } },
        rules: [{ operations: ["*"], apiGroups: [""], resources: ["pods"], scope: "*" }],
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
      },
    ],
  },
];

describe("protobuf documents", () => {
  it("what kubectl sends is what it would send as JSON", () => {
    assert.deepEqual(decode(captured("deployment")), {
      kind: "Deployment",
      apiVersion: "apps/v1",
      metadata: { name: "web", namespace: "cap", labels: { app: "web" } },
      spec: {
        replicas: 1,
        selector: { matchLabels: { app: "web" } },
        template: {
          metadata: { labels: { app: "web" } },
          spec: {
            containers: [
              { name: "nginx", image: "nginx:1", ports: [{ containerPort: 80 }], resources: {} },
            ],
          },
        },
        strategy: {},
      },
      status: {},
    });
    assert.deepEqual(decode(captured("service"))["spec"], {
      ports: [{ name: "80-http", protocol: "TCP", port: 80, targetPort: "http" }],
      selector: { app: "np" },
      type: "NodePort",
    });
    assert.deepEqual(decode(captured("token"))["spec"], { expirationSeconds: 600 });
  });

  it("an object survives the way there and back", () => {
    const { pod, service, deployment, replicaSet, node, namespace, configMap, secret } = builders;
    const objects = [
      pod(),
      service(),
      deployment(),
      replicaSet(),
      node(),
      namespace(),
      configMap("c", { data: { "": "", __proto: "x" }, binaryData: { b: "AAH/" } }),
      secret("s", { data: { a: "Z2VoZWlt" }, immutable: false }),
      ...RICH,
    ];
    for (const object of objects)
      assert.deepEqual(
        canonical(decode(encode(object))),
        canonical(object),
        JSON.stringify(object),
      );
  });

  it("a zero is kept where it was meant: pointers and required fields", () => {
    const decoded = (spec: object) =>
      decode(encode({ apiVersion: "apps/v1", kind: "Deployment", spec }))["spec"];
    assert.deepEqual(decoded({ replicas: 0, minReadySeconds: 0, paused: false }), { replicas: 0 });
    const event = { apiVersion: "v1", kind: "Event", reason: "", metadata: {}, involvedObject: {} };
    assert.deepEqual(decode(encode(event)), without(event, "reason"));
  });

  it("times keep the precision of their kind", () => {
    const lease = (renewTime: string, acquireTime: string) => ({
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { creationTimestamp: "2026-01-02T03:04:05Z", deletionTimestamp: null },
      spec: { renewTime, acquireTime },
    });
    const value = lease("2026-01-02T03:04:05.000006Z", "1969-12-31T23:59:59.999999Z");
    assert.deepEqual(decode(encode(value)), {
      ...value,
      metadata: { creationTimestamp: "2026-01-02T03:04:05Z" },
    });
  });

  it("DeleteOptions are the same in every group", () => {
    for (const apiVersion of ["v1", "apps/v1", "rbac.authorization.k8s.io/v1"]) {
      const options = {
        apiVersion,
        kind: "DeleteOptions",
        gracePeriodSeconds: 0,
        preconditions: { uid: "u" },
        propagationPolicy: "Foreground",
        dryRun: ["All"],
      };
      assert.deepEqual(decode(encode(options)), options);
    }
  });

  it("unknown fields are skipped, parts of one message are joined, packed numbers are read", () => {
    const type = schemas.root("", "v1", "Pod")!;
    const read = (hex: string) =>
      readProtobuf(schemas, type, {
        apiVersion: "",
        kind: "",
        raw: Buffer.from(hex.replaceAll(" ", ""), "hex"),
      });
    // metadata.name, an unknown varint 99, metadata.namespace
    assert.deepEqual(read("0a 03 0a0161 9806 07 0a 03 1a0162"), {
      metadata: { name: "a", namespace: "b" },
    });
    // spec.securityContext.supplementalGroups: 1 and 300 packed, then 2
    assert.deepEqual(read("12 09 72 07 22 03 01ac02 20 02"), {
      spec: { securityContext: { supplementalGroups: [1, 300, 2] } },
    });
    assert.throws(() => read("08 01"), { message: "proto: wrong wireType = 0 for field Metadata" });
    // creationTimestamp far beyond the year 9999
    assert.throws(() => read("0a 09 42 07 08 ffffffffff7f"), ProtobufError);
  });

  it("the envelope is checked", () => {
    const table: [string, string][] = [
      ["", "empty data"],
      [
        "{}",
        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
      ],
      ["k8s\0", "empty body"],
      ["k8s\0\n", "unexpected EOF"],
    ];
    for (const [text, message] of table)
      assert.throws(() => openProtobuf(Buffer.from(text)), { name: "ProtobufError", message });
  });

  it("nesting is bounded", () => {
    const knot: TypeSchema = {
      name: "x.Knot",
      fields: { next: { type: "ref", ref: "x.Knot", number: 1 } },
    };
    const knots: SchemaSet = { type: () => knot, root: () => knot };
    let raw = Buffer.alloc(0);
    for (let depth = 0; depth < 1000; depth++) {
      const length = raw.length < 128 ? [raw.length] : [(raw.length & 127) | 128, raw.length >> 7];
      raw = Buffer.concat([Buffer.from([0x0a, ...length]), raw]);
    }
    assert.throws(() => readProtobuf(knots, knot, { apiVersion: "", kind: "", raw }), {
      message: "exceeded max depth",
    });
  });

  it("bytes cut short or changed give a value or an error of our own", () => {
    const random = new SeededRandom(7);
    const rich = encode(RICH[0]!);
    for (const whole of [captured("deployment"), captured("service"), captured("token"), rich]) {
      for (let length = 0; length < whole.length; length++) attempt(whole.subarray(0, length));
      for (let round = 0; round < 500; round++) {
        const changed = Buffer.from(whole);
        for (let count = 0; count < 3; count++)
          changed[random.integer(changed.length)] = random.integer(256);
        attempt(changed);
      }
    }
  });
});

function attempt(bytes: Buffer): void {
  try {
    const document = openProtobuf(bytes);
    const type = protobufType(schemas, document.apiVersion, document.kind);
    if (type) conform(schemas, type, readProtobuf(schemas, type, document));
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
  }
}

function without(value: Document, field: string): Document {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== field));
}
