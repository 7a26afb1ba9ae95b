// Evictions against budgets that a controller keeps: server and controllers in one process, on virtual time.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PodDisruptionBudget } from "../../src/api/policy/pod-disruption-budget.ts";
import { InProcessCache } from "../../src/apiserver/in-process-cache.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { SeededRandom } from "../../src/base/seeded-random.ts";
import { disruptionLoop } from "../../src/controllers/disruption/disruption.ts";
import { staleTargetLoop } from "../../src/controllers/disruption/stale-target.ts";
import { EventRecorder } from "../../src/client/event-recorder.ts";
import { runLoop } from "../../src/reconciler/runner.ts";
import { startTestServer, type Answer, type Body, type TestServer } from "../support/api-server.ts";

const PODS = "/api/v1/namespaces/default/pods";
const BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";

interface World {
  readonly server: TestServer;
  /** Lets `ms` pass, and everything that follows from it happen. */
  pass(ms?: number): Promise<void>;
  ask(method: string, target: string, body?: unknown): Promise<Body>;
  budget(name: string, spec: object): Promise<void>;
  allowed(name: string): Promise<number>;
  evict(pod: string, body?: object, query?: string): Promise<Answer>;
  /** A Pod on node `n`. */
  pod(
    name: string,
    options?: { readonly isReady?: boolean; readonly phase?: string },
  ): Promise<void>;
}

function inWorld(body: (world: World) => Promise<void>): () => Promise<void> {
  return async () => {
    const server = await startTestServer();
    const { client, clock } = server;
    const cache = new InProcessCache(server.server.parts);
    const events = new EventRecorder(client, clock, new SeededRandom(1), silentLogger);
    const surroundings = { client, cache, clock, logger: silentLogger, events };
    const loops = [disruptionLoop(cache), staleTargetLoop(cache)].map((loop) =>
      runLoop(loop, surroundings),
    );
    await Promise.all(loops.map(({ ready }) => ready));
    try {
      await body(worldOf(server));
    } finally {
      await Promise.all(loops.map((loop) => loop.close()));
      cache.close();
      events.close();
      await server.close();
    }
  };
}

function worldOf(server: TestServer): World {
  const pass = (ms = 1000): Promise<void> => server.clock.advance(ms);
  const ask = async (method: string, target: string, body?: unknown): Promise<Body> => {
    const { status, text, json } = await server.request(method, target, body);
    assert.ok(status < 300, text);
    return json;
  };
  return {
    server,
    pass,
    ask,
    async budget(name, spec) {
      const selector = { matchLabels: { app: "x" } };
      await ask("POST", BUDGETS, { metadata: { name }, spec: { selector, ...spec } });
      await pass();
    },
    allowed: async (name) => (await ask("GET", `${BUDGETS}/${name}`)).status.disruptionsAllowed,
    evict(name, more = {}, query = "") {
      const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name }, ...more };
      return server.request("POST", `${PODS}/${name}/eviction${query}`, eviction);
    },
    async pod(name, { isReady = true, phase = "Running" } = {}) {
      const spec = { nodeName: "n", containers: [{ name: "c", image: "i" }] };
      const made = await ask("POST", PODS, { metadata: { name, labels: { app: "x" } }, spec });
      const conditions = [{ type: "Ready", status: isReady ? "True" : "False" }];
      await ask("PUT", `${PODS}/${name}/status`, { ...made, status: { phase, conditions } });
      await pass();
    },
  };
}

const isGoing = async ({ ask }: World, name: string): Promise<boolean> =>
  (await ask("GET", `${PODS}/${name}`)).metadata.deletionTimestamp !== undefined;

describe("evictions and budgets", () => {
  it(
    "spend what the budget allows; then they are refused in upstream's words",
    inWorld(async (world) => {
      for (const name of ["a", "b", "c"]) await world.pod(name);
      await world.budget("b", { minAvailable: 2 });
      assert.equal(await world.allowed("b"), 1);
      // Both before the controller has heard of either.
      const answers = await Promise.all([world.evict("a"), world.evict("b")]);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 429]);
      const { json } = answers.find(({ status }) => status === 429)!;
      assert.equal(json.reason, "TooManyRequests");
      assert.equal(
        json.message,
        "Cannot evict pod as it would violate the pod's disruption budget.",
      );
      assert.equal(json.details.causes[0].reason, "DisruptionBudget");
      await world.pass();
      const { status } = await world.ask("GET", `${BUDGETS}/b`);
      assert.deepEqual([status.currentHealthy, status.disruptionsAllowed], [2, 0]);
      const later = await world.evict("c");
      assert.equal(
        later.json.details.causes[0].message,
        "The disruption budget b needs 2 healthy pods and has 2 currently",
      );
      assert.equal(await isGoing(world, "c"), false);
    }),
  );

  it(
    "in both versions, and no other",
    inWorld(async (world) => {
      for (const name of ["a", "b"]) await world.pod(name);
      assert.equal((await world.evict("a", { apiVersion: "policy/v1beta1" })).status, 201);
      assert.equal((await world.evict("b", { apiVersion: "policy/v2" })).status, 400);
      const wrong = await world.evict("b", { metadata: { name: "a" } });
      assert.equal(wrong.json.message, "name in URL does not match name in Eviction object");
      assert.equal(await isGoing(world, "b"), false);
    }),
  );

  it(
    "a dry run asks the budget and spends nothing",
    inWorld(async (world) => {
      for (const name of ["a", "b"]) await world.pod(name);
      await world.budget("b", { minAvailable: 1 });
      assert.equal((await world.evict("a", { deleteOptions: { dryRun: ["All"] } })).status, 201);
      assert.equal((await world.evict("a", {}, "?dryRun=All")).status, 201);
      assert.deepEqual([await world.allowed("b"), await isGoing(world, "a")], [1, false]);
      await world.ask("DELETE", `${BUDGETS}/b`);
      await world.budget("all", { maxUnavailable: 0 });
      assert.equal((await world.evict("a", {}, "?dryRun=All")).status, 429);
    }),
  );

  it(
    "of a Pod that was not meant spend nothing",
    inWorld(async (world) => {
      for (const name of ["a", "b"]) await world.pod(name);
      await world.budget("b", { minAvailable: 1 });
      const other = { deleteOptions: { preconditions: { uid: "another" } } };
      assert.equal((await world.evict("a", other)).status, 409);
      assert.equal(await world.allowed("b"), 1);
    }),
  );

  it(
    "of a Pod with two budgets are more than can be answered",
    inWorld(async (world) => {
      await world.pod("a");
      await world.budget("b", { minAvailable: 0 });
      await world.budget("c", { minAvailable: 0 });
      const { status, json } = await world.evict("a");
      assert.equal(status, 500);
      assert.equal(
        json.message,
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
      );
      assert.equal(json.reason, undefined);
    }),
  );

  it(
    "of what is not ready cost nothing while the budget is met, or always, as its policy says",
    inWorld(async (world) => {
      await world.pod("good");
      await world.pod("ill", { isReady: false });
      await world.pod("ill-too", { isReady: false });
      await world.budget("b", { minAvailable: 2 });
      assert.equal((await world.evict("ill")).status, 429);
      const budget = await world.ask("GET", `${BUDGETS}/b`);
      budget.spec.unhealthyPodEvictionPolicy = "AlwaysAllow";
      await world.ask("PUT", `${BUDGETS}/b`, budget);
      await world.pass();
      assert.equal((await world.evict("ill")).status, 201);
      const met = await world.ask("GET", `${BUDGETS}/b`);
      const policy = { minAvailable: 1, unhealthyPodEvictionPolicy: "IfHealthyBudget" };
      await world.ask("PUT", `${BUDGETS}/b`, { ...met, spec: { ...met.spec, ...policy } });
      await world.pass();
      assert.equal((await world.evict("ill-too")).status, 201);
      assert.equal((await world.evict("good")).status, 429);
    }),
  );

  it(
    "of what has ended, or not begun, ask no budget",
    inWorld(async (world) => {
      await world.pod("over", { isReady: false, phase: "Failed" });
      await world.pod("early", { isReady: false, phase: "Pending" });
      await world.budget("b", { maxUnavailable: 0 });
      assert.equal((await world.evict("over")).status, 201);
      assert.equal((await world.evict("early")).status, 201);
    }),
  );

  it(
    "a Pod that is evicted and lives on gives back the disruption, and the word against it",
    inWorld(async (world) => {
      for (const name of ["a", "b"]) await world.pod(name);
      await world.budget("b", { minAvailable: 1 });
      // What an eviction leaves whose server dies before it has deleted the Pod.
      const budget = await world.ask("GET", `${BUDGETS}/b`);
      const time = new Date(world.server.clock.now()).toISOString().replace(/\.\d+Z/, "Z");
      const status = { ...budget.status, disruptionsAllowed: 0, disruptedPods: { a: time } };
      await world.ask("PUT", `${BUDGETS}/b/status`, { ...budget, status });
      const pod = await world.ask("GET", `${PODS}/a`);
      pod.status.conditions.push({
        type: "DisruptionTarget",
        status: "True",
        lastTransitionTime: time,
      });
      await world.ask("PUT", `${PODS}/a/status`, pod);
      await world.pass(60_000);
      assert.equal(await world.allowed("b"), 0);
      await world.pass(61_000);
      assert.equal(await world.allowed("b"), 1);
      const { conditions } = (await world.ask("GET", `${PODS}/a`)).status;
      const target = conditions.find(({ type }: Body) => type === "DisruptionTarget");
      assert.equal(target.status, "False");
    }),
  );

  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8])
    it(
      `never end more than the budget allows, however they come (seed ${seed})`,
      inWorld(async (world) => {
        const random = new SeededRandom(seed);
        const desired = 2 + random.integer(3);
        const names = Array.from({ length: 7 }, (_, index) => `p${index}`);
        for (const name of names) await world.pod(name);
        await world.budget("b", { minAvailable: desired });
        const isHealthy = ({ metadata, status }: Body): boolean =>
          metadata.deletionTimestamp === undefined &&
          status.conditions.some(({ type, status }: Body) => type === "Ready" && status === "True");
        for (let round = 0; round < 25; round++) {
          const asked = names.filter(() => random.integer(3) === 0);
          await Promise.all(asked.map((name) => world.evict(name)));
          const { items } = await world.ask("GET", PODS);
          assert.ok(items.filter(isHealthy).length >= desired, `round ${round}`);
          // Some end, and come again, sooner or later.
          for (const { metadata } of items)
            if (metadata.deletionTimestamp && random.integer(2) === 0) {
              await world.ask("DELETE", `${PODS}/${metadata.name}?gracePeriodSeconds=0`);
              if (random.integer(2) === 0) await world.pod(metadata.name);
            }
          if (random.integer(2) === 0) await world.pass(random.integer(3000));
        }
      }),
    );

  it(
    "an empty selector is all Pods in v1, and none in v1beta1",
    inWorld(async (world) => {
      await world.pod("a");
      const beta = "/apis/policy/v1beta1/namespaces/default/poddisruptionbudgets";
      const body = (name: string) => ({
        metadata: { name },
        spec: { selector: {}, minAvailable: 1 },
      });
      await world.ask("POST", BUDGETS, body("new"));
      await world.ask("POST", beta, body("old"));
      await world.pass();
      const counted = async (name: string): Promise<number> =>
        (await world.server.client.get(PodDisruptionBudget, { namespace: "default", name })).status!
          .expectedPods!;
      assert.deepEqual([await counted("new"), await counted("old")], [1, 0]);
      assert.deepEqual((await world.ask("GET", `${beta}/old`)).spec.selector, {});
      assert.deepEqual((await world.ask("GET", `${BUDGETS}/new`)).spec.selector, {});
    }),
  );
});
