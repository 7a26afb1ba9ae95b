import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ReplicaSet } from "../../api/apps/replica-set.ts";
import { ConfigMap } from "../../api/core/config-map.ts";
import { Node } from "../../api/core/node.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import type { KubeObject, OwnerReference } from "../../api/machinery/object.ts";
import type { PlannedWrite } from "../../reconciler/controller.ts";
import { decide, type OwnerState } from "./decide.ts";
import { isOwner, OwnerGraph, type Item } from "./graph.ts";

const TIME = "2026-01-01T00:00:00Z";

interface Shape {
  readonly owners?: readonly string[];
  readonly finalizers?: readonly string[];
  readonly deleting?: boolean;
  readonly blocks?: boolean;
}

function reference(uid: string, blocks = true): OwnerReference {
  return { apiVersion: "apps/v1", kind: "ReplicaSet", name: uid, uid, blockOwnerDeletion: blocks };
}

function object(
  uid: string,
  { owners = [], finalizers, deleting, blocks }: Shape = {},
): KubeObject {
  return {
    metadata: {
      name: uid,
      namespace: "d",
      uid,
      resourceVersion: "7",
      ...(owners.length && { ownerReferences: owners.map((owner) => reference(owner, blocks)) }),
      ...(finalizers && { finalizers }),
      ...(deleting && { deletionTimestamp: TIME }),
    },
  };
}

const key = (name: string, namespace = "d") => ({ namespace, name });

function put(
  graph: OwnerGraph,
  uid: string,
  shape: Shape = {},
  kind: Kind = ReplicaSet,
): readonly string[] {
  const old = graph.get(uid);
  return graph.fold({
    kind,
    key: key(uid),
    old: old && object(uid),
    object: object(uid, shape),
  });
}

function remove(graph: OwnerGraph, uid: string): readonly string[] {
  return graph.fold({ kind: ReplicaSet, key: key(uid), old: object(uid), object: undefined });
}

describe("OwnerGraph", () => {
  it("the end of an owner touches its dependents, and is remembered", () => {
    const graph = new OwnerGraph();
    put(graph, "a");
    put(graph, "b", { owners: ["a"] });
    assert.deepEqual(remove(graph, "a"), ["b"]);
    assert.equal(graph.isGone("a"), true);
  });

  it("an object whose owner is there is no question; one whose owner is not, is", () => {
    const graph = new OwnerGraph();
    put(graph, "a");
    assert.deepEqual(put(graph, "b", { owners: ["a"] }), ["b"], "new edges are looked at once");
    assert.ok(put(graph, "c", { owners: ["gone"] }).includes("c"));
  });

  it("foreground deletion touches the owner and all dependents, once", () => {
    const graph = new OwnerGraph();
    put(graph, "a");
    put(graph, "b", { owners: ["a"] });
    const waiting = { finalizers: ["foregroundDeletion"], deleting: true };
    assert.deepEqual(put(graph, "a", waiting), ["a", "b"]);
    assert.deepEqual(put(graph, "a", waiting), []);
    assert.deepEqual(remove(graph, "b"), ["a"], "the last dependent lets it go on");
  });

  it("a dependent that loses its reference lets a waiting owner go on", () => {
    const graph = new OwnerGraph();
    put(graph, "a", { finalizers: ["orphan"], deleting: true });
    put(graph, "b", { owners: ["a"] });
    assert.deepEqual(put(graph, "b"), ["b", "a"]);
  });

  it("another object of the same name is another one", () => {
    const graph = new OwnerGraph();
    put(graph, "a");
    put(graph, "b", { owners: ["a"] });
    const successor = { metadata: { ...object("a").metadata, uid: "a2" } };
    const touched = graph.fold({
      kind: ReplicaSet,
      key: key("a"),
      old: object("a"),
      object: successor,
    });
    assert.ok(touched.includes("b"));
    assert.equal(graph.isGone("a"), true);
  });

  it("an owner must be of the same namespace or of none, and be what the reference says", () => {
    const item = { key: key("b"), kind: ConfigMap } as Item;
    const set = { uid: "a", key: key("a"), kind: ReplicaSet } as Item;
    assert.equal(isOwner(item, reference("a"), set), true);
    assert.equal(isOwner(item, reference("a"), { ...set, key: key("a", "other") }), false);
    assert.equal(isOwner(item, { ...reference("a"), kind: "Deployment" }, set), false);
    const older = { ...reference("a"), apiVersion: "extensions/v1beta1" };
    assert.equal(isOwner(item, older, set), true);
    const node = { uid: "n", key: key("n", ""), kind: Node } as Item;
    assert.equal(
      isOwner(item, { apiVersion: "v1", kind: "Node", name: "n", uid: "n" }, node),
      true,
    );
  });
});

function item(uid: string, shape: Shape = {}): Item {
  const graph = new OwnerGraph();
  put(graph, uid, shape);
  return graph.get(uid)!;
}

function words(writes: readonly PlannedWrite[] = []): string {
  return writes
    .map((write) => {
      if (write.verb === "delete") return `delete ${write.key.name} ${write.propagation}`;
      const { metadata } = (write as { patch: { metadata: Record<string, unknown> } }).patch;
      const name = (write as { key: { name: string } }).key.name;
      if ("finalizers" in metadata)
        return `${name} finalizers ${JSON.stringify(metadata.finalizers)}`;
      const owners = (metadata.ownerReferences ?? []) as OwnerReference[];
      const list = owners.map(({ uid, blockOwnerDeletion }) =>
        blockOwnerDeletion ? uid : `${uid}*`,
      );
      return `${name} owners [${list.join()}]`;
    })
    .join(", ");
}

const FOREGROUND = { finalizers: ["foregroundDeletion"], deleting: true };

//     what                                             item, dependents, states of its owners, plan
const ROWS: readonly (readonly [string, Item, readonly Item[], readonly OwnerState[], string])[] = [
  ["no owners", item("x"), [], [], ""],
  ["a living owner", item("x", { owners: ["a"] }), [], ["solid"], ""],
  ["the owner is gone", item("x", { owners: ["a"] }), [], ["gone"], "delete x Background"],
  ["nobody knows yet", item("x", { owners: ["a"] }), [], ["unknown"], ""],
  ["one unknown, one gone", item("x", { owners: ["a", "b"] }), [], ["gone", "unknown"], ""],
  [
    "one gone, one living",
    item("x", { owners: ["a", "b"] }),
    [],
    ["gone", "solid"],
    "x owners [b]",
  ],
  [
    "one waits, one lives",
    item("x", { owners: ["a", "b"] }),
    [],
    ["waiting", "solid"],
    "x owners [b]",
  ],
  ["the owner waits", item("x", { owners: ["a"] }), [], ["waiting"], "delete x Background"],
  [
    "the owner waits, and it has dependents",
    item("x", { owners: ["a"] }),
    [item("y", { owners: ["x"] })],
    ["waiting"],
    "delete x Foreground",
  ],
  [
    "the same, in a circle",
    item("x", { owners: ["a"] }),
    [item("y", { owners: ["x"], ...FOREGROUND })],
    ["waiting"],
    "x owners [a*]",
  ],
  ["being deleted already", item("x", { owners: ["a"], deleting: true }), [], ["gone"], ""],
  [
    "it asked to be orphaned from",
    item("x", { owners: ["a"], finalizers: ["orphan"] }),
    [],
    ["gone"],
    "delete x Orphan",
  ],
  ["foreground, nobody left", item("x", FOREGROUND), [], [], "x finalizers null"],
  [
    "foreground, another finalizer stays",
    item("x", { finalizers: ["foregroundDeletion", "f"], deleting: true }),
    [],
    [],
    'x finalizers ["f"]',
  ],
  ["foreground, blocked", item("x", FOREGROUND), [item("y", { owners: ["x"] })], [], ""],
  [
    "foreground, not blocked",
    item("x", FOREGROUND),
    [item("y", { owners: ["x"], blocks: false })],
    [],
    "x finalizers null",
  ],
  [
    "orphaning",
    item("x", { finalizers: ["orphan"], deleting: true }),
    [item("y", { owners: ["x", "z"] })],
    [],
    "y owners [z], x finalizers null",
  ],
];

describe("garbage collector: decide", () => {
  for (const [what, subject, dependents, states, expected] of ROWS) {
    it(`${what} → "${expected}"`, () => {
      const { writes } = decide({ item: subject, dependents, owners: () => states });
      assert.equal(words(writes), expected);
    });
  }

  it("deletes only the version that was judged", () => {
    const { writes } = decide({
      item: item("x", { owners: ["a"] }),
      dependents: [],
      owners: () => ["gone"],
    });
    const [write] = writes as [Extract<PlannedWrite, { verb: "delete" }>];
    assert.deepEqual([write.ifUid, write.ifResourceVersion], ["x", "7"]);
  });

  it("a namespaced owner of a cluster-scoped object is complained of, never acted upon", () => {
    const subject = item("x", { owners: ["a"] });
    const plan = decide({ item: subject, dependents: [], owners: () => ["misplaced"] });
    assert.equal(plan.writes, undefined);
    assert.equal(plan.events?.[0]?.reason, "OwnerRefInvalidNamespace");
  });
});
