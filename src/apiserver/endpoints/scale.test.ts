import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inServer } from "../../../test/support/api-server.ts";

const MERGE = { "content-type": "application/merge-patch+json" };
const NAMESPACE = "/namespaces/default";
const TEMPLATE = {
  metadata: { labels: { app: "a" } },
  spec: { containers: [{ name: "c", image: "i" }] },
};
const SPEC = { selector: { matchLabels: { app: "a" } }, template: TEMPLATE };

/** The kinds that have a scale: where they are, and the least that they are made of. */
const KINDS = [
  ["deployments.apps", `/apis/apps/v1${NAMESPACE}/deployments`, SPEC],
  ["replicasets.apps", `/apis/apps/v1${NAMESPACE}/replicasets`, SPEC],
  ["statefulsets.apps", `/apis/apps/v1${NAMESPACE}/statefulsets`, { ...SPEC, serviceName: "s" }],
  [
    "replicationcontrollers",
    `/api/v1${NAMESPACE}/replicationcontrollers`,
    { selector: { app: "a" }, template: TEMPLATE },
  ],
] as const;

for (const [resource, path, spec] of KINDS)
  describe(`a patch of the scale of ${resource}`, () => {
    it(
      "of one that is not there: not found",
      inServer(async ({ request }) => {
        const body = { spec: { replicas: 1 } };
        const { status, json } = await request("PATCH", `${path}/none/scale`, body, MERGE);
        assert.deepEqual([status, json.reason], [404, "NotFound"]);
        assert.equal(json.message, `${resource} "none" not found`);
      }),
    );

    it(
      "that means another object, or an older state, is a conflict and changes nothing",
      inServer(async ({ request }) => {
        await request("POST", path, { metadata: { name: "a" }, spec });
        for (const [metadata, why] of [
          [{ uid: "123" }, /^Precondition failed: UID in precondition: 123, UID in object meta: /],
          [{ resourceVersion: "123" }, /^the object has been modified; /],
        ] as const) {
          const body = { metadata, spec: { replicas: 9 } };
          const { status, json } = await request("PATCH", `${path}/a/scale`, body, MERGE);
          assert.deepEqual([status, json.reason], [409, "Conflict"], json.message);
          assert.match(
            json.message.replace(/^Operation cannot be fulfilled on \S+ "a": /, ""),
            why,
          );
        }
        const { json } = await request("GET", `${path}/a`);
        assert.equal(json.spec.replicas, 1);
      }),
    );

    it(
      "below zero is invalid",
      inServer(async ({ request }) => {
        await request("POST", path, { metadata: { name: "a" }, spec });
        const body = { spec: { replicas: -1 } };
        const { status, json } = await request("PATCH", `${path}/a/scale`, body, MERGE);
        assert.deepEqual([status, json.reason], [422, "Invalid"]);
        assert.equal(json.details.causes[0].field, "spec.replicas");
      }),
    );

    it(
      "meets no conflict with others' changes of the object, and neither loses the other's",
      inServer(async ({ request }) => {
        await request("POST", path, { metadata: { name: "a" }, spec });
        const patched = (part: string, body: object) =>
          request("PATCH", `${path}/a${part}`, body, MERGE);
        const answers = await Promise.all(
          Array.from({ length: 20 }, async (_, i) => [
            await patched("", { metadata: { labels: { [`l${i}`]: "v" } } }),
            await patched("/scale", { spec: { replicas: i } }),
          ]),
        );
        answers.forEach(([label, scale], i) => {
          assert.deepEqual([label!.status, scale!.status], [200, 200]);
          assert.equal(scale!.json.spec.replicas, i);
        });
        const { json } = await request("GET", `${path}/a`);
        assert.equal(Object.keys(json.metadata.labels).length, 20 + ownLabels(resource));
      }),
    );
  });

/** A ReplicationController takes its template's labels where it has none of its own. */
function ownLabels(resource: string): number {
  return resource === "replicationcontrollers" ? 1 : 0;
}
