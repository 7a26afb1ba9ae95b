import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inServer, requestOf, type Body, type TestServer } from "../../test/support/api-server.ts";
import { encodeProtobuf } from "../api/machinery/protobuf.ts";

const deployments = (version: string): string => `/apis/${version}/namespaces/default/deployments`;
const template = {
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "c", image: "nginx:1.14" }] },
};
const made = async ({ request }: TestServer, version: string, spec: object = {}): Promise<Body> => {
  const body = { metadata: { name: "web" }, spec: { template, ...spec } };
  const { status, json, text } = await request("POST", deployments(version), body);
  assert.equal(status, 201, text);
  return json;
};

describe("older apiVersions", () => {
  it(
    "of one Deployment show one object; what comes in is stored as apps/v1",
    inServer(async (server) => {
      const { request } = server;
      const first = await made(server, "extensions/v1beta1");
      assert.equal(first.apiVersion, "extensions/v1beta1");
      const { json: current } = await request("GET", `${deployments("apps/v1")}/web`);
      assert.equal(current.apiVersion, "apps/v1");
      assert.deepEqual(current.spec.selector, { matchLabels: { app: "web" } });
      assert.deepEqual(current.metadata.labels, { app: "web" });
      assert.deepEqual(current.spec.strategy.rollingUpdate, { maxUnavailable: 1, maxSurge: 1 });
      assert.equal(current.spec.progressDeadlineSeconds, 2147483647);
      const containers = [{ name: "c", image: "nginx:1.15" }];
      const patched = await request(
        "PATCH",
        `${deployments("apps/v1beta1")}/web`,
        { spec: { template: { spec: { containers } } } },
        { "content-type": "application/strategic-merge-patch+json" },
      );
      assert.equal(patched.status, 200, patched.text);
      assert.equal(patched.json.apiVersion, "apps/v1beta1");
      assert.equal(patched.json.spec.template.spec.containers[0].image, "nginx:1.15");
      assert.equal(patched.json.metadata.uid, first.metadata.uid);
      const put = { ...current, metadata: { name: "web" }, spec: { ...current.spec, replicas: 3 } };
      const updated = await request("PUT", `${deployments("apps/v1")}/web`, put);
      assert.equal(updated.status, 200, updated.text);
      const { json: last } = await request("GET", `${deployments("apps/v1beta2")}/web`);
      assert.deepEqual([last.apiVersion, last.spec.replicas], ["apps/v1beta2", 3]);
    }),
  );

  it(
    "may leave the selector out where they could, and not later",
    inServer(async ({ request }) => {
      const post = (version: string) =>
        request("POST", deployments(version), {
          metadata: { name: version.replace("/", "-") },
          spec: { template },
        });
      assert.equal((await post("apps/v1beta1")).status, 201);
      for (const version of ["apps/v1", "apps/v1beta2"]) {
        const { status, json } = await post(version);
        assert.equal(status, 422);
        assert.match(json.message, /^Deployment\.apps "apps-v1\w*" is invalid: .*spec\.selector/);
      }
    }),
  );

  it(
    "warn as upstream did, and are not found under the names of today",
    inServer(async (server) => {
      const { request } = server;
      const warning =
        '299 - "extensions/v1beta1 Deployment is deprecated in v1.8+, unavailable in v1.16+; use apps/v1 Deployment"';
      await made(server, "extensions/v1beta1");
      for (const path of ["", "/web", "?watch=true"]) {
        const { headers } = await server.server.pipeline.handle(
          requestOf("GET", deployments("extensions/v1beta1") + path, undefined),
        );
        assert.deepEqual(headers["warning"], [warning], path);
      }
      const { headers } = await request("GET", "/api/v1/namespaces/default/endpoints");
      assert.deepEqual(headers["warning"], [
        '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"',
      ]);
      assert.equal((await request("GET", deployments("apps/v1"))).headers["warning"], undefined);
      const missing = await request("GET", `${deployments("extensions/v1beta1")}/none`);
      assert.equal(missing.json.message, 'deployments.apps "none" not found');
      const unnamed = await request("POST", deployments("extensions/v1beta1"), {
        kind: "Deployment",
        apiVersion: "extensions/v1beta1",
      });
      assert.equal(unnamed.status, 422);
      for (const refused of [missing, unnamed])
        assert.deepEqual(refused.headers["warning"], [warning], "a refusal warns, too");
    }),
  );

  it(
    "are listed, watched and shown as tables in the version that was asked for",
    inServer(async (server) => {
      const { request } = server;
      await made(server, "apps/v1", { selector: { matchLabels: { app: "web" } } });
      const path = deployments("extensions/v1beta1");
      const { json: list } = await request("GET", path);
      assert.equal(list.apiVersion, "extensions/v1beta1");
      assert.equal(list.items[0].metadata.name, "web");
      const [old, current] = [
        await server.watch(`${path}?watch=true`),
        await server.watch(`${deployments("apps/v1")}?watch=true`),
      ];
      for (const [watch, version] of [
        [old, "extensions/v1beta1"],
        [current, "apps/v1"],
      ] as const) {
        const [added] = await watch.next(1);
        assert.deepEqual([added.type, added.object.apiVersion], ["ADDED", version]);
      }
      await request("DELETE", `${path}/web`, { propagationPolicy: "Background" });
      const [deleted] = await old.next(1);
      assert.deepEqual(
        [deleted.type, deleted.object.apiVersion],
        ["DELETED", "extensions/v1beta1"],
      );
      await made(server, "extensions/v1beta1");
      const accept = "application/json;as=Table;g=meta.k8s.io;v=v1";
      const table = await request("GET", `${path}?includeObject=Object`, undefined, { accept });
      assert.equal(table.json.rows[0].cells[0], "web");
      assert.equal(table.json.rows[0].object.apiVersion, "extensions/v1beta1");
    }),
  );

  it(
    "ask for a rollback by the field that apps/v1 has as an annotation",
    inServer(async (server) => {
      const json = await made(server, "apps/v1beta1", { rollbackTo: { revision: 2 } });
      assert.deepEqual(json.spec.rollbackTo, { revision: 2 });
      assert.equal(json.metadata.annotations, undefined);
      const { json: hub } = await server.request("GET", `${deployments("apps/v1")}/web`);
      assert.deepEqual(hub.metadata.annotations, { "deprecated.deployment.rollback.to": "2" });
      assert.equal(hub.spec.rollbackTo, undefined);
    }),
  );

  it(
    "name the subjects of a binding by apiVersion in rbac v1alpha1",
    inServer(async ({ request }) => {
      const group = "rbac.authorization.k8s.io";
      const path = (version: string) => `/apis/${group}/${version}/clusterrolebindings`;
      const { status, text, json } = await request("POST", path("v1alpha1"), {
        metadata: { name: "all" },
        roleRef: { kind: "ClusterRole", name: "view" },
        subjects: [
          { kind: "User", name: "*" },
          { kind: "ServiceAccount", name: "robot", namespace: "default" },
        ],
      });
      assert.equal(status, 201, text);
      assert.equal(json.subjects[1].apiVersion, "v1");
      const { json: hub } = await request("GET", `${path("v1")}/all`);
      assert.deepEqual(hub.subjects, [
        { kind: "Group", apiGroup: group, name: "system:authenticated" },
        { kind: "ServiceAccount", name: "robot", namespace: "default" },
      ]);
    }),
  );

  it(
    "have an endpoint's zone and node among its topology in discovery v1beta1",
    inServer(async ({ request }) => {
      const path = (version: string) =>
        `/apis/discovery.k8s.io/${version}/namespaces/default/endpointslices`;
      const topology = {
        "topology.kubernetes.io/zone": "z",
        "kubernetes.io/hostname": "n",
        x: "y",
      };
      const { status, text } = await request("POST", path("v1beta1"), {
        metadata: { name: "s" },
        addressType: "IPv4",
        endpoints: [{ addresses: ["10.0.0.1"], topology, nodeName: "n" }],
      });
      assert.equal(status, 201, text);
      const { json: hub } = await request("GET", `${path("v1")}/s`);
      const { zone, nodeName, deprecatedTopology } = hub.endpoints[0];
      assert.deepEqual(
        { zone, nodeName, deprecatedTopology },
        {
          zone: "z",
          nodeName: "n",
          deprecatedTopology: { x: "y" },
        },
      );
      const { json: beta } = await request("GET", `${path("v1beta1")}/s`);
      assert.deepEqual(beta.endpoints[0].topology, topology);
    }),
  );

  it(
    "are discovered behind the present ones, with their subresources",
    inServer(async ({ request }) => {
      const { json: groups } = await request("GET", "/apis");
      const versions = (name: string) =>
        groups.groups
          .find((group: Body) => group.name === name)
          .versions.map(({ version }: Body) => version);
      assert.deepEqual(versions("apps"), ["v1", "v1beta2", "v1beta1"]);
      assert.equal(groups.groups.at(-1).name, "extensions");
      const { json: list } = await request("GET", "/apis/extensions/v1beta1");
      assert.deepEqual(
        list.resources.map(({ name }: Body) => name),
        [
          "daemonsets",
          "daemonsets/status",
          "deployments",
          "deployments/scale",
          "deployments/status",
          "replicasets",
          "replicasets/scale",
          "replicasets/status",
        ],
      );
      for (const { shortNames, categories } of list.resources)
        assert.deepEqual([shortNames, categories], [undefined, undefined]);
    }),
  );

  it(
    "may be sent as protobuf: their messages are those of the present type",
    inServer(async ({ request, server }) => {
      const { schemas } = server.parts;
      const schema = schemas.root("extensions", "v1beta1", "Deployment")!;
      const body = {
        apiVersion: "extensions/v1beta1",
        kind: "Deployment",
        metadata: { name: "web" },
        spec: { template, rollbackTo: { revision: 1 } },
      };
      const { status, text, json } = await request(
        "POST",
        deployments("extensions/v1beta1"),
        encodeProtobuf(schemas, schema, body),
        { "content-type": "application/vnd.kubernetes.protobuf" },
      );
      assert.equal(status, 201, text);
      assert.deepEqual(json.spec.rollbackTo, { revision: 1 });
      assert.deepEqual(json.spec.selector, { matchLabels: { app: "web" } });
    }),
  );
});
