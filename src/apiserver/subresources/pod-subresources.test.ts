import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inServer, type Body, type TestServer } from "../../../test/support/api-server.ts";

const IN = "/api/v1/namespaces/default";
const STRATEGIC = { "content-type": "application/strategic-merge-patch+json" };
const makePod = async ({ request }: TestServer): Promise<Body> => {
  const resources = { requests: { cpu: "1" } };
  const spec = { containers: [{ name: "c", image: "i", resources }] };
  const { status, json, text } = await request("POST", `${IN}/pods`, {
    metadata: { name: "p" },
    spec,
  });
  assert.equal(status, 201, text);
  return json;
};

describe("bindings", () => {
  it(
    "gives the Pod that its body names a node, once",
    inServer(async (server) => {
      await makePod(server);
      const body = { metadata: { name: "p" }, target: { kind: "Node", name: "n" } };
      const { status, json, text } = await server.request("POST", `${IN}/bindings`, body);
      assert.equal(status, 201, text);
      assert.equal(json.status, "Success");
      assert.equal((await server.request("GET", `${IN}/pods/p`)).json.spec.nodeName, "n");
      const again = await server.request("POST", `${IN}/bindings`, body);
      assert.equal(again.status, 409);
      assert.match(again.json.message, /already assigned to node "n"/);
      const unnamed = await server.request("POST", `${IN}/bindings`, { target: { name: "n" } });
      assert.equal(unnamed.status, 422);
    }),
  );
});

describe("pods/eviction", () => {
  const evict = (server: TestServer, deleteOptions: object = {}) =>
    server.request("POST", `${IN}/pods/p/eviction`, { metadata: { name: "p" }, deleteOptions });
  const bind = (server: TestServer) =>
    server.request("POST", `${IN}/pods/p/binding`, { target: { kind: "Node", name: "n" } });
  const read = async (server: TestServer): Promise<Body> =>
    (await server.request("GET", `${IN}/pods/p`)).json;

  it(
    "says on the Pod why it ends, and ends it",
    inServer(async (server) => {
      await makePod(server);
      await bind(server);
      const { status, text } = await evict(server);
      assert.equal(status, 201, text);
      const pod = await read(server);
      assert.ok(pod.metadata.deletionTimestamp);
      const [scheduled, target] = pod.status.conditions;
      assert.deepEqual([scheduled.type, scheduled.observedGeneration], ["PodScheduled", 1]);
      const { lastTransitionTime: _, ...why } = target;
      assert.deepEqual(why, {
        type: "DisruptionTarget",
        status: "True",
        reason: "EvictionByEvictionAPI",
        message: "Eviction API: evicting",
        observedGeneration: 1,
      });
    }),
  );

  it(
    "heeds preconditions and dry runs",
    inServer(async (server) => {
      const { metadata } = await makePod(server);
      await bind(server);
      const stale = { preconditions: { resourceVersion: metadata.resourceVersion } };
      assert.equal((await evict(server, stale)).status, 409);
      assert.equal((await evict(server, { dryRun: ["All"] })).status, 201);
      const { metadata: now, status } = await read(server);
      assert.equal(now.deletionTimestamp, undefined);
      assert.equal(status.conditions.length, 1);
      const exact = { preconditions: { resourceVersion: now.resourceVersion } };
      assert.equal((await evict(server, exact)).status, 201);
      assert.ok((await read(server)).metadata.deletionTimestamp);
    }),
  );
});

describe("pods/binding", () => {
  const bind = ({ request }: TestServer, metadata: object, query = "") =>
    request("POST", `${IN}/pods/p/binding${query}`, { metadata, target: { name: "n" } });

  it(
    "brings labels and annotations, which must be such, and changes nothing else",
    inServer(async (server) => {
      const made = await makePod(server);
      const wrong = await bind(server, { labels: { "a b": "c" } });
      assert.equal(wrong.status, 422, wrong.text);
      const { status } = await bind(server, { labels: { zone: "z" }, annotations: { a: "b" } });
      assert.equal(status, 201);
      const { json } = await server.request("GET", `${IN}/pods/p`);
      assert.equal(json.metadata.labels.zone, "z");
      assert.equal(json.metadata.annotations.a, "b");
      assert.equal(json.metadata.generation, made.metadata.generation);
      assert.deepEqual(json.metadata.managedFields, made.metadata.managedFields);
      const { nodeName, ...spec } = json.spec;
      assert.equal(nodeName, "n");
      assert.deepEqual(spec, made.spec);
    }),
  );

  it(
    "is refused for another Pod of that name, for a Pod that ends, and written only when it is meant",
    inServer(async (server) => {
      await makePod(server);
      const other = await bind(server, { uid: "other" });
      assert.equal(other.status, 409);
      assert.match(other.json.message, /UID in precondition: other, UID in object meta/);
      assert.equal((await bind(server, {}, "?dryRun=All")).status, 201);
      assert.equal((await server.request("GET", `${IN}/pods/p`)).json.spec.nodeName, undefined);
      const finalizers = ["example.com/held"];
      const held = { metadata: { finalizers } };
      await server.request("PATCH", `${IN}/pods/p`, held, STRATEGIC);
      await server.request("DELETE", `${IN}/pods/p`);
      const late = await bind(server, {});
      assert.equal(late.status, 409);
      assert.match(late.json.message, /is being deleted, cannot be assigned to a host/);
      assert.equal(
        (await server.request("POST", `${IN}/pods/q/binding`, { target: { name: "n" } })).status,
        404,
      );
    }),
  );

  it(
    "of many at once exactly one succeeds",
    inServer(async (server) => {
      await makePod(server);
      const answers = await Promise.all(Array.from({ length: 5 }, () => bind(server, {})));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409, 409]);
    }),
  );
});

describe("pods/resize", () => {
  it(
    "changes what containers get, by patch and update, and nothing else",
    inServer(async (server) => {
      await makePod(server);
      const patch = (cpu: string, more: object = {}) =>
        server.request(
          "PATCH",
          `${IN}/pods/p/resize`,
          { spec: { containers: [{ name: "c", resources: { requests: { cpu } } }], ...more } },
          STRATEGIC,
        );
      const { status, json, text } = await patch("2", { activeDeadlineSeconds: 5 });
      assert.equal(status, 200, text);
      assert.deepEqual(json.spec.containers[0].resources, { requests: { cpu: "2" } });
      assert.equal(json.spec.activeDeadlineSeconds, undefined);
      assert.equal(json.metadata.generation, 2);
      json.spec.containers[0].resources = {};
      const removed = await server.request("PUT", `${IN}/pods/p/resize`, json);
      assert.equal(removed.status, 422);
      assert.match(removed.json.message, /Pod QOS Class may not change as a result of resizing/);
      assert.match(removed.json.message, /resource requests cannot be removed/);
      const direct = await server.request(
        "PATCH",
        `${IN}/pods/p`,
        { spec: { containers: [{ name: "c", resources: { requests: { cpu: "3" } } }] } },
        STRATEGIC,
      );
      assert.equal(direct.status, 422);
    }),
  );
});

describe("pods/ephemeralcontainers", () => {
  it(
    "adds a container for debugging, under the rules of the kind",
    inServer(async (server) => {
      await makePod(server);
      const patch = (container: object) =>
        server.request(
          "PATCH",
          `${IN}/pods/p/ephemeralcontainers`,
          { spec: { ephemeralContainers: [container] } },
          STRATEGIC,
        );
      const { status, json, text } = await patch({ name: "d", image: "i" });
      assert.equal(status, 200, text);
      assert.equal(json.spec.ephemeralContainers[0].name, "d");
      const port = await patch({ name: "e", image: "i", ports: [{ containerPort: 1 }] });
      assert.equal(port.status, 422);
      assert.match(port.json.message, /cannot be set for an Ephemeral Container/);
      const changed = await patch({ name: "d", image: "other" });
      assert.match(changed.json.message, /existing ephemeral containers "d" may not be changed/);
    }),
  );
});
