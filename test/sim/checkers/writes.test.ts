import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { configMap } from "../../support/builders.ts";
import { MARK, type WriteCall } from "../world/history.ts";
import { Story } from "./story.ts";
import { resourceOf, writes } from "./writes.ts";

const PATH = "/api/v1/namespaces/default/configmaps/a";

function marked(mark: string, metadata: object = {}): ReturnType<typeof configMap> {
  return configMap("a", { metadata: { annotations: { [MARK]: mark }, ...metadata } });
}

function call(mark: string, answer: Partial<WriteCall["answer"]> | undefined): WriteCall {
  const full = { status: 200, reason: "", revision: 0, uid: "uid-of-a", ...answer };
  return {
    ...{ party: "user-1", method: "PUT", path: PATH, mark, atMs: 0 },
    ...(answer && { answer: full }),
  };
}

function problems(story: Story, calls: readonly WriteCall[], lost: readonly string[] = []): string {
  return writes.check!(story.with({ writes: calls, lost })).join("; ");
}

describe("writes checker", () => {
  const story = new Story();
  story.put("configmaps", marked("w1"));
  story.put("configmaps", marked("w2"));

  it("is content with writes that are where they were said to be", () => {
    const lostAnswer = call("w3", undefined);
    const refused = call("w4", { status: 409 });
    const calls = [call("w1", { revision: 1 }), call("w2", { revision: 2 }), lostAnswer, refused];
    assert.equal(problems(story, calls), "");
  });

  it("tells of an acknowledged write that is not there", () => {
    assert.match(
      problems(story, [call("w9", { revision: 2 })]),
      /w9 was acknowledged at 2, and is/,
    );
  });

  it("tells of what the disk has lost", () => {
    assert.match(
      problems(story, [], ["put /registry/core/configmaps/default/a"]),
      /not on the disk/,
    );
  });

  it("tells of a refused write that is there", () => {
    assert.match(
      problems(story, [call("w1", { status: 409 }), call("w2", { status: 507 })]),
      /w1 was written 1 times, and 0 .*; .*w2 was written 1 times, and 0/,
    );
  });

  it("tells of one write that was made twice", () => {
    const twice = new Story();
    twice.put("configmaps", marked("w1"));
    twice.put("configmaps", marked("w2"));
    twice.put("configmaps", marked("w1"));
    const calls = [call("w1", { revision: 1 }), call("w2", { revision: 2 })];
    assert.match(problems(twice, calls), /w1 was written 2 times, and 1/);
    assert.equal(problems(twice, [...calls, call("w1", { revision: 3 })]), "");
  });

  it("tells of an acknowledged deletion that did nothing", () => {
    const { mark: _, ...rest } = call("", { revision: 2 });
    assert.match(problems(story, [{ ...rest, method: "DELETE" }]), /is not ending there/);
    const ended = new Story();
    ended.put("configmaps", marked("w1"));
    ended.remove("configmaps", "default/a");
    assert.equal(problems(ended, [{ ...rest, method: "DELETE" }]), "");
  });

  it("tells of what comes back", () => {
    const back = new Story();
    back.put("configmaps", marked("w1"));
    back.remove("configmaps", "default/a");
    back.put("configmaps", marked("w1"));
    assert.match(problems(back, []), /3: it is there again/);
  });

  it("tells of a deletion that was taken back, and of a change of identity", () => {
    const changed = new Story();
    changed.put("configmaps", marked("w1", { deletionTimestamp: "2026-01-01T00:00:00Z" }));
    changed.put("configmaps", marked("w1"));
    changed.put("configmaps", marked("w1", { uid: "another" }));
    assert.match(problems(changed, []), /2: its deletion was taken back.*3: it was replaced/);
  });

  it("tells of two objects with one uid", () => {
    const twins = new Story();
    twins.put("configmaps", marked("w1"));
    twins.put("configmaps", configMap("b", { metadata: { uid: "uid-of-a" } }));
    assert.match(problems(twins, []), /its uid is that of configmaps default\/a/);
  });

  it("reads the resource out of a path", () => {
    assert.equal(resourceOf("/apis/apps/v1/namespaces/a/deployments/d/status"), "apps/deployments");
    assert.equal(resourceOf("/api/v1/namespaces/blue"), "namespaces");
    assert.equal(resourceOf("/api/v1/nodes/n"), "nodes");
  });
});
