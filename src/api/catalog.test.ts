import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { catalog, resourceByKind, resourceByPlural, resourceOf } from "./catalog.ts";
import { Pod, podResource } from "./core/pod.ts";
import { EventsEvent } from "./events/event.ts";

describe("catalog", () => {
  it("has every kind once, under its own names", () => {
    const names = catalog.map(({ kind }) => `${kind.group}/${kind.version}/${kind.plural}`);
    assert.equal(new Set(names).size, names.length);
    const kinds = catalog.map(({ kind }) => `${kind.group}/${kind.version}/${kind.kind}`);
    assert.equal(new Set(kinds).size, kinds.length);
  });

  it("finds rows by kind constant, plural, and apiVersion with kind", () => {
    assert.equal(resourceOf(Pod), podResource);
    assert.equal(resourceByPlural("", "v1", "pods"), podResource);
    assert.equal(resourceByKind("v1", "Pod"), podResource);
    assert.equal(resourceByPlural("apps", "v1", "pods"), undefined);
    assert.equal(resourceByKind("events.k8s.io/v1", "Event"), resourceOf(EventsEvent));
  });

  it("says on every row what the words of a kind are", () => {
    for (const { kind, singular, columns } of catalog) {
      assert.equal(singular, kind.kind.toLowerCase(), kind.kind);
      for (const column of columns) assert.ok(column.description, `${kind.kind} ${column.name}`);
    }
  });

  it("gives cells for objects that have nothing but a name", () => {
    for (const { kind, columns, selectableFields } of catalog) {
      const bare = { metadata: { name: "x" } };
      for (const column of columns) assert.notEqual(column.cell(bare, 0), undefined, kind.kind);
      for (const read of Object.values(selectableFields ?? {})) read(bare);
    }
  });
});
