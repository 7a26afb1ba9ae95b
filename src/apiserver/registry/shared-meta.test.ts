import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { shareMeta, sharedMetaText } from "./shared-meta.ts";

const meta = (app: string): Record<string, unknown> => ({
  name: "n",
  labels: { app, tier: "web" },
  ownerReferences: [{ kind: "ReplicaSet", name: "r", uid: "u" }],
});

describe("shared metadata", () => {
  it("is one value for all that are alike, and another where anything differs", () => {
    const [a, b, c] = [meta("x"), meta("x"), meta("y")];
    for (const each of [a, b, c]) shareMeta(each);
    assert.deepEqual(a, meta("x"));
    assert.equal(a["labels"], b["labels"]);
    assert.equal(a["ownerReferences"], c["ownerReferences"]);
    assert.deepEqual(c["labels"], { app: "y", tier: "web" });
    assert.equal(sharedMetaText(a["labels"] as object), '{"app":"x","tier":"web"}');
  });

  it("labels in another order are others: objects are shown as they were written", () => {
    const [a, b] = [{ labels: { x: "1", y: "2" } }, { labels: { y: "2", x: "1" } }];
    for (const each of [a, b]) shareMeta(each);
    assert.deepEqual(Object.keys(b.labels), ["y", "x"]);
  });

  it("long values stay as they are, and what is not there does not come", () => {
    const labels = { long: "x".repeat(2000) };
    const [a, b] = [{ labels }, { labels: { ...labels } }];
    for (const each of [a, b]) shareMeta(each);
    assert.equal(a.labels, labels);
    assert.notEqual(b.labels, labels);
    assert.deepEqual(Object.keys(a), ["labels"]);
    assert.equal(sharedMetaText(labels), JSON.stringify(labels));
  });
});
