import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inServer } from "../../../test/support/api-server.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const map = (name: string, data: object = {}): object => ({ metadata: { name }, data });

describe("create", () => {
  it(
    "answers 201 with what the system decided",
    inServer(async ({ request }) => {
      const { status, json } = await request("POST", MAPS, map("a", { k: "v" }));
      assert.equal(status, 201);
      const { uid, resourceVersion, ...metadata } = json.metadata;
      assert.match(uid, /^[0-9a-f-]{36}$/);
      assert.match(resourceVersion, /^\d+$/);
      assert.deepEqual(
        { ...json, metadata },
        {
          kind: "ConfigMap",
          apiVersion: "v1",
          metadata: {
            name: "a",
            namespace: "default",
            creationTimestamp: "2026-01-01T00:00:00Z",
            managedFields: [
              {
                operation: "Update",
                apiVersion: "v1",
                time: "2026-01-01T00:00:00Z",
                fieldsType: "FieldsV1",
                fieldsV1: { "f:data": { ".": {}, "f:k": {} } },
              },
            ],
          },
          data: { k: "v" },
        },
      );
      assert.deepEqual((await request("GET", `${MAPS}/a`)).json, json);
    }),
  );

  it(
    "refuses a name that is taken",
    inServer(async ({ request }) => {
      await request("POST", MAPS, map("a"));
      const { status, json } = await request("POST", MAPS, map("a"));
      assert.equal(status, 409);
      assert.equal(json.reason, "AlreadyExists");
      assert.equal(json.message, 'configmaps "a" already exists');
    }),
  );

  it(
    "says so when the object of that name is going",
    inServer(async ({ request }) => {
      await request("POST", MAPS, { metadata: { name: "a", finalizers: ["x.io/f"] } });
      await request("DELETE", `${MAPS}/a`);
      const { json } = await request("POST", MAPS, map("a"));
      assert.equal(json.message, 'object is being deleted: configmaps "a" already exists');
    }),
  );

  it(
    "generates a name",
    inServer(async ({ request }) => {
      const { json } = await request("POST", MAPS, { metadata: { generateName: "g-" } });
      assert.match(json.metadata.name, /^g-[b-z2-9]{5}$/);
      assert.equal(json.metadata.generateName, "g-");
    }),
  );

  it(
    "writes nothing in a dry run",
    inServer(async ({ request }) => {
      const { status, json } = await request("POST", `${MAPS}?dryRun=All`, map("a"));
      assert.equal(status, 201);
      assert.equal(json.metadata.resourceVersion, undefined);
      assert.equal((await request("GET", `${MAPS}/a`)).status, 404);
    }),
  );

  const REFUSALS: readonly [string, string, unknown, number, RegExp][] = [
    ["a bad name", MAPS, map("A_b"), 422, /^ConfigMap "A_b" is invalid: metadata\.name: Invalid/],
    ["no name", MAPS, { metadata: {} }, 422, /name or generateName is required/],
    [
      "another namespace",
      MAPS,
      { metadata: { name: "a", namespace: "b" } },
      400,
      /the namespace of the provided/,
    ],
    [
      "a resourceVersion",
      MAPS,
      { metadata: { name: "a", resourceVersion: "1" } },
      400,
      /should not be set/,
    ],
    ["broken JSON", MAPS, "{", 400, /json parse error/],
    [
      "another kind",
      MAPS,
      { kind: "Secret", metadata: { name: "a" } },
      400,
      /cannot be handled as a ConfigMap/,
    ],
    [
      "a wrong type",
      MAPS,
      { metadata: { name: "a" }, data: { k: 1 } },
      400,
      /cannot be handled as a ConfigMap/,
    ],
    ["an odd dryRun", `${MAPS}?dryRun=Maybe`, map("a"), 422, /dryRun: Unsupported value/],
    [
      "an unknown field",
      `${MAPS}?fieldValidation=Strict`,
      { ...map("a"), dta: {} },
      400,
      /strict decoding error: unknown field "dta"/,
    ],
    [
      "a field given twice",
      `${MAPS}?fieldValidation=Strict`,
      '{"metadata":{"name":"a"},"data":{},"data":{}}',
      400,
      /duplicate field "data"/,
    ],
    [
      "an unknown resource",
      "/api/v1/namespaces/default/things",
      map("a"),
      404,
      /could not find the requested resource/,
    ],
  ];
  for (const [what, path, body, status, message] of REFUSALS)
    it(
      `refuses ${what}`,
      inServer(async ({ request }) => {
        const answer = await request("POST", path, body);
        assert.equal(answer.status, status, answer.text);
        assert.match(answer.json.message, message);
        assert.equal(answer.json.kind, "Status");
      }),
    );

  it(
    "warns of unknown fields unless told otherwise",
    inServer(async ({ request }) => {
      const body = { ...map("a"), dta: {} };
      const { headers } = await request("POST", MAPS, body);
      assert.deepEqual(headers["warning"], ['299 - "unknown field \\"dta\\""']);
    }),
  );

  it(
    "reads YAML and answers in YAML",
    inServer(async ({ request }) => {
      const yaml = "metadata:\n  name: web\ndata:\n  k: v\n";
      const { text } = await request("POST", MAPS, yaml, {
        "content-type": "application/yaml",
        accept: "application/yaml",
      });
      assert.match(text, /^kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: web\n/);
    }),
  );
});
