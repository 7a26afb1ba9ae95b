import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Groups } from "./groups.ts";

describe("Groups", () => {
  it("a thing is in the groups that it was put in last", () => {
    const groups = new Groups<number>();
    groups.put("a", ["x", "y"], 1);
    groups.put("b", ["x"], 2);
    assert.deepEqual([groups.of("x"), groups.of("y")], [[1, 2], [1]]);
    groups.put("a", ["y", "z"], 3);
    assert.deepEqual([groups.of("x"), groups.of("y"), groups.of("z")], [[2], [3], [3]]);
    assert.deepEqual(groups.groupsOf("a"), ["y", "z"]);
    assert.deepEqual(groups.groupsOf("c"), []);
  });

  it("keeps nothing of what went, nor of groups that nobody is in", () => {
    const groups = new Groups();
    groups.put("a", ["x"], "a");
    groups.put("b", ["y"], "b");
    groups.put("a", [], "a");
    groups.remove("c");
    assert.deepEqual([...groups.groups()], ["y"]);
    assert.equal(groups.has("x"), false);
    groups.remove("b");
    assert.equal(groups.isEmpty, true);
  });

  it("a part of a group is the first who came", () => {
    const groups = new Groups();
    for (const name of ["c", "a", "b"]) groups.put(name, ["x"], name);
    assert.deepEqual(groups.firstOf("x", 2), ["c", "a"]);
    assert.deepEqual(groups.firstOf("x", 9), ["c", "a", "b"]);
    assert.equal(groups.count("x"), 3);
  });
});
