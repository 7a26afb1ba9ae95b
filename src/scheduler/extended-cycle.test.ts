import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../base/seeded-random.ts";
import type { V1Node, V1Pod } from "../gen/types.ts";
import { readConfiguration } from "./configuration.ts";
import type { Decision } from "./cycle.ts";
import { decideWithExtenders } from "./extended-cycle.ts";
import { Extender, type PostJson } from "./extender.ts";
import { DEFAULT_PLUGINS } from "./plugin-args.ts";
import { PodClasses } from "./pod-class.ts";
import { DEFAULT_PREEMPTION } from "./profile.ts";
import { SchedulerCache } from "./scheduler-cache.ts";
import { Workloads } from "./workloads.ts";

const HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";

function node(name: string): V1Node {
  return {
    metadata: { name, labels: { "kubernetes.io/hostname": name } },
    spec: {},
    status: { allocatable: { cpu: "4", memory: "8Gi", pods: "10" } },
  };
}

function pod(name: string, priority = 0, cpu = "1"): V1Pod {
  const containers = [{ name: "c", image: "i", resources: { requests: { cpu } } }];
  return { metadata: { name, namespace: "default", uid: name }, spec: { containers, priority } };
}

interface Call {
  readonly url: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Extenders as a file has them (flow YAML), with what answers them. */
function extendersOf(text: string, answer: (call: Call) => unknown): readonly Extender[] {
  const post: PostJson = async (url, body) => {
    // What goes over the wire, and nothing else.
    const sent = JSON.parse(JSON.stringify(body)) as Call["body"];
    return JSON.parse(JSON.stringify(answer({ url, body: sent }))) as unknown;
  };
  return readConfiguration(`${HEAD}extenders: [${text}]`).extenders.map(
    (settings) => new Extender(settings, post),
  );
}

async function decided(
  subject: V1Pod,
  extenders: readonly Extender[],
  cache: SchedulerCache,
): Promise<string> {
  const classes = new PodClasses(DEFAULT_PLUGINS, cache.interest, new Workloads());
  const decision: Decision = await decideWithExtenders(subject, classes.of(subject), {
    extenders,
    snapshot: cache,
    random: new SeededRandom(1),
    preemption: DEFAULT_PREEMPTION,
    onIgnored: () => {},
  });
  if (decision.kind === "bind") return decision.node.name;
  if (decision.kind === "unschedulable") return decision.message;
  return `${decision.node.name}: ${decision.victims.map((one) => one.metadata!.name).join(" ")}`;
}

function world(): SchedulerCache {
  const cache = new SchedulerCache();
  for (const name of ["a", "b", "c"]) cache.setNode(node(name));
  return cache;
}

describe("extenders", () => {
  const filter = 'urlPrefix: "http://x/", filterVerb: filter';

  it("strike nodes, with their own words", async () => {
    const urls: string[] = [];
    const strikes = extendersOf(`{${filter}}`, ({ url, body }) => {
      urls.push(url);
      const { items } = body["Nodes"] as { items: V1Node[] };
      return {
        Nodes: { items: items.filter(({ metadata }) => metadata!.name === "b") },
        FailedNodes: { a: "too dark", c: "too dark" },
      };
    });
    assert.equal(await decided(pod("p"), strikes, world()), "b");
    assert.deepEqual(urls, ["http://x/filter"]);
    const all = extendersOf(`{${filter}}`, () => ({
      Nodes: { items: [] },
      FailedNodes: { a: "too dark", b: "too dark" },
      FailedAndUnresolvableNodes: { c: "too far" },
    }));
    assert.equal(
      await decided(pod("p"), all, world()),
      "0/3 nodes are available: 1 too far, 2 too dark. no new claims to deallocate, preemption: " +
        "0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.",
    );
  });

  it("that know the nodes are sent names, and answer with names in any case", async () => {
    const named = extendersOf(`{${filter}, nodeCacheCapable: true}`, ({ body }) => {
      assert.deepEqual(body["NodeNames"], ["a", "b", "c"]);
      return { nodenames: ["c"] };
    });
    assert.equal(await decided(pod("p"), named, world()), "c");
  });

  it("that name no nodes leave those that they do not refuse", async () => {
    const refusing = extendersOf(`{${filter}}`, () => ({ FailedNodes: { a: "dark", b: "dark" } }));
    assert.equal(await decided(pod("p"), refusing, world()), "c");
  });

  it("choose among the victims", async () => {
    const cache = new SchedulerCache();
    cache.setNode(node("a"));
    for (const name of ["x", "y"]) cache.assume(pod(name, 1, "2"), "a");
    const text = '{urlPrefix: "http://x", preemptVerb: preempt, nodeCacheCapable: true}';
    const one = extendersOf(text, () => ({
      NodeNameToMetaVictims: { a: { Pods: [{ UID: "y" }] } },
    }));
    assert.equal(await decided(pod("p", 10, "4"), one, cache), "a: y");
  });

  it("add to the scores", async () => {
    const text = '{urlPrefix: "http://x", prioritizeVerb: rank, weight: 5}';
    const ranks = extendersOf(text, () => [
      { Host: "a", Score: 1 },
      { Host: "c", Score: 10 },
    ]);
    assert.equal(await decided(pod("p"), ranks, world()), "c");
  });

  it("that fail stop the Pod, unless they may be ignored", async () => {
    const fails = (): never => {
      throw new Error("down");
    };
    await assert.rejects(
      decided(pod("p"), extendersOf(`{${filter}}`, fails), world()),
      /extender http:\/\/x: Error: down/,
    );
    const refuses = extendersOf(`{${filter}}`, () => ({ Error: "not today" }));
    await assert.rejects(decided(pod("p"), refuses, world()), /not today/);
    const ignorable = extendersOf(`{${filter}, ignorable: true}`, fails);
    assert.match(await decided(pod("p"), ignorable, world()), /^[abc]$/);
  });

  it("have a say only in Pods that ask for their resources", () => {
    const managed = "managedResources: [{name: example.com/lamp, ignoredByScheduler: true}]";
    const [one] = extendersOf(`{${filter}, ${managed}}`, () => ({}));
    const resources = { limits: { "example.com/lamp": "1" } };
    const lamp: V1Pod = { spec: { containers: [{ name: "c", image: "i", resources }] } };
    assert.deepEqual([one!.isInterested(pod("p")), one!.isInterested(lamp)], [false, true]);
  });

  it("agree to victims, or do not", async () => {
    const cache = world();
    for (const name of ["a", "b", "c"]) cache.assume(pod(`on-${name}`, 1, "4"), name);
    const text = '{urlPrefix: "http://x", preemptVerb: preempt, nodeCacheCapable: true}';
    const agrees = extendersOf(text, ({ body }) => {
      const { b } = body["NodeNameToMetaVictims"] as Record<string, unknown>;
      return { NodeNameToMetaVictims: { b } };
    });
    assert.equal(await decided(pod("p", 10, "4"), agrees, cache), "b: on-b");
    const none = extendersOf(text, () => ({ NodeNameToMetaVictims: {} }));
    assert.match(
      await decided(pod("p", 10, "4"), none, cache),
      /no candidate node for preemption$/,
    );
    const fails = extendersOf(text, () => {
      throw new Error("down");
    });
    assert.match(
      await decided(pod("p", 10, "4"), fails, cache),
      /^0\/3 nodes are available: 3 Insufficient cpu\. .*, preemption: extender http:\/\/x: Error: down$/,
    );
  });

  it("bind Pods, and say when they cannot", async () => {
    const text = '{urlPrefix: "http://x", bindVerb: bind}';
    const sent: unknown[] = [];
    const [binds] = extendersOf(text, ({ body }) => (sent.push(body), {}));
    await binds!.bind(pod("p"), "a");
    assert.deepEqual(sent, [{ PodName: "p", PodNamespace: "default", PodUID: "p", Node: "a" }]);
    const [refuses] = extendersOf(text, () => ({ Error: "no" }));
    await assert.rejects(refuses!.bind(pod("p"), "a"), /no/);
  });
});
