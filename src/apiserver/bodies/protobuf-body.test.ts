import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeProtobuf, protobufType } from "../../api/machinery/protobuf.ts";
import { loadSchemas } from "../../api/machinery/schema-set.ts";
import { inServer, type TestServer } from "../../../test/support/api-server.ts";
import { configMap, deployment, node, pod } from "../../../test/support/builders.ts";

const schemas = loadSchemas();
const HEADERS = { "content-type": "application/vnd.kubernetes.protobuf" };
const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const PODS = "/api/v1/namespaces/default/pods";

function encode(value: object): Buffer {
  const { apiVersion, kind } = value as { apiVersion: string; kind: string };
  return encodeProtobuf(schemas, protobufType(schemas, apiVersion, kind)!, { ...value });
}

const send = (server: TestServer, method: string, path: string, body: object | Buffer) =>
  server.request(method, path, Buffer.isBuffer(body) ? body : encode(body), HEADERS);

describe("protobuf bodies", () => {
  it(
    "create and replace as their JSON would",
    inServer(async (server) => {
      const made = await send(server, "POST", CONFIG_MAPS, configMap("a", { data: { k: "1" } }));
      assert.equal(made.status, 201, made.text);
      assert.deepEqual(made.json.data, { k: "1" });
      const change = configMap("a", { data: { k: "2" } });
      const put = await send(server, "PUT", `${CONFIG_MAPS}/a`, change);
      assert.deepEqual(put.json.data, { k: "2" });
    }),
  );

  it(
    "are read by subresources and deletes",
    inServer(async (server) => {
      await server.request("POST", "/api/v1/nodes", node("n"));
      await server.request("POST", PODS, pod("p"));
      const binding = {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name: "p" },
        target: { kind: "Node", name: "n" },
      };
      const bound = await send(server, "POST", `${PODS}/p/binding`, binding);
      assert.equal(bound.status, 201, bound.text);
      const stale = {
        apiVersion: "v1",
        kind: "DeleteOptions",
        preconditions: { uid: "other" },
      };
      assert.equal((await send(server, "DELETE", `${PODS}/p`, stale)).status, 409);
      for (const version of ["v1beta1", "v1"]) {
        const eviction = {
          apiVersion: `policy/${version}`,
          kind: "Eviction",
          metadata: { name: "p" },
          ...(version === "v1beta1" && { deleteOptions: { dryRun: ["All"] } }),
        };
        const evicted = await send(server, "POST", `${PODS}/p/eviction`, eviction);
        assert.equal(evicted.status, 201, evicted.text);
      }

      const deployments = "/apis/apps/v1/namespaces/default/deployments";
      await server.request("POST", deployments, deployment("d"));
      const scale = {
        apiVersion: "autoscaling/v1",
        kind: "Scale",
        metadata: { name: "d", namespace: "default" },
        spec: { replicas: 7 },
      };
      const scaled = await send(server, "PUT", `${deployments}/d/scale`, scale);
      assert.equal(scaled.json.spec?.replicas, 7, scaled.text);
    }),
  );

  it(
    "what cannot be read is refused as upstream refuses it",
    inServer(async (server) => {
      const whole = encode(configMap("a"));
      const unknown = "the object provided is unrecognized (must be of type ConfigMap): ";
      const table: [Buffer, string][] = [
        [Buffer.alloc(0), `${unknown}empty data (<empty>)`],
        [
          Buffer.from('{"kind":"ConfigMap"}'),
          `${unknown}provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] ({"kind":"ConfigMap"})`,
        ],
        [whole.subarray(0, 6), `${unknown}unexpected EOF (6b3873000a0f)`],
        [encode({ ...pod("p") }), 'Pod in version "v1" cannot be handled as a ConfigMap'],
        [
          encodeProtobuf(schemas, schemas.root("", "v1", "Pod")!, { apiVersion: "v1", kind: "No" }),
          'No in version "v1" cannot be handled as a ConfigMap: no kind "No" is registered for version "v1"',
        ],
        [
          Buffer.concat([
            whole.subarray(0, whole.indexOf(0x12, 20)),
            Buffer.from("1202080a2200", "hex"),
          ]),
          'ConfigMap in version "v1" cannot be handled as a ConfigMap: proto: wrong wireType = 0 for field Metadata',
        ],
      ];
      for (const [body, message] of table) {
        const answer = await send(server, "POST", CONFIG_MAPS, body);
        assert.equal(answer.status, 400, answer.text);
        assert.equal(answer.json.message, message);
      }
      const { status, json } = await server.request("POST", CONFIG_MAPS, "x", {
        "content-type": "text/plain",
      });
      assert.equal(status, 415);
      assert.equal(
        json.message,
        "the body of the request was in an unknown format - accepted media types include: " +
          "application/json, application/yaml, application/vnd.kubernetes.protobuf",
      );
    }),
  );
});
