import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ProtobufError } from "../../base/protobuf.ts";
import { SeededRandom } from "../../base/seeded-random.ts";
import * as builders from "../../../test/support/builders.ts";
import { conform } from "./conform.ts";
import { encodeProtobuf, openProtobuf, protobufType, readProtobuf } from "./protobuf.ts";
import { loadSchemas } from "./schema-set.ts";
import type { FieldSchema } from "./schema.ts";

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
});
