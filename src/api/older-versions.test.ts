import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { catalog, presentGroup } from "./catalog.ts";
import { deprecationWarning } from "./machinery/older-version.ts";
import type { KubeObject } from "./machinery/object.ts";
import { loadSchemas } from "./machinery/schema-set.ts";

const schemas = loadSchemas();
const rows = catalog.flatMap(({ kind, olderVersions = [] }) =>
  olderVersions.map((older) => ({ kind, older })),
);

/** Converts `object` to the present form of `kind` and back. */
function thereAndBack(group: string, version: string, kind: string, object: object): object[] {
  const row = rows.find(
    (one) => one.older.group === group && one.older.version === version && one.kind.kind === kind,
  );
  const hub = row!.older.toHub!(object as KubeObject);
  return [hub, row!.older.fromHub!(hub)];
}

describe("older versions", () => {
  it("have a type each, and one name only", () => {
    const names = rows.map(({ kind, older }) => `${older.group}/${older.version}/${kind.kind}`);
    assert.equal(new Set(names).size, names.length);
    for (const { kind, older } of rows) {
      const { group, version } = older;
      for (const suffix of kind.group.startsWith("auth") ? [""] : ["", "List"])
        assert.ok(
          schemas.root(group, version, kind.kind + suffix),
          `${group}/${version} ${kind.kind}`,
        );
    }
  });

  it("turn an object without content into one", () => {
    for (const { older } of rows) {
      const bare = { metadata: { name: "x" } };
      const hub = older.toHub?.(bare) ?? bare;
      assert.deepEqual(older.fromHub?.(hub) ?? hub, bare);
    }
  });

  it("SubjectAccessReview v1beta1 calls the groups of its subject group", () => {
    const beta = { spec: { user: "u", group: ["a"] } };
    const converted = thereAndBack("authorization.k8s.io", "v1beta1", "SubjectAccessReview", beta);
    assert.deepEqual(converted, [{ spec: { user: "u", groups: ["a"] } }, beta]);
  });

  it("RoleBinding v1alpha1 says of a foreign subject its group without a version", () => {
    const alpha = { subjects: [{ kind: "Thing", name: "t", apiVersion: "example.com/v2" }] };
    const [hub, back] = thereAndBack("rbac.authorization.k8s.io", "v1alpha1", "RoleBinding", alpha);
    assert.deepEqual(hub, { subjects: [{ kind: "Thing", name: "t", apiGroup: "example.com" }] });
    assert.deepEqual(back, {
      subjects: [{ kind: "Thing", name: "t", apiVersion: "example.com/" }],
    });
  });

  it("name the replacement where upstream does", () => {
    const kind = { group: "events.k8s.io", version: "v1beta1", kind: "Event" };
    assert.equal(
      deprecationWarning(kind, { deprecated: "1.22", removed: "1.25" }),
      "events.k8s.io/v1beta1 Event is deprecated in v1.22+, unavailable in v1.25+",
    );
    assert.equal(presentGroup("extensions", "Deployment"), "apps");
    assert.equal(presentGroup("example.com", "Deployment"), "example.com");
  });
});
