import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ObjectMeta } from "./object.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "./object-meta-validation.ts";
import { fieldErrorText } from "./status-errors.ts";

const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "a", uid: "u" };

describe("metadata of a new object", () => {
  const texts = (metadata: ObjectMeta, isNamespaced = true): string[] =>
    validateObjectMeta({ metadata }, { isNamespaced }).map(fieldErrorText);
  const named = { name: "a", namespace: "n" };

  const rows: readonly [ObjectMeta, readonly string[]][] = [
    [named, []],
    [{ namespace: "n" }, ["metadata.name: Required value: name or generateName is required"]],
    [{ name: "a" }, ["metadata.namespace: Required value"]],
    [
      { ...named, namespace: "a.b" },
      ['metadata.namespace: Invalid value: "a.b": must not contain dots'],
    ],
    [
      { ...named, generation: -1 },
      ["metadata.generation: Invalid value: -1: must be greater than or equal to 0"],
    ],
    [
      { ...named, labels: { "a/b": "c", "/x": "y" } },
      ['metadata.labels: Invalid value: "/x": prefix part must be non-empty'],
    ],
    [{ ...named, annotations: { "EXAMPLE.com/A": "any thing" } }, []],
    [
      { ...named, annotations: { a: "x".repeat(256 * 1024) } },
      ["metadata.annotations: Too long: may not be more than 262144 bytes"],
    ],
    [{ ...named, ownerReferences: [owner] }, []],
    [
      { ...named, ownerReferences: [{ ...owner, apiVersion: "apps/", uid: "" }] },
      [
        'metadata.ownerReferences.apiVersion: Invalid value: "apps/": version must not be empty',
        'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
      ],
    ],
    [
      { ...named, finalizers: ["/x"] },
      ['metadata.finalizers: Invalid value: "/x": prefix part must be non-empty'],
    ],
    [
      { ...named, finalizers: ["orphan", "foregroundDeletion"] },
      [
        'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
      ],
    ],
    [
      { ...named, managedFields: [{ operation: "Merge", manager: "a\tb" }] },
      [
        'metadata.managedFields[0].operation: Invalid value: "Merge": must be `Apply` or `Update`',
        'metadata.managedFields[0].manager: Invalid value: "a\\tb": invalid character U+0009 (at position 1)',
      ],
    ],
  ];
  for (const [metadata, errors] of rows)
    it(errors[0] ?? JSON.stringify(metadata), () => assert.deepEqual(texts(metadata), errors));

  it("cluster-scoped objects have no namespace", () => {
    assert.deepEqual(texts(named, false), [
      "metadata.namespace: Forbidden: not allowed on this type",
    ]);
  });

  it("one controller at most", () => {
    const controller = { ...owner, controller: true };
    const other = { ...controller, name: "b" };
    assert.match(
      texts({ ...named, ownerReferences: [controller, other] })[0]!,
      /Only one reference can have Controller set to true\. Found "true" in references for ReplicaSet\/a and ReplicaSet\/b$/,
    );
  });
});

describe("metadata of a changed object", () => {
  const stored = { name: "a", namespace: "n", uid: "u", resourceVersion: "1", generation: 2 };
  const rows: readonly [ObjectMeta, ObjectMeta, readonly string[]][] = [
    [{}, {}, []],
    [
      { resourceVersion: "" },
      {},
      ['metadata.resourceVersion: Invalid value: "": must be specified for an update'],
    ],
    [{ uid: "v" }, {}, ['metadata.uid: Invalid value: "v": field is immutable']],
    [{ generation: 1 }, {}, ["metadata.generation: Invalid value: 1: must not be decremented"]],
    [
      { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["b.c/d"] },
      { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["a.b/c"] },
      [
        'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"b.c/d"}',
      ],
    ],
    [
      {},
      { deletionGracePeriodSeconds: 5 },
      ['metadata.deletionGracePeriodSeconds: Invalid value: "null": field is immutable'],
    ],
  ];
  for (const [change, before, errors] of rows)
    it(errors[0] ?? "nothing changed", () =>
      assert.deepEqual(
        validateObjectMetaUpdate(
          { metadata: { ...stored, ...change } },
          { metadata: { ...stored, ...before } },
        ).map(fieldErrorText),
        errors,
      ),
    );
});
