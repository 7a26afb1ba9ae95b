import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../base/seeded-random.ts";
import type { V1Node, V1Pod, V1PodSpec } from "../gen/types.ts";
import { ConfigurationError } from "./configuration-part.ts";
import { DEFAULT_CONFIGURATION, readConfiguration } from "./configuration.ts";
import { decide } from "./cycle.ts";
import { FreshLook } from "./look.ts";
import { PodClasses } from "./pod-class.ts";
import { SchedulerCache } from "./scheduler-cache.ts";
import { Workloads } from "./workloads.ts";

const HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";

/** The only profile of a file with this profile in it, as flow YAML. */
function profile(text: string) {
  return readConfiguration(`${HEAD}profiles: [${text}]`).profiles[0]!;
}

function node(name: string, labels: Record<string, string> = {}, cpu = "4"): V1Node {
  return {
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
    spec: {},
    status: { allocatable: { cpu, memory: "8Gi", pods: "10", "example.com/gpu": "4" } },
  };
}

function pod(name: string, requests: Record<string, string>, spec: Partial<V1PodSpec> = {}): V1Pod {
  const containers = [{ name: "c", image: "i", resources: { requests } }];
  return {
    metadata: { name, namespace: "default", uid: name, labels: { app: "web" } },
    spec: { containers, priority: 0, ...spec },
  };
}

function world(...nodes: readonly V1Node[]): SchedulerCache {
  const cache = new SchedulerCache();
  for (const one of nodes) cache.setNode(one);
  return cache;
}

/** The node, or the message. */
function placed(text: string, subject: V1Pod, cache: SchedulerCache): string {
  const { plugins, preemption } = profile(text);
  const classes = new PodClasses(plugins, cache.interest, new Workloads());
  const random = new SeededRandom(1);
  const decision = decide(subject, classes.of(subject), cache, random, preemption);
  return decision.kind === "bind" ? decision.node.name : decision.message;
}

/** `plugin=score` of each node, for one plugin. */
function scored(text: string, plugin: string, subject: V1Pod, cache: SchedulerCache): number[] {
  const classes = new PodClasses(profile(text).plugins, cache.interest, new Workloads());
  const look = new FreshLook(classes.of(subject), cache);
  const found = look.scores(cache.nodes).find((one) => one.plugin === plugin);
  return [...(found?.scores ?? [])];
}

describe("readConfiguration", () => {
  it("is the default when it says nothing", () => {
    const { profiles, ...rest } = readConfiguration(HEAD);
    const names = (of: typeof profiles): readonly string[] => of[0]!.plugins.map((p) => p.name);
    assert.deepEqual(names(profiles), names(DEFAULT_CONFIGURATION.profiles));
    assert.deepEqual(rest, { extenders: [], initialBackoffMs: 1000, maxBackoffMs: 10_000 });
    const text = `${HEAD}extenders: [{urlPrefix: "http://a/", managedResources: [{name: a.b/c}]}]`;
    assert.deepEqual(readConfiguration(text).extenders, [
      {
        urlPrefix: "http://a",
        ...{ filterVerb: "", prioritizeVerb: "", preemptVerb: "", bindVerb: "", weight: 1 },
        ...{ timeoutMs: 5000, isNodeCacheCapable: false, isIgnorable: false },
        managedResources: [{ name: "a.b/c", ignoredByScheduler: false }],
      },
    ]);
    assert.equal(profiles[0]!.schedulerName, "default-scheduler");
  });

  for (const [text, expected] of [
    ["kind: Pod", /^expected kind KubeSchedulerConfiguration of kubescheduler/],
    [": :", /^it is not YAML/],
    [
      `${HEAD}profiles: [{schedulerName: a}, {schedulerName: a}]`,
      /profiles\[1\].schedulerName "a"/,
    ],
    [
      `${HEAD}profiles: [{plugins: {score: {enabled: [{name: Nobody}]}}}]`,
      /profiles\[0\].plugins.score.enabled\[0\].name "Nobody": must be one of/,
    ],
    [
      `${HEAD}profiles: [{pluginConfig: [{name: InterPodAffinity, args: {hardPodAffinityWeight: 101}}]}]`,
      /hardPodAffinityWeight 101: not in valid range \[0-100\]/,
    ],
    [
      `${HEAD}profiles: [{pluginConfig: [{name: PodTopologySpread, args: {defaultConstraints: [{maxSkew: 1}]}}]}]`,
      /when .defaultingType is System, must be empty/,
    ],
    [`${HEAD}podInitialBackoffSeconds: 20`, /podMaxBackoffSeconds 10: must be greater than/],
    [`${HEAD}extenders: [{urlPrefix: here}]`, /extenders\[0\].urlPrefix "here"/],
    [
      `${HEAD}extenders: [{urlPrefix: "http://a", prioritizeVerb: p, weight: 0}]`,
      /must have a positive weight/,
    ],
    [
      `${HEAD}extenders: [{urlPrefix: "https://a", tlsConfig: {insecure: true, caFile: /ca}}]`,
      /tlsConfig.insecure true: specifying a root certificates file with the insecure flag/,
    ],
    [
      `${HEAD}extenders: [{urlPrefix: "https://a", tlsConfig: {certFile: /cert}}]`,
      /tlsConfig "a certificate": certificate and key belong together/,
    ],
  ] as const)
    it(`refuses ${text.replace(HEAD, "").trim()}`, () =>
      assert.throws(
        () => readConfiguration(text),
        (error) => error instanceof ConfigurationError && expected.test(error.message),
      ));
});

describe("the TLS of an extender", () => {
  const tlsOf = (text: string): unknown =>
    readConfiguration(`${HEAD}extenders: [{urlPrefix: "https://a", ${text}}]`).extenders[0]!.tls;
  const none = {
    isInsecure: false,
    serverName: "",
    ca: undefined,
    cert: undefined,
    key: undefined,
  };

  it("is the machine's without a word", () => assert.equal(tlsOf("weight: 1"), undefined));

  it("believes anybody with enableHTTPS and no authority, as upstream", () => {
    assert.deepEqual(tlsOf("enableHTTPS: true"), { ...none, isInsecure: true });
    const ca = { file: "/ca.pem" };
    assert.deepEqual(tlsOf("enableHTTPS: true, tlsConfig: {caFile: /ca.pem}"), { ...none, ca });
  });

  it("takes text before files", () => {
    const data = Buffer.from("PEM").toString("base64");
    const text = `caData: ${data}, caFile: /ca, certFile: /c, keyFile: /k, serverName: x.test`;
    assert.deepEqual(tlsOf(`tlsConfig: {${text}}`), {
      isInsecure: false,
      serverName: "x.test",
      ca: { text: "PEM" },
      cert: { file: "/c" },
      key: { file: "/k" },
    });
  });
});

describe("a profile", () => {
  it("leaves out what it disables, at one point or at all", () => {
    const cordoned = world({ ...node("a"), spec: { unschedulable: true } });
    const subject = pod("p", {});
    assert.match(placed("{}", subject, cordoned), /were unschedulable/);
    const off = "{plugins: {multiPoint: {disabled: [{name: NodeUnschedulable}]}}}";
    assert.equal(placed(off, subject, cordoned), "a");
    const filter = "{plugins: {filter: {disabled: [{name: NodeUnschedulable}]}}}";
    assert.equal(placed(filter, subject, cordoned), "a");
    const only =
      '{plugins: {multiPoint: {disabled: [{name: "*"}], enabled: [{name: NodeResourcesFit}]}}}';
    assert.equal(placed(only, subject, cordoned), "a");
    assert.match(placed(only, pod("big", { cpu: "9" }), cordoned), /Insufficient cpu/);
  });

  it("weighs scores anew", () => {
    const cache = world(node("a"));
    const subject = pod("p", { cpu: "1", memory: "2Gi" });
    const [once] = scored("{}", "NodeResourcesFit", subject, cache);
    const heavy = "{plugins: {score: {enabled: [{name: NodeResourcesFit, weight: 5}]}}}";
    assert.deepEqual(scored(heavy, "NodeResourcesFit", subject, cache), [5 * once!]);
  });

  it("preempts nobody without DefaultPreemption", () => {
    const cache = world(node("a"));
    cache.assume(pod("x", { cpu: "4" }), "a");
    const off = "{plugins: {postFilter: {disabled: [{name: DefaultPreemption}]}}}";
    assert.equal(
      placed(off, pod("p", { cpu: "4" }, { priority: 5 }), cache),
      "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate",
    );
  });

  it("demands nodes of every Pod by addedAffinity", () => {
    const added = (terms: string): string =>
      `{pluginConfig: [{name: NodeAffinity, args: {addedAffinity: {${terms}}}}]}`;
    const term = "matchExpressions: [{key: disk, operator: In, values: [ssd]}]";
    const required = added(
      `requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{${term}}]}`,
    );
    const preferred = added(
      `preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {${term}}}]`,
    );
    const cache = world(node("a"), node("b", { disk: "ssd" }));
    assert.equal(placed(required, pod("p", {}), cache), "b");
    assert.equal(placed(preferred, pod("p", {}), cache), "b");
    assert.match(
      placed(required, pod("p", {}), world(node("a"))),
      /1 node\(s\) didn't match scheduler-enforced node affinity/,
    );
  });

  it("spreads by its own default constraints", () => {
    const text =
      "{pluginConfig: [{name: PodTopologySpread, args: {defaultingType: List, defaultConstraints: " +
      "[{topologyKey: zone, maxSkew: 1, whenUnsatisfiable: DoNotSchedule}]}}]}";
    const cache = world(node("a", { zone: "1" }), node("b", { zone: "2" }));
    const workloads = new Workloads();
    workloads.setService("default", "web", { app: "web" });
    const { plugins } = profile(text);
    const classes = new PodClasses(plugins, cache.interest, workloads);
    cache.assume(pod("x", {}), "a");
    cache.assume(pod("y", {}), "b");
    cache.assume(pod("z", {}), "b");
    const subject = pod("p", {});
    const decision = decide(subject, classes.of(subject), cache, new SeededRandom(1));
    assert.equal(decision.kind === "bind" && decision.node.name, "a");
  });
});

describe("resource strategies", () => {
  const fit = (strategy: string): string =>
    `{pluginConfig: [{name: NodeResourcesFit, args: {scoringStrategy: {${strategy}}}}]}`;
  const cache = world(node("empty"), node("used"));
  cache.assume(pod("x", { cpu: "2", memory: "4Gi", "example.com/gpu": "2" }), "used");
  const subject = pod("p", { cpu: "1", memory: "2Gi" });
  for (const [name, strategy, expected] of [
    ["LeastAllocated prefers the emptier", "type: LeastAllocated", [75, 25]],
    ["MostAllocated prefers the fuller", "type: MostAllocated", [25, 75]],
    [
      "weights count",
      "type: MostAllocated, resources: [{name: cpu, weight: 3}, {name: memory, weight: 1}]",
      [25, 75],
    ],
    [
      "extended resources count for Pods that ask for them alone",
      "type: MostAllocated, resources: [{name: example.com/gpu, weight: 1}]",
      [0, 0],
    ],
    [
      "a ratio follows its shape",
      "type: RequestedToCapacityRatio, requestedToCapacityRatio: {shape: " +
        "[{utilization: 0, score: 10}, {utilization: 50, score: 0}, {utilization: 100, score: 10}]}",
      [50, 50],
    ],
  ] as const)
    it(name, () =>
      assert.deepEqual(scored(fit(strategy), "NodeResourcesFit", subject, cache), expected),
    );

  it("counts an extended resource of a Pod that asks for it", () => {
    const asks = pod("p", { "example.com/gpu": "1" });
    const text = fit("type: MostAllocated, resources: [{name: example.com/gpu, weight: 1}]");
    assert.deepEqual(scored(text, "NodeResourcesFit", asks, cache), [25, 75]);
  });

  it("leaves out what others look after", () => {
    const asks = pod("p", { "example.com/gpu": "9" });
    assert.match(placed("{}", asks, cache), /Insufficient example.com\/gpu/);
    const ignored =
      "{pluginConfig: [{name: NodeResourcesFit, args: {ignoredResourceGroups: [example.com]}}]}";
    assert.equal(placed(ignored, asks, cache), "empty");
  });
});
