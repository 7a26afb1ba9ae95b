import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ReplicaSet } from "../api/apps/replica-set.ts";
import { Pod } from "../api/core/pod.ts";
import { formatKey } from "../api/machinery/object.ts";
import { StaticCache } from "../../test/support/static-cache.ts";
import { claim, ownersOf, selectorsMatching } from "./ownership.ts";
import { matcherOf } from "./selection.ts";

function pod(
  name: string,
  labels: Record<string, string>,
  owner?: string,
  deleting?: boolean,
): Pod {
  const reference = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    name: owner ?? "",
    uid: owner ?? "",
  };
  return {
    metadata: {
      name,
      namespace: "d",
      uid: name,
      labels,
      ...(owner && { ownerReferences: [{ ...reference, controller: true }] }),
      ...(deleting && { deletionTimestamp: "2026-01-01T00:00:00Z" }),
    },
  } as Pod;
}

const app = { app: "x" };
const matches = matcherOf({ matchLabels: app });

//     Pod                                                plan
const ROWS: readonly (readonly [string, Pod, boolean, string])[] = [
  ["controlled and selected", pod("a", app, "set"), false, "own"],
  ["controlled by another", pod("a", app, "other"), false, ""],
  ["controlled, no longer selected", pod("a", {}, "set"), false, "release"],
  ["uncontrolled and selected", pod("a", app), false, "own adopt"],
  ["uncontrolled, not selected", pod("a", {}), false, ""],
  ["uncontrolled, selected, going", pod("a", app, undefined, true), false, ""],
  ["uncontrolled, selected; claimer going", pod("a", app), true, ""],
  ["controlled, not selected; claimer going", pod("a", {}, "set"), true, ""],
  ["controlled, selected; claimer going", pod("a", app, "set"), true, "own"],
];

describe("claim", () => {
  for (const [what, candidate, isGoing, expected] of ROWS) {
    it(`${what} → ${expected || "ignored"}`, () => {
      const metadata = {
        name: "set",
        namespace: "d",
        uid: "set",
        ...(isGoing && { deletionTimestamp: "2026-01-01T00:00:00Z" }),
      };
      const object = { metadata } as ReplicaSet;
      const result = claim(Pod, { kind: ReplicaSet, object, matches }, [candidate]);
      const writes = result.writes.map((write) =>
        JSON.stringify("patch" in write && write.patch).includes("$patch") ? "release" : "adopt",
      );
      assert.equal([...result.owned.map(() => "own"), ...writes].join(" "), expected);
    });
  }
});

const set = (name: string, uid = name): ReplicaSet =>
  ({
    metadata: { name, namespace: "d", uid },
    spec: { selector: { matchLabels: app } },
  }) as ReplicaSet;

describe("ownersOf", () => {
  const cache = new StaticCache().put(ReplicaSet, set("r")).put(ReplicaSet, set("s"));
  const trigger = ownersOf(Pod, ReplicaSet);
  const keys = (old: Pod | undefined, object: Pod | undefined): string =>
    trigger
      .keys({ kind: Pod, key: { namespace: "d", name: "p" }, old, object }, cache)
      .map(formatKey)
      .join(" ");

  it("names who controls the object, before and after", () => {
    assert.equal(keys(undefined, pod("p", app, "r")), "d/r");
    assert.equal(keys(pod("p", app, "r"), undefined), "d/r");
    assert.equal(keys(pod("p", app, "r"), pod("p", app, "s")), "d/r d/s");
    assert.equal(keys(pod("p", app, "r"), pod("p", app)), "d/r");
    assert.equal(keys(pod("p", app), pod("p", app, "s")), "d/s");
    assert.equal(keys(pod("p", app), pod("p", {})), "");
  });

  it("names nobody of another uid or kind", () => {
    const other = new StaticCache().put(ReplicaSet, set("r", "later"));
    const change = { kind: Pod, key: { namespace: "d", name: "p" }, old: undefined };
    assert.deepEqual(trigger.keys({ ...change, object: pod("p", app, "r") }, other), []);
    const ofPods = ownersOf(Pod, Pod);
    assert.deepEqual(ofPods.keys({ ...change, object: pod("p", app, "r") }, other), []);
  });
});

describe("selectorsMatching", () => {
  const trigger = selectorsMatching(Pod, ReplicaSet, ({ spec }) => matcherOf(spec?.selector));
  const keys = (cache: StaticCache, object: Pod | undefined): string =>
    trigger
      .keys({ kind: Pod, key: { namespace: "d", name: "p" }, old: undefined, object }, cache)
      .map(formatKey)
      .join(" ");

  it("names all whose selector matches an object that nobody controls", () => {
    const cache = new StaticCache().put(ReplicaSet, set("r")).put(ReplicaSet, set("s"));
    assert.equal(keys(cache, pod("p", app)), "d/r d/s");
    assert.equal(keys(cache, pod("p", {})), "");
    assert.equal(keys(cache, pod("p", app, "r")), "");
    assert.equal(keys(cache, undefined), "");
    assert.equal(keys(new StaticCache(), pod("p", app)), "");
  });
});

describe("matcherOf", () => {
  it("an absent or empty selector matches nothing", () => {
    assert.equal(matcherOf(undefined)({ a: "b" }), false);
    assert.equal(matcherOf({})({ a: "b" }), false);
  });

  it("expressions", () => {
    const selects = (operator: string, values: string[], labels: Record<string, string>): boolean =>
      matcherOf({ matchExpressions: [{ key: "k", operator, values }] })(labels);
    assert.deepEqual(
      [{}, { k: "a" }, { k: "b" }].map((labels) =>
        ["In", "NotIn", "Exists", "DoesNotExist", "Strange"].map((operator) =>
          selects(operator, ["a"], labels) ? 1 : 0,
        ),
      ),
      [
        [0, 1, 0, 1, 0],
        [1, 0, 1, 0, 0],
        [0, 1, 1, 0, 0],
      ],
    );
  });
});
