import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Event } from "../api/core/event.ts";
import { Node } from "../api/core/node.ts";
import { Pod } from "../api/core/pod.ts";
import { InProcessCache } from "../apiserver/in-process-cache.ts";
import { silentLogger } from "../base/logger.ts";
import { MetricRegistry } from "../base/metrics.ts";
import { Unreachable } from "../base/network.ts";
import { SeededRandom } from "../base/seeded-random.ts";
import { conflict, expired, forbidden } from "../api/machinery/status-errors.ts";
import type { KubeObject } from "../api/machinery/object.ts";
import type { Cache } from "../client/cache.ts";
import type { Client, WatchEvent } from "../client/client.ts";
import { ListWatchCache } from "../client/list-watch-cache.ts";
import type { V1PodSpec } from "../gen/types.ts";
import { EventRecorder } from "../client/event-recorder.ts";
import { node, pod } from "../../test/support/builders.ts";
import { startTestServer, type TestServer } from "../../test/support/api-server.ts";
import { readConfiguration } from "./configuration.ts";
import { Scheduler, type SchedulerOptions } from "./scheduler.ts";

interface World {
  readonly server: TestServer;
  readonly client: Client;
  /** What happens to each binding before it goes out; may wait or throw. */
  beforeBinding: (name: string) => Promise<void>;
  /** The same when it was carried out and before its answer comes. */
  afterBinding: (name: string) => Promise<void>;
  /** What happens before a scheduler that follows by watch is told; may wait. */
  beforeEvent: (event: WatchEvent<KubeObject>) => Promise<void>;
  addNode(name: string): Promise<void>;
  addPod(name: string, spec?: Partial<V1PodSpec>): Promise<void>;
  removePod(name: string): Promise<void>;
  /** As another scheduler would. */
  bindElsewhere(name: string): Promise<void>;
  pass(ms: number): Promise<void>;
  /** `a:n1 b:` */
  places(): Promise<string>;
  reasons(name: string): Promise<readonly string[]>;
}

type StartCache = (server: TestServer, client: Client) => Cache;

const startInProcess: StartCache = ({ server }) => new InProcessCache(server.parts);
/** As in a process of its own. */
const startFollowing: StartCache = ({ clock }, client) =>
  new ListWatchCache(client, clock, new SeededRandom(2), silentLogger);

function inWorld(
  body: (world: World) => Promise<void>,
  startCache = startInProcess,
  options: Partial<SchedulerOptions> = {},
): () => Promise<void> {
  return async () => {
    const server = await startTestServer();
    const { client, clock } = server;
    const events = new EventRecorder(client, clock, new SeededRandom(1), silentLogger);
    const world: World = {
      server,
      client,
      beforeBinding: () => Promise.resolve(),
      afterBinding: () => Promise.resolve(),
      beforeEvent: () => Promise.resolve(),
      async addNode(name) {
        await client.create(Node, node(name));
      },
      async addPod(name, spec = {}) {
        await client.create(Pod, pod(name, { spec }));
      },
      async removePod(name) {
        await client.delete(Pod, key(name), { graceSeconds: 0 });
      },
      async bindElsewhere(name) {
        const target = { apiVersion: "v1", kind: "Node", name: "elsewhere" };
        const binding = { apiVersion: "v1", kind: "Binding", metadata: key(name), target };
        await client.createSubresource(Pod, key(name), "binding", binding as never);
      },
      async pass(ms) {
        for (let left = ms; left > 0; left -= 250) await clock.advance(Math.min(250, left));
      },
      async places() {
        const { items } = await client.list(Pod);
        return items.map((one) => `${one.metadata!.name}:${one.spec!.nodeName ?? ""}`).join(" ");
      },
      async reasons(name) {
        await events.idle();
        const { items } = await client.list(Event);
        const own = items.filter(({ involvedObject }) => involvedObject.name === name);
        return own.map(
          ({ reason, message, count, series }) =>
            `${reason} ×${count ?? series?.count ?? 1}: ${message}`,
        );
      },
    };
    const intercepted = Object.assign(Object.create(client) as Client, {
      createSubresource: async (...call: Parameters<Client["createSubresource"]>) => {
        await world.beforeBinding(call[1].name);
        const answer = await client.createSubresource(...call);
        await world.afterBinding(call[1].name);
        return answer;
      },
      patch: (...call: Parameters<Client["patch"]>) => client.patch(...call),
      get: (...call: Parameters<Client["get"]>) => client.get(...call),
      list: (...call: Parameters<Client["list"]>) => client.list(...call),
      async *watch(...call: Parameters<Client["watch"]>) {
        for await (const event of client.watch(...call)) {
          await world.beforeEvent(event);
          yield event;
        }
      },
      delete: (...call: Parameters<Client["delete"]>) => client.delete(...call),
    });
    const cache = startCache(server, intercepted);
    const random = new SeededRandom(1);
    const scheduler = new Scheduler({
      client: intercepted, cache, clock, random, logger: silentLogger, events, ...options,
    }); // prettier-ignore
    const started = scheduler.start();
    await world.pass(250);
    await started;
    await body(world)
      .finally(() => scheduler.close())
      .finally(() => cache.close())
      .finally(() => events.close())
      .finally(() => server.close());
  };
}

const key = (name: string) => ({ namespace: "default", name });

const HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";

const requesting = (cpu: string): Partial<V1PodSpec> => ({
  containers: [{ name: "app", image: "app:1", resources: { requests: { cpu } } }],
});

describe("Scheduler", () => {
  it(
    "binds a Pod, and says so",
    inWorld(async (world) => {
      const { client } = world;
      await world.addNode("n1");
      await world.addPod("a");
      await world.pass(100);
      assert.equal(await world.places(), "a:n1");
      const [condition] = (await client.get(Pod, key("a"))).status!.conditions!;
      assert.equal(`${condition!.type} ${condition!.status}`, "PodScheduled True");
      assert.deepEqual(await world.reasons("a"), [
        "Scheduled ×1: Successfully assigned default/a to n1",
      ]);
    }),
  );

  it(
    "says why it cannot, once, and binds when that has changed",
    inWorld(async (world) => {
      const { client } = world;
      await world.addNode("n1");
      await world.addPod("a", requesting("3"));
      await world.addPod("b", requesting("3"));
      await world.pass(3000);
      const message =
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, " +
        "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
      const waiting = await client.get(Pod, key("b"));
      assert.equal(waiting.status!.conditions![0]!.message, message);
      for (let i = 0; i < 5; i++) {
        const labels = { "kubernetes.io/hostname": "n1", [`try${i}`]: "" };
        await client.patch(Node, { name: "n1" }, { type: "merge", body: { metadata: { labels } } });
        await world.pass(20_000);
      }
      assert.deepEqual(await world.reasons("b"), [`FailedScheduling ×1: ${message}`]);
      await world.removePod("a");
      await world.pass(100);
      assert.equal(await world.places(), "b:n1");
    }),
  );

  it(
    "keeps the room of a Pod whose binding is under way, whatever else is written to it",
    inWorld(async (world) => {
      const { client } = world;
      let release = (): void => {};
      world.beforeBinding = () => new Promise((resolve) => (release = resolve));
      await world.addNode("n1");
      await world.addPod("a", requesting("3"));
      await world.pass(100);
      const body = { metadata: { labels: { written: "meanwhile" } } };
      await client.patch(Pod, key("a"), { type: "merge", body });
      const releaseA = release;
      world.beforeBinding = () => Promise.resolve();
      await world.addPod("b", requesting("3"));
      await world.pass(100);
      assert.equal(await world.places(), "a: b:");
      releaseA();
      await world.pass(100);
      assert.equal(await world.places(), "a:n1 b:");
    }),
  );

  for (const [what, error] of [
    ["is lost", new Unreachable("no answer")],
    ["is that of its repetition", conflict(Pod, "a", "it is assigned")],
  ] as const)
    it(
      `gives nobody the room of a Pod that was bound, though the answer ${what}`,
      inWorld(async (world) => {
        await world.addNode("n1");
        await world.addPod("a", requesting("3"));
        await world.addPod("b", requesting("3"));
        world.afterBinding = () => Promise.reject(error);
        // The watch tells nothing of the binding: what the scheduler knows is old.
        world.beforeEvent = ({ type }) =>
          type === "MODIFIED" ? new Promise(() => {}) : Promise.resolve();
        await world.pass(5000);
        assert.equal(await world.places(), "a:n1 b:");
      }, startFollowing),
    );

  it(
    "frees the room of a Pod that went and was made anew while nothing was heard of either",
    inWorld(async (world) => {
      await world.addNode("n1");
      await world.addPod("a", requesting("3"));
      await world.pass(100);
      assert.equal(await world.places(), "a:n1");
      let cut = (): void => {};
      world.beforeEvent = ({ type }) =>
        type === "DELETED"
          ? new Promise((_, reject) => (cut = () => reject(expired("too old resource version"))))
          : Promise.resolve();
      await world.removePod("a");
      await world.addPod("a", requesting("3"));
      await world.pass(100);
      assert.equal(await world.places(), "a:", "not yet heard of");
      cut();
      await world.pass(2000);
      assert.equal(await world.places(), "a:n1");
    }, startFollowing),
  );

  it(
    "tries again after its backoff when a binding fails, and gives the room to others until then",
    inWorld(async (world) => {
      world.beforeBinding = async (name) => {
        if (name === "a") throw new Unreachable("test");
      };
      await world.addNode("n1");
      await world.addPod("a", requesting("3"));
      await world.pass(100);
      await world.addPod("b", requesting("3"));
      await world.pass(500);
      assert.equal(await world.places(), "a: b:n1");
      world.beforeBinding = () => Promise.resolve();
      await world.addNode("n2");
      await world.pass(1000);
      assert.equal(await world.places(), "a:n2 b:n1");
    }),
  );

  it(
    "gives the room to who waits when another scheduler has bound the Pod elsewhere, or it shrinks",
    inWorld(async (world) => {
      const { client } = world;
      let release = (): void => {};
      world.beforeBinding = () => new Promise((resolve) => (release = resolve));
      await world.addNode("n1");
      await world.addPod("a", requesting("3"));
      await world.pass(100);
      world.beforeBinding = () => Promise.resolve();
      await world.addPod("b", requesting("3"));
      await world.pass(100);
      assert.equal(await world.places(), "a: b:");
      await world.bindElsewhere("a");
      await world.pass(100);
      assert.equal(await world.places(), "a:elsewhere b:n1");
      release();
      await world.addPod("c", requesting("2"));
      await world.pass(100);
      const containers = requesting("1").containers!;
      const shrink = { type: "strategic", body: { spec: { containers } } } as const;
      await client.patch(Pod, key("b"), shrink, { subresource: "resize" });
      await world.pass(100);
      assert.equal(await world.places(), "a:elsewhere b:n1 c:n1");
    }),
  );

  it(
    "evicts Pods of lower priority for one that fits nowhere, and keeps their node for it",
    inWorld(async (world) => {
      const { client } = world;
      await world.addNode("n1");
      await world.addPod("low", { ...requesting("3"), priority: 1 });
      await world.pass(100);
      await world.addPod("high", { ...requesting("3"), priority: 10 });
      await world.pass(100);
      const victim = await client.get(Pod, key("low"));
      const high = await client.get(Pod, key("high"));
      assert.ok(victim.metadata!.deletionTimestamp);
      const target = victim.status!.conditions!.find(({ type }) => type === "DisruptionTarget")!;
      assert.equal(
        `${target.reason}: ${target.message}`,
        "PreemptionByScheduler: default-scheduler: preempting to accommodate a higher priority pod",
      );
      assert.equal(high.status!.nominatedNodeName, "n1");
      assert.deepEqual(await world.reasons("high"), [
        "FailedScheduling ×1: 0/1 nodes are available: 1 Insufficient cpu.",
      ]);
      const [, preempted] = await world.reasons("low");
      assert.equal(preempted, `Preempted ×1: Preempted by pod ${high.metadata!.uid} on node n1`);
      await world.addPod("late", { ...requesting("3"), priority: 5 });
      await world.removePod("low");
      await world.pass(2000);
      assert.equal(await world.places(), "high:n1 late:");
    }),
  );

  it(
    "finds another node for a Pod whose nominated node is wanted by one of higher priority",
    inWorld(async (world) => {
      const { client } = world;
      await world.addNode("n1");
      await world.addPod("low", { ...requesting("3"), priority: 1 });
      await world.pass(100);
      await world.addPod("mid", { ...requesting("3"), priority: 5 });
      await world.pass(100);
      await world.addPod("high", { ...requesting("3"), priority: 10 });
      await world.pass(3000);
      assert.equal((await client.get(Pod, key("mid"))).status!.nominatedNodeName, undefined);
      await world.addNode("n2");
      await world.removePod("low");
      await world.pass(15_000);
      const places = (await world.places()).split(" ").sort();
      assert.equal(places.filter((place) => !place.endsWith(":")).length, 2, places.join(" "));
    }),
  );

  it(
    "serves several profiles, each under its own name",
    inWorld(
      async (world) => {
        const { client } = world;
        await world.addNode("n1");
        await world.addPod("packed", { schedulerName: "packer" });
        await world.addPod("foreign", { schedulerName: "nobody" });
        await world.addPod("never", { ...requesting("9"), schedulerName: "packer" });
        await world.pass(1000);
        assert.equal(await world.places(), "foreign: never: packed:n1");
        assert.deepEqual(await world.reasons("never"), [
          "FailedScheduling ×1: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate",
        ]);
        const { items } = await client.list(Event);
        const sources = items.map((event) => event.reportingComponent ?? event.source?.component);
        assert.deepEqual(new Set(sources), new Set(["packer"]));
      },
      startInProcess,
      {
        configuration: readConfiguration(
          `${HEAD}profiles:
            - schedulerName: default-scheduler
            - schedulerName: packer
              plugins: {postFilter: {disabled: [{name: DefaultPreemption}]}}`,
        ),
      },
    ),
  );

  const registry = new MetricRegistry();
  it(
    "counts what it does, under upstream's names",
    inWorld(
      async (world) => {
        await world.addNode("n1");
        await world.addPod("gated", { schedulingGates: [{ name: "a.b/c" }] });
        await world.addPod("low", { ...requesting("3"), priority: 1 });
        await world.pass(100);
        world.beforeBinding = () => Promise.reject(new Unreachable("test"));
        await world.addPod("unlucky", requesting("1"));
        await world.pass(100);
        await world.addPod("huge", requesting("9"));
        await world.addPod("high", { ...requesting("3"), priority: 10 });
        await world.pass(100);
        const lines = registry.text().split("\n");
        const told = (name: string): readonly string[] =>
          lines.filter((line) => line.startsWith(`scheduler_${name}`)).sort();
        assert.deepEqual(told("schedule_attempts_total"), [
          'scheduler_schedule_attempts_total{profile="default-scheduler",result="error"} 1',
          'scheduler_schedule_attempts_total{profile="default-scheduler",result="scheduled"} 1',
          'scheduler_schedule_attempts_total{profile="default-scheduler",result="unschedulable"} 2',
        ]);
        assert.deepEqual(told("pending_pods"), [
          'scheduler_pending_pods{queue="active"} 0',
          'scheduler_pending_pods{queue="backoff"} 1',
          'scheduler_pending_pods{queue="gated"} 1',
          'scheduler_pending_pods{queue="unschedulable"} 2',
        ]);
        assert.deepEqual(told("unschedulable_pods"), [
          'scheduler_unschedulable_pods{plugin="NodeResourcesFit",profile="default-scheduler"} 2',
        ]);
        assert.deepEqual(told("cache_size"), [
          'scheduler_cache_size{type="assumed_pods"} 0',
          'scheduler_cache_size{type="nodes"} 1',
          'scheduler_cache_size{type="pods"} 1',
        ]);
        assert.deepEqual(told("preemption_attempts_total"), [
          "scheduler_preemption_attempts_total 2",
        ]);
        assert.deepEqual(told("preemption_victims_count"), [
          "scheduler_preemption_victims_count 1",
        ]);
        assert.deepEqual(told("pod_scheduling_sli_duration_seconds_count"), [
          'scheduler_pod_scheduling_sli_duration_seconds_count{attempts="1"} 1',
        ]);
        const counts = (name: string): readonly string[] =>
          told(`${name}_count`).map((line) => line.slice(line.indexOf("{")));
        const of = 'profile="default-scheduler"';
        assert.deepEqual(counts("framework_extension_point_duration_seconds"), [
          `{extension_point="Bind",${of},status="Error"} 1`,
          `{extension_point="Bind",${of},status="Success"} 1`,
          `{extension_point="Filter",${of},status="Success"} 4`,
          `{extension_point="PostFilter",${of},status="Success"} 1`,
          `{extension_point="PostFilter",${of},status="Unschedulable"} 1`,
          `{extension_point="PreFilter",${of},status="Success"} 4`,
          `{extension_point="Reserve",${of},status="Success"} 2`,
          `{extension_point="Score",${of},status="Success"} 2`,
        ]);
        assert.deepEqual(counts("plugin_execution_duration_seconds"), [
          '{extension_point="Filter",plugin="NodeResourcesFit",status="Success"} 1',
          '{extension_point="Filter",plugin="NodeUnschedulable",status="Success"} 1',
          '{extension_point="Filter",plugin="TaintToleration",status="Success"} 1',
          '{extension_point="Score",plugin="NodeResourcesBalancedAllocation",status="Success"} 1',
          '{extension_point="Score",plugin="NodeResourcesFit",status="Success"} 1',
          '{extension_point="Score",plugin="TaintToleration",status="Success"} 1',
        ]);
        assert.deepEqual(told("queue_incoming_pods_total"), [
          'scheduler_queue_incoming_pods_total{event="ScheduleAttemptFailure",queue="backoff"} 1',
          'scheduler_queue_incoming_pods_total{event="ScheduleAttemptFailure",queue="unschedulable"} 2',
          'scheduler_queue_incoming_pods_total{event="UnschedulablePodAdd",queue="active"} 4',
          'scheduler_queue_incoming_pods_total{event="UnschedulablePodAdd",queue="gated"} 1',
        ]);
      },
      startInProcess,
      { metrics: registry },
    ),
  );

  let isExtenderDown = false;
  it(
    "asks extenders, waits for them, and tries again when they fail",
    inWorld(
      async (world) => {
        for (const name of ["n1", "n2", "n3"]) await world.addNode(name);
        isExtenderDown = true;
        await world.addPod("a");
        await world.pass(100);
        assert.deepEqual(await world.reasons("a"), [
          "FailedScheduling ×1: extender http://x: Error: down",
        ]);
        const { status } = await world.client.get(Pod, key("a"));
        assert.equal(status?.conditions?.[0]?.reason, "SchedulerError");
        isExtenderDown = false;
        await world.pass(2000);
        await world.addPod("b");
        await world.pass(100);
        assert.equal(await world.places(), "a:n2 b:n2");
      },
      startInProcess,
      {
        configuration: readConfiguration(
          `${HEAD}extenders: [{urlPrefix: "http://x", filterVerb: filter, nodeCacheCapable: true}]`,
        ),
        postJson: async () => {
          if (isExtenderDown) throw new Error("down");
          return { NodeNames: ["n2"] };
        },
      },
    ),
  );

  it(
    "says that a binding failed, and of whose making, until it succeeds",
    inWorld(async (world) => {
      const conditionOf = async (name: string) => {
        const { status } = await world.client.get(Pod, key(name));
        const { reason, message } = status!.conditions![0]!;
        return `${reason}: ${message}`;
      };
      await world.addNode("n1");
      world.beforeBinding = () => Promise.reject(forbidden(undefined, "", "not today"));
      await world.addPod("a");
      await world.pass(100);
      const message = 'running Bind plugin "DefaultBinder": forbidden: not today';
      assert.equal(await conditionOf("a"), `SchedulerError: ${message}`);
      assert.deepEqual(await world.reasons("a"), [`FailedScheduling ×1: ${message}`]);
      world.beforeBinding = () => Promise.resolve();
      await world.pass(3000);
      assert.equal(await world.places(), "a:n1");
    }),
  );

  it(
    "a binding that failed is not told to another Pod of the name",
    inWorld(async (world) => {
      await world.addNode("n1");
      world.beforeBinding = async () => {
        world.beforeBinding = () => Promise.resolve();
        await world.client.delete(Pod, key("a"), { graceSeconds: 0 });
        await world.addPod("a");
        throw forbidden(undefined, "", "not today");
      };
      await world.addPod("a");
      await world.pass(3000);
      assert.equal(await world.places(), "a:n1");
      assert.deepEqual(await world.reasons("a"), [
        "Scheduled ×1: Successfully assigned default/a to n1",
      ]);
    }),
  );

  it(
    "says nothing of a binding that somebody else was faster with",
    inWorld(async (world) => {
      await world.addNode("n1");
      world.beforeBinding = (name) => world.bindElsewhere(name);
      await world.addPod("a");
      await world.pass(100);
      assert.equal(await world.places(), "a:elsewhere");
      assert.deepEqual(await world.reasons("a"), []);
    }),
  );

  for (let seed = 1; seed <= 8; seed++)
    it(
      `over-commits no node and leaves no Pod behind, whatever fails (seed ${seed})`,
      inWorld((world) => troubledWorld(world, new SeededRandom(seed))),
    );
});

const CPU_OF_NODE = 4;

/** Bindings that fail, are late or come twice; Pods and nodes that go meanwhile. Then quiet, and everything has its place. */
async function troubledWorld(world: World, random: SeededRandom): Promise<void> {
  const { client } = world;
  world.beforeBinding = async (name) => {
    const fate = random.integer(6);
    if (fate === 0) throw new Unreachable("test");
    // Another scheduler is faster.
    if (fate === 1) await world.bindElsewhere(name).catch(() => {});
    if (fate === 2) await world.removePod(name).catch(() => {});
  };
  for (let i = 0; i < 4; i++) await world.addNode(`n${i}`);
  for (let i = 0; i < 40; i++) {
    await world.addPod(`p${i}`, requesting(`${1 + random.integer(2)}`));
    if (random.integer(3) === 0) await world.pass(random.integer(1500));
    if (random.integer(4) === 0) await world.removePod(`p${random.integer(i + 1)}`).catch(() => {});
  }
  world.beforeBinding = () => Promise.resolve();
  for (let i = 4; i < 14; i++) await world.addNode(`n${i}`);
  await world.pass(15_000);
  const used = new Map<string, number>();
  for (const { metadata, spec } of (await client.list(Pod)).items) {
    assert.ok(spec!.nodeName, `${metadata!.name} waits`);
    const cpu = Number(spec!.containers[0]!.resources!.requests!.cpu);
    used.set(spec!.nodeName, (used.get(spec!.nodeName) ?? 0) + cpu);
  }
  for (const [name, cpu] of used)
    if (name !== "elsewhere") assert.ok(cpu <= CPU_OF_NODE, `${name}: ${cpu}`);
}
