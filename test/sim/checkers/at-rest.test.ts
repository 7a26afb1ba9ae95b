import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1Pod, V1ReplicaSet } from "../../../src/gen/types.ts";
import { deployment, node, namespace, pod, replicaSet, service } from "../../support/builders.ts";
import { emptyHistory, type History } from "../world/history.ts";
import type { Checker } from "./checker.ts";
import { cleared } from "./cleared.ts";
import { complaints } from "./complaints.ts";
import { deployments } from "./deployments.ts";
import { endpoints } from "./endpoints.ts";
import { furniture } from "./furniture.ts";
import { orphans } from "./orphans.ts";
import { pods } from "./pods.ts";
import { replicaSets } from "./replica-sets.ts";
import { daemonSets } from "./daemon-sets.ts";
import { surplus } from "./surplus.ts";
import { Story } from "./story.ts";

const problems = (checker: Checker, story: Story, parts: Partial<History> = {}): string =>
  checker.checkAtRest!(story.with(parts)).join("; ");

const owner = (kind: string, name: string): object => ({
  ownerReferences: [{ apiVersion: "apps/v1", kind, name, uid: `uid-of-${name}`, controller: true }],
});

/** A Pod with label `app: web` on `node` that is ready, or is not. */
function running(name: string, isReady = true, metadata: object = {}): V1Pod {
  const conditions = [{ type: "Ready", status: isReady ? "True" : "False" }];
  return {
    ...pod(name, { metadata: { labels: { app: "web" }, ...metadata } }),
    spec: { nodeName: "node", containers: [{ name: "app", image: "shop:1" }] },
    status: { phase: "Running", podIP: `10.0.0.${name.length}`, conditions },
  };
}

describe("endpoints checker", () => {
  const world = (addresses: readonly string[], sliced: readonly string[]): Story => {
    const story = new Story();
    story.put("services", service("web"));
    story.put("pods", running("a"));
    story.put("pods", running("bb", false));
    story.put("pods", { ...running("ccc"), metadata: { name: "ccc", namespace: "default" } });
    const subsets = [{ addresses: addresses.map((ip) => ({ ip })) }];
    story.put("endpoints", { metadata: { name: "web", namespace: "default" }, subsets } as object);
    const labels = { "kubernetes.io/service-name": "web" };
    story.put("discovery.k8s.io/endpointslices", {
      metadata: { name: "web-1", namespace: "default", labels },
      endpoints: sliced.map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
    } as object);
    return story;
  };

  it("is content with the ready Pods", () => {
    assert.equal(problems(endpoints, world(["10.0.0.1"], ["10.0.0.1"])), "");
  });

  it("tells of a missing address and of one too many, in each form", () => {
    assert.match(problems(endpoints, world([], ["10.0.0.1"])), /Endpoints of default\/web: none/);
    assert.match(
      problems(endpoints, world(["10.0.0.1"], ["10.0.0.1", "10.0.0.2"])),
      /EndpointSlices of default\/web: 10.0.0.1 10.0.0.2, due were 10.0.0.1/,
    );
  });
});

describe("orphans checker", () => {
  it("tells of objects whose owners or namespaces are gone, and of endless deletions", () => {
    const story = new Story();
    story.put("namespaces", namespace());
    story.put("apps/replicasets", replicaSet("set"));
    story.put("pods", pod("owned", { metadata: owner("ReplicaSet", "set") }));
    assert.equal(problems(orphans, story), "");
    story.put("pods", pod("orphan", { metadata: owner("ReplicaSet", "gone") }));
    story.put("pods", pod("lost", { metadata: { namespace: "blue" } }));
    story.put("pods", pod("late", { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }));
    const text = problems(orphans, story);
    assert.match(text, /default\/orphan: its owners are gone/);
    assert.match(text, /blue\/lost: its namespace is gone/);
    assert.match(text, /default\/late: it is still being deleted/);
  });
});

describe("orphans checker, of claims", () => {
  it("allows one that a Pod uses, and its owner, to wait for the Pod", () => {
    const going = { deletionTimestamp: "2026-01-01T00:00:00Z" };
    const reference = { apiVersion: "apps/v1", kind: "StatefulSet", name: "set", uid: "set-uid" };
    const world = (nodeName: string): Story => {
      const story = new Story();
      const metadata = { namespace: "default", ...going };
      story.put("namespaces", namespace());
      story.put("apps/statefulsets", { metadata: { ...metadata, name: "set", uid: "set-uid" } });
      const ownerReferences = [{ ...reference, blockOwnerDeletion: true }];
      const own = { ...metadata, name: "data-0", uid: "claim-uid", ownerReferences };
      story.put("persistentvolumeclaims", { metadata: own });
      const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data-0" } }];
      story.put("pods", pod("p", { spec: { nodeName, volumes, containers: [] } }));
      return story;
    };
    assert.equal(problems(orphans, world("n")), "");
    assert.match(problems(orphans, world("")), /data-0: it is still being deleted/);
  });
});

describe("replica sets checker", () => {
  const world = (own: number, status: V1ReplicaSet["status"]): Story => {
    const story = new Story();
    story.put("apps/replicasets", replicaSet("set", { spec: { replicas: 2 }, status: status! }));
    for (let i = 0; i < own; i++)
      story.put("pods", running(`p${i}`, true, owner("ReplicaSet", "set")));
    return story;
  };

  it("tells of too few, too many, and of a status that says otherwise", () => {
    const right = { replicas: 2, readyReplicas: 2 };
    assert.equal(problems(replicaSets, world(2, right)), "");
    assert.match(problems(replicaSets, world(1, right)), /pods 1, due 2/);
    assert.match(problems(replicaSets, world(3, right)), /pods 3, due 2/);
    assert.match(problems(replicaSets, world(2, { replicas: 1 })), /status.replicas 1, due 2/);
    assert.match(problems(replicaSets, world(2, { replicas: 2 })), /readyReplicas 0, due 2/);
  });
});

describe("deployments checker", () => {
  /** `web` wants 2; its sets have so many. */
  const world = (oldSize: number, newSize: number, available = 2, seen = 1): Story => {
    const story = new Story();
    story.put(
      "apps/deployments",
      deployment("web", {
        metadata: { generation: 1 },
        spec: { replicas: 2 },
        status: { observedGeneration: seen, availableReplicas: available },
      }),
    );
    for (const [revision, [name, size]] of [
      ["old", oldSize] as const,
      ["new", newSize] as const,
    ].entries()) {
      const annotations = { "deployment.kubernetes.io/revision": String(revision) };
      const metadata = { ...owner("Deployment", "web"), annotations };
      story.put("apps/replicasets", replicaSet(name, { metadata, spec: { replicas: size } }));
      for (let i = 0; i < size; i++)
        story.put("pods", running(`${name}-${i}`, true, owner("ReplicaSet", name)));
    }
    return story;
  };

  it("tells of a rollout that has stopped half-way, and of a status that says otherwise", () => {
    assert.equal(problems(deployments, world(0, 2)), "");
    assert.match(problems(deployments, world(1, 1)), /1 of 2 pods are of the newest revision/);
    assert.match(problems(deployments, world(2, 2)), /2 of 4 pods/);
    assert.match(problems(deployments, world(0, 2, 1)), /status.availableReplicas 1, due 2/);
    assert.match(problems(deployments, world(0, 2, 2, 0)), /generation 1 was not observed/);
  });

  it("lets a rollout wait for a Pod that is ready by a clock that was ahead", () => {
    const story = world(1, 1);
    const late = running("new-0", true, owner("ReplicaSet", "new"));
    const ready = { type: "Ready", status: "True", lastTransitionTime: "2100-01-01T00:00:00Z" };
    story.put("pods", { ...late, status: { ...late.status, conditions: [ready] } });
    assert.equal(problems(deployments, story), "");
  });
});

describe("pods checker", () => {
  const facts = { ...emptyHistory.facts, missingImages: ["missing:1"] };
  const world = (...all: readonly V1Pod[]): Story => {
    const story = new Story();
    story.put("nodes", node());
    for (const one of all) story.put("pods", one);
    return story;
  };

  it("tells of a Pod that fits and is not bound", () => {
    const cordoned = new Story();
    cordoned.put("nodes", node("node", { spec: { unschedulable: true } }));
    cordoned.put("pods", pod("a"));
    assert.equal(problems(pods, cordoned, { facts }), "");
    assert.match(problems(pods, world(pod("a")), { facts }), /default\/a is not bound, and fits/);
  });

  it("tells of a bound Pod that has all it needs and is not ready", () => {
    assert.equal(problems(pods, world(running("a")), { facts }), "");
    assert.match(
      problems(pods, world(running("a", false)), { facts }),
      /default\/a on node is not/,
    );
    const missing = { ...running("a", false) };
    missing.spec = { ...missing.spec!, containers: [{ name: "app", image: "missing:1" }] };
    assert.equal(problems(pods, world(missing), { facts }), "");
  });

  it("tells of a container without its Pod", () => {
    const container = {
      node: "node",
      podUid: "x",
      namespace: "default",
      pod: "p",
      container: "app",
    };
    const { container: _, ...sandbox } = container;
    const moment = { atMs: 0, revision: 1, running: [container], sandboxes: [sandbox] };
    const text = problems(pods, world(), { facts, runtimes: [moment] });
    assert.match(text, /app of default\/p runs on node without its Pod/);
    assert.match(text, /the sandbox of default\/p is left on node/);
  });
});

describe("furniture checker", () => {
  it("tells of everything that the system has not made", () => {
    const story = new Story();
    story.put("namespaces", namespace());
    const text = problems(furniture, story);
    for (const missing of [
      "namespaces kube-system",
      "serviceaccounts default/default",
      "configmaps default/kube-root-ca.crt",
      "services default/kubernetes",
      "rbac.authorization.k8s.io/clusterroles cluster-admin",
    ])
      assert.ok(text.includes(`there is no ${missing}`), missing);
    assert.ok(!text.includes("there is no namespaces default"));
  });
});

describe("cleared checker", () => {
  it("tells of what is left when all was deleted, and of nothing else", () => {
    const story = new Story();
    story.put("pods", pod("a"));
    const sandbox = { node: "node", podUid: "x", namespace: "default", pod: "p" };
    const runtimes = [{ atMs: 0, revision: 1, running: [], sandboxes: [sandbox] }];
    const facts = { ...emptyHistory.facts, isCleared: true };
    assert.equal(problems(cleared, story, { runtimes }), "");
    const text = problems(cleared, story, { runtimes, facts });
    assert.equal(text, "pods default/a is left; node has still default/p");
  });
});

describe("surplus checker", () => {
  const world = (size: number, later: number): Story => {
    const story = new Story();
    const sized = (replicas: number): V1ReplicaSet => replicaSet("set", { spec: { replicas } });
    story.put("apps/replicasets", sized(size));
    story.put("apps/replicasets", sized(later));
    for (const name of ["a", "b"])
      story.put("pods", pod(name, { metadata: owner("ReplicaSet", "set") }));
    return story;
  };

  it("tells of a Pod that is made beyond the replicas that its controller may have read", () => {
    assert.deepEqual(surplus.check!(world(1, 2).with()), []);
    assert.match(
      surplus.check!(world(2, 1).with()).join(),
      /default\/b was made at 4 as pod 2 of 1/,
    );
    const late = { facts: { ...emptyHistory.facts, staleMs: 3000 } };
    assert.deepEqual(surplus.check!(world(2, 1).with(late)), []);
    const facts = { ...emptyHistory.facts, staleMs: 1500 };
    assert.equal(surplus.check!(world(2, 1).with({ facts })).length, 1);
    const heard = new Set(["uid-of-a"]);
    assert.equal(surplus.check!(world(2, 1).with({ facts, heard })).length, 1);
    assert.deepEqual(surplus.check!(world(2, 1).with({ facts, heard: new Set() })), []);
  });
});

describe("complaints checker", () => {
  it("tells of every error in a log", () => {
    assert.deepEqual(complaints.check!(new Story().with({ errors: ["x"] })), ["x"]);
  });
});

describe("daemon sets checker", () => {
  it("tells of a node without a Pod, and of one with two", () => {
    const story = new Story();
    story.put("nodes", node());
    const metadata = { name: "agent", namespace: "default", uid: "uid-of-agent" };
    story.put("apps/daemonsets", { metadata, spec: {} } as object);
    assert.match(problems(daemonSets, story), /default\/agent: 0 pods on node, due 1/);
    story.put("pods", running("a", true, owner("DaemonSet", "agent")));
    assert.equal(problems(daemonSets, story), "");
    story.put("pods", running("b", true, owner("DaemonSet", "agent")));
    assert.match(problems(daemonSets, story), /2 pods on node, due 1/);
  });

  it("lets a surge wait for a Pod that is ready since a moment to come", () => {
    const metadata = { name: "agent", namespace: "default", uid: "uid-of-agent" };
    const updateStrategy = { rollingUpdate: { maxSurge: 1 } };
    const world = (lastTransitionTime: string): Story => {
      const story = new Story();
      story.put("nodes", node());
      story.put("apps/daemonsets", { metadata, spec: { updateStrategy } } as object);
      story.put("pods", running("old", true, owner("DaemonSet", "agent")));
      const fresh = running("new", true, owner("DaemonSet", "agent"));
      const conditions = [{ type: "Ready", status: "True", lastTransitionTime }];
      story.put("pods", { ...fresh, status: { ...fresh.status, conditions } });
      return story;
    };
    assert.equal(problems(daemonSets, world("2026-01-02T00:00:00Z")), "");
    assert.match(problems(daemonSets, world("2026-01-01T00:00:00Z")), /2 pods on node, due 1/);
  });
});
