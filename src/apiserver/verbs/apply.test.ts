import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inServer, startTestServer, type Answer } from "../../../test/support/api-server.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const APPLY = { "content-type": "application/apply-patch+yaml" };
const map = (data: object, metadata: object = {}): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", ...metadata },
  data,
});
const deployment = (spec: object): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "d" },
  spec: {
    selector: { matchLabels: { app: "x" } },
    template: {
      metadata: { labels: { app: "x" } },
      spec: { containers: [{ name: "c", image: "i" }] },
    },
    ...spec,
  },
});

type Ask = (
  method: string,
  target: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;
const apply = (request: Ask, body: unknown, query = "fieldManager=me"): Promise<Answer> =>
  request("PATCH", `${MAPS}/a?${query}`, body, APPLY);

describe("apply", () => {
  it(
    "creates with 201, then changes with 200, then writes nothing",
    inServer(async ({ request, store, clock }) => {
      const created = await apply(request, map({ k: "1" }));
      assert.equal(created.status, 201);
      assert.deepEqual(created.json.metadata.managedFields, [
        {
          manager: "me",
          operation: "Apply",
          apiVersion: "v1",
          time: "2026-01-01T00:00:00Z",
          fieldsType: "FieldsV1",
          fieldsV1: { "f:data": { "f:k": {} } },
        },
      ]);
      const changed = await apply(
        request,
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: '2'\n",
      );
      assert.equal(changed.status, 200);
      assert.deepEqual(changed.json.data, { k: "2" });
      const revision = store.revision();
      await clock.advance(60_000);
      const again = await apply(request, map({ k: "2" }));
      assert.equal(again.text, changed.text);
      assert.equal(store.revision(), revision);
    }),
  );

  it(
    "refuses what others own with one cause per field, and takes it by force",
    inServer(async ({ request }) => {
      await request(
        "POST",
        `${DEPLOYMENTS}?fieldManager=kubectl-create`,
        deployment({ replicas: 2 }),
      );
      const config = deployment({
        replicas: 3,
        template: {
          metadata: { labels: { app: "x" } },
          spec: { containers: [{ name: "c", image: "j" }] },
        },
      });
      const refused = await request("PATCH", `${DEPLOYMENTS}/d?fieldManager=me`, config, APPLY);
      const cause = (field: string): object => ({
        reason: "FieldManagerConflict",
        message: 'conflict with "kubectl-create" using apps/v1',
        field,
      });
      const image = '.spec.template.spec.containers[name="c"].image';
      assert.deepEqual(refused.json, {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message:
          'Apply failed with 2 conflicts: conflicts with "kubectl-create" using apps/v1:\n' +
          `- .spec.replicas\n- ${image}`,
        reason: "Conflict",
        details: { causes: [cause(".spec.replicas"), cause(image)] },
        code: 409,
      });
      const forced = await request(
        "PATCH",
        `${DEPLOYMENTS}/d?fieldManager=me&force=true`,
        config,
        APPLY,
      );
      assert.equal(forced.json.spec.replicas, 3);
      const updater = forced.json.metadata.managedFields.find(
        (e: { manager: string }) => e.manager !== "me",
      );
      assert.equal(updater.fieldsV1["f:spec"]["f:replicas"], undefined);
    }),
  );

  it(
    "a dry run changes nothing",
    inServer(async ({ request }) => {
      const { status, json } = await apply(request, map({ k: "1" }), "fieldManager=me&dryRun=All");
      assert.equal(status, 201);
      assert.equal(json.data.k, "1");
      assert.equal((await request("GET", `${MAPS}/a`)).status, 404);
    }),
  );

  it(
    "holds uid and resourceVersion of the configuration against the object",
    inServer(async ({ request }) => {
      const missing = await apply(request, map({}, { uid: "u" }));
      assert.equal(missing.status, 409);
      assert.match(
        missing.json.message,
        /uid mismatch: the provided object specified uid u, and no/,
      );
      await apply(request, map({ k: "1" }));
      const { json } = await request("GET", `${MAPS}/a`);
      const { resourceVersion } = json.metadata;
      const stale = await apply(request, map({ k: "2" }, { resourceVersion: "1" }));
      assert.equal(stale.status, 409);
      assert.match(stale.json.message, /the object has been modified/);
      assert.equal((await apply(request, map({ k: "2" }, { resourceVersion }))).status, 200);
      const other = await apply(request, map({ k: "2" }, { uid: "u" }));
      assert.equal(other.status, 422);
      assert.match(other.json.message, /metadata.uid: Invalid value: "u": field is immutable/);
    }),
  );

  it(
    "of many that apply at once to what is not there, each has its field",
    inServer(async ({ request }) => {
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          apply(request, map({ [`k${i}`]: "v" }), `fieldManager=m${i}`),
        ),
      );
      assert.equal(answers.filter(({ status }) => status === 201).length, 1);
      const { json } = await request("GET", `${MAPS}/a`);
      assert.equal(Object.keys(json.data).length, 12);
      assert.equal(json.metadata.managedFields.length, 12);
    }),
  );

  const REFUSALS: readonly [string, unknown, string, number, RegExp][] = [
    ["no manager", map({}), "", 422, /fieldManager: Required value: is required for apply patch/],
    [
      "another kind",
      { apiVersion: "v1", kind: "Pod" },
      "fieldManager=m",
      400,
      /^invalid object type: \/v1, Kind=Pod$/,
    ],
    [
      "no type",
      { metadata: { name: "a" } },
      "fieldManager=m",
      400,
      /^invalid object type: \/, Kind=$/,
    ],
    [
      "no name",
      { apiVersion: "v1", kind: "ConfigMap" },
      "fieldManager=m",
      400,
      /name must be provided/,
    ],
    [
      "another name",
      map({}, { name: "b" }),
      "fieldManager=m",
      400,
      /\(b\) does not match the name on the URL \(a\)/,
    ],
    [
      "managers",
      map({}, { managedFields: [] }),
      "fieldManager=m",
      400,
      /^metadata.managedFields must be nil$/,
    ],
    [
      "an unknown field",
      { ...map({}), q: 1 },
      "fieldManager=m",
      400,
      /\.q: field not declared in schema$/,
    ],
    ["no YAML", "a: [b", "fieldManager=m", 400, /^error decoding YAML: /],
    ["a list", "[]", "fieldManager=m", 400, /^error decoding YAML: expected an object$/],
    ["metadata that is a text", "metadata: x", "fieldManager=m", 400, /metadata must be an object/],
    [
      "a repeated field, strictly",
      "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: a}\ndata: {k: b}",
      "fieldManager=m&fieldValidation=Strict",
      400,
      /^error strict decoding YAML: duplicate field "data"$/,
    ],
  ];
  for (const [what, body, query, status, message] of REFUSALS)
    it(
      `refuses ${what}`,
      inServer(async ({ request }) => {
        const answer = await apply(request, body, query);
        assert.equal(answer.status, status);
        assert.match(answer.json.message, message);
      }),
    );

  it(
    "is not spoken in CBOR",
    inServer(async ({ request }) => {
      const headers = { "content-type": "application/apply-patch+cbor" };
      const { status, json } = await request("PATCH", `${MAPS}/a?fieldManager=m`, "x", headers);
      assert.equal(status, 415);
      assert.match(json.message, /strategic-merge-patch\+json, application\/apply-patch\+yaml$/);
    }),
  );

  it("creates only for those who may create", async () => {
    const authorize = (
      _: unknown,
      { verb }: { verb: string },
    ): { isAllowed: boolean; reason: string } => ({
      isAllowed: verb !== "create",
      reason: "",
    });
    const server = await startTestServer({ authorizers: () => [{ authorize }] });
    const { status } = await apply(server.request, map({}));
    await server.close();
    assert.equal(status, 403);
  });

  it(
    "serves the client of this process",
    inServer(async ({ client, request }) => {
      const kind = {
        group: "",
        version: "v1",
        kind: "ConfigMap",
        plural: "configmaps",
        isNamespaced: true,
      };
      const key = { namespace: "default", name: "a" };
      await client.patch(
        kind,
        key,
        { type: "apply", body: map({ k: "1" }) },
        { fieldManager: "own" },
      );
      const { json } = await request("GET", `${MAPS}/a`);
      assert.equal(json.metadata.managedFields[0].manager, "own");
    }),
  );
});

describe("apply to subresources", () => {
  const condition = { type: "A", status: "True", lastTransitionTime: "2020-01-01T00:00:00Z" };
  const status = (conditions: object[]): object => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "d" },
    status: { conditions },
  });

  it(
    "status: owned under its subresource; not created",
    inServer(async ({ request }) => {
      const path = `${DEPLOYMENTS}/d/status?fieldManager=me`;
      assert.equal((await request("PATCH", path, status([condition]), APPLY)).status, 404);
      await request("POST", DEPLOYMENTS, deployment({}));
      const { json } = await request("PATCH", path, status([condition]), APPLY);
      assert.equal(json.status.conditions[0].type, "A");
      const entry = json.metadata.managedFields.find(
        (e: { manager: string }) => e.manager === "me",
      );
      assert.equal(entry.subresource, "status");
      assert.deepEqual(Object.keys(entry.fieldsV1), ["f:status"]);
      const gone = await request("PATCH", path, status([]), APPLY);
      assert.equal(gone.json.status?.conditions, undefined);
    }),
  );

  it(
    "status in a configuration of the object itself is nobody's and changes nothing",
    inServer(async ({ request }) => {
      const config = { ...deployment({}), ...status([condition]) };
      const { json } = await request("PATCH", `${DEPLOYMENTS}/d?fieldManager=me`, config, APPLY);
      assert.equal(json.status.conditions, undefined);
      assert.equal(json.metadata.managedFields[0].fieldsV1["f:status"], undefined);
    }),
  );

  it(
    "scale: conflicts about the replica count, and takes it by force",
    inServer(async ({ request }) => {
      await request(
        "PATCH",
        `${DEPLOYMENTS}/d?fieldManager=me`,
        deployment({ replicas: 2 }),
        APPLY,
      );
      const scale = (replicas: number): object => ({
        apiVersion: "autoscaling/v1",
        kind: "Scale",
        metadata: { name: "d" },
        spec: { replicas },
      });
      const path = `${DEPLOYMENTS}/d/scale?fieldManager=hpa`;
      const refused = await request("PATCH", path, scale(5), APPLY);
      assert.equal(refused.status, 409);
      assert.equal(
        refused.json.message,
        'Apply failed with 1 conflict: conflict with "me": .spec.replicas',
      );
      assert.equal((await request("PATCH", `${path}&force=true`, scale(5), APPLY)).status, 200);
      const { json } = await request("GET", `${DEPLOYMENTS}/d`);
      assert.equal(json.spec.replicas, 5);
      const [hpa, me] = json.metadata.managedFields;
      assert.deepEqual(
        { ...hpa, time: "" },
        {
          manager: "hpa",
          operation: "Apply",
          apiVersion: "apps/v1",
          time: "",
          fieldsType: "FieldsV1",
          fieldsV1: { "f:spec": { "f:replicas": {} } },
          subresource: "scale",
        },
      );
      assert.equal(me.fieldsV1["f:spec"]["f:replicas"], undefined);
    }),
  );
});
