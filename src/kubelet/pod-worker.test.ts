import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ScriptedCri } from "../../test/support/scripted-cri.ts";
import { ScriptedSteps } from "../../test/support/scripted-steps.ts";
import { startTestServer } from "../../test/support/api-server.ts";
import { InProcessCache } from "../apiserver/in-process-cache.ts";
import { Event } from "../api/core/event.ts";
import { Namespace } from "../api/core/namespace.ts";
import { Pod } from "../api/core/pod.ts";
import { silentLogger } from "../base/logger.ts";
import { SeededRandom } from "../base/seeded-random.ts";
import type { V1Pod, V1PodSpec } from "../gen/types.ts";
import { EventRecorder } from "./events.ts";
import { RuntimeReader } from "./executor/runtime-reader.ts";
import type { NodeFacts } from "./plan/observed.ts";
import { PodRunner } from "./pod-runner.ts";
import type { AllocationRecord } from "./pod-size.ts";
import { ProbeMetrics } from "./probes/probe-metrics.ts";
import { ReferencedObjects } from "./referenced-objects.ts";
import { StatusWriter } from "./status-writer.ts";

const SETTINGS = {
  nodeName: "node",
  dns: {
    clusterServers: ["10.96.0.10"],
    clusterDomain: "cluster.local",
    host: { servers: [], searches: [], options: [] },
  },
  cgroupRoot: "/kubepods",
  logRoot: "/nowhere/logs",
  stateRoot: "/nowhere/state",
  memoryBytes: 2 ** 33,
};

/** Real workers and a real API server on a scripted runtime and virtual time. */
async function world() {
  const api = await startTestServer();
  const { clock, client } = api;
  await client.create(Namespace, { metadata: { name: "default" } }).catch(() => {});
  const cri = new ScriptedCri(clock);
  cri.addImage("i");
  const random = new SeededRandom(1);
  const steps = new ScriptedSteps(cri, client, clock, SETTINGS);
  let facts: NodeFacts = { name: "node", ips: ["10.1.0.1"] };
  const answers = new Map<string, boolean>();
  const beside = new Map<string, readonly string[]>();
  const allocations = new Map<string, AllocationRecord>();
  const startRunner = async (): Promise<PodRunner> => {
    const reader = new RuntimeReader(cri, "node", async () => "");
    const objects = new ReferencedObjects(client, clock, random, silentLogger, () => {});
    const runner = new PodRunner({
      cache: new InProcessCache(api.server.parts),
      logger: silentLogger,
      nodeName: "node",
      objects,
      watchRuntime: (signal) => cri.watch(signal),
      admit: (pod, active) => {
        beside.set(
          pod.metadata?.name ?? "",
          active.map(({ metadata }) => metadata?.name ?? ""),
        );
        return pod.spec?.nodeSelector
          ? { reason: "NodeAffinity", message: "wrong node" }
          : undefined;
      },
      allocatable: () => ({ cpu: "2", memory: "4Gi", pods: "10" }),
      listRemains: () => reader.list(),
      sweepFiles: async () => {},
      worker: {
        clock,
        logger: silentLogger,
        runner: steps,
        runtime: reader,
        ask: () => async (_pod, _container, probe) => ({
          isSuccess: answers.get(probe.exec?.command?.[0] ?? "") ?? true,
          output: "bad",
        }),
        probes: new ProbeMetrics(),
        statuses: new StatusWriter(client, clock, silentLogger),
        recorder: new EventRecorder(client, clock, random, silentLogger, "node"),
        node: () => facts,
        allocations: {
          load: (uid) => allocations.get(uid),
          save: (uid, record) => void allocations.set(uid, record),
        },
      },
    });
    await runner.start();
    return runner;
  };
  const runner = await startRunner();
  const pass = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    await clock.advance(0);
  };
  return {
    cri,
    steps,
    client,
    answers,
    runner,
    pass,
    startRunner,
    setFacts: (next: NodeFacts): void => {
      facts = next;
      runner.nodeChanged();
    },
    /** Beside whom each Pod was to be admitted. */
    beside,
    run: async (spec: Partial<V1PodSpec> = {}, name = "p"): Promise<void> => {
      await client.create(Pod, {
        metadata: { name, namespace: "default" },
        spec: { nodeName: "node", containers: [{ name: "app", image: "i" }], ...spec },
      });
      await pass(100);
    },
    pod: (): Promise<V1Pod> => client.get(Pod, { namespace: "default", name: "p" }),
    summary: async (): Promise<string> => {
      const { status } = await client.get(Pod, { namespace: "default", name: "p" });
      const [app] = status?.containerStatuses ?? [];
      const state = app?.state ?? {};
      const what =
        state.waiting?.reason ??
        (state.running ? "running" : `ended ${state.terminated?.exitCode}`);
      return `${status?.phase} ${what} ready=${app?.ready} restarts=${app?.restartCount}`;
    },
    close: async () => {
      runner.close();
      await api.close();
    },
  };
}

function scene(name: string, body: (w: Awaited<ReturnType<typeof world>>) => Promise<void>): void {
  it(name, async () => {
    const w = await world();
    await body(w).finally(() => w.close());
  });
}

describe("PodWorker", () => {
  scene(
    "a Pod that is being ended keeps its resources until its containers have ended",
    async (w) => {
      w.cri.behaviours.set("app", { stopsAfterMs: 60_000 });
      await w.run();
      await w.client.delete(Pod, { namespace: "default", name: "p" }, { graceSeconds: 10 });
      await w.pass(1000);
      await w.run({}, "q");
      assert.deepEqual(w.beside.get("q"), ["p"]);
      await w.pass(10_000);
      await w.run({}, "r");
      assert.deepEqual(w.beside.get("r"), ["q"]);
    },
  );

  scene("runs a Pod and says so", async (w) => {
    await w.run();
    assert.equal(await w.summary(), "Running running ready=true restarts=0");
    const { status } = await w.pod();
    assert.deepEqual(
      status?.conditions?.map(({ type, status: is }) => `${type}=${is}`),
      [
        "PodReadyToStartContainers=True",
        "Initialized=True",
        "Ready=True",
        "ContainersReady=True",
        "PodScheduled=True",
      ],
    );
    assert.equal(status?.podIP, status?.podIPs?.[0]?.ip);
  });

  scene("waits for the node's network, and starts at once when it comes", async (w) => {
    w.setFacts({ name: "node", ips: ["10.1.0.1"], networkProblem: "cni is missing" });
    await w.run();
    await w.pass(60_000);
    assert.deepEqual(w.cri.calls, []);
    w.setFacts({ name: "node", ips: ["10.1.0.1"] });
    await w.pass(0);
    assert.equal(await w.summary(), "Running running ready=true restarts=0");
    const { items } = await w.client.list(Event, { namespace: "default" });
    assert.deepEqual(
      items.filter(({ reason }) => reason === "NetworkNotReady").map(({ message }) => message),
      ["network is not ready: cni is missing"],
    );
  });

  scene("does not keep a Pod of the host's network waiting", async (w) => {
    w.setFacts({ name: "node", ips: ["10.1.0.1"], networkProblem: "cni is missing" });
    await w.run({ hostNetwork: true });
    assert.equal(await w.summary(), "Running running ready=true restarts=0");
  });

  scene("refuses a Pod that may not run here, and ends it when it is deleted", async (w) => {
    await w.run({ nodeSelector: { zone: "other" } });
    const { status } = await w.pod();
    assert.equal(
      `${status?.phase} ${status?.reason} ${status?.message}`,
      "Failed NodeAffinity Pod was rejected: wrong node",
    );
    assert.deepEqual(w.cri.calls, []);
    await w.client.delete(Pod, { namespace: "default", name: "p" });
    await w.pass(2000);
    await assert.rejects(w.pod());
  });

  scene("brings volumes that show the Pod's own labels and annotations up to date", async (w) => {
    const shown = { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] };
    const refreshes = (): number => w.steps.done.filter((kind) => kind === "prepareVolumes").length;
    await w.run({ volumes: [{ name: "info", downwardAPI: shown }] });
    const before = refreshes();
    for (const field of ["labels", "annotations"]) {
      const body = { metadata: { [field]: { changed: "yes" } } };
      await w.client.patch(Pod, { namespace: "default", name: "p" }, { type: "merge", body });
      await w.pass(1000);
    }
    assert.equal(refreshes(), before + 2);
    const body = { status: { message: "not shown" } };
    await w.client.patch(
      Pod,
      { namespace: "default", name: "p" },
      { type: "merge", body },
      { subresource: "status" },
    );
    await w.pass(1000);
    assert.equal(refreshes(), before + 2);
  });

  scene("evicts a Pod for good", async (w) => {
    await w.run();
    w.runner.workers[0]!.evict({ message: "too much", graceSeconds: 0 });
    await w.pass(2000);
    const { status } = await w.pod();
    assert.equal(
      `${status?.phase} ${status?.reason} ${status?.message}`,
      "Failed Evicted too much",
    );
    assert.equal(
      status?.conditions?.find(({ type }) => type === "DisruptionTarget")?.reason,
      "TerminationByKubelet",
    );
    assert.deepEqual(w.cri.running, []);
  });

  scene("backs off a crash loop: at once, then 10 s, 20 s", async (w) => {
    w.cri.behaviours.set("app", { endsAfterMs: 1000, exitCode: 1 });
    const backOffs = async (): Promise<number> => {
      const { items } = await w.client.list(Event, { namespace: "default" });
      return items.filter(({ reason }) => reason === "BackOff").length;
    };
    await w.run();
    await w.pass(1200);
    assert.equal(await backOffs(), 0, "the first restart waits for nothing");
    await w.pass(1800);
    assert.equal(await backOffs(), 1);
    assert.equal(await w.summary(), "Running CrashLoopBackOff ready=false restarts=1");
    await w.pass(12_000);
    assert.equal(await w.summary(), "Running CrashLoopBackOff ready=false restarts=2");
    await w.pass(15_000);
    assert.equal(await w.summary(), "Running CrashLoopBackOff ready=false restarts=2");
    await w.pass(10_000);
    assert.equal(await w.summary(), "Running CrashLoopBackOff ready=false restarts=3");
  });

  scene("tells a failed pull from its back-off, and gets over it", async (w) => {
    w.cri.pullErrors.set("far", "no such image");
    await w.run({ containers: [{ name: "app", image: "far" }] });
    assert.equal(await w.summary(), "Pending ErrImagePull ready=false restarts=0");
    await w.pass(3000);
    assert.equal(await w.summary(), "Pending ImagePullBackOff ready=false restarts=0");
    w.cri.pullErrors.clear();
    await w.pass(8000);
    assert.equal(await w.summary(), "Running running ready=true restarts=0");
  });

  scene("finishes a Pod that need not restart", async (w) => {
    w.cri.behaviours.set("app", { endsAfterMs: 1000, exitCode: 0 });
    await w.run({ restartPolicy: "OnFailure" });
    await w.pass(2000);
    assert.equal(await w.summary(), "Succeeded ended 0 ready=false restarts=0");
    assert.equal(w.cri.calls.at(-1), "stopSandbox p");
  });

  scene("fails a Pod at its deadline", async (w) => {
    await w.run({ activeDeadlineSeconds: 60 });
    await w.pass(60_000);
    const { status } = await w.pod();
    assert.equal(`${status?.phase} ${status?.reason}`, "Failed DeadlineExceeded");
    assert.deepEqual(w.cri.running, []);
  });

  scene("ends a deleted Pod in its grace, and the object after it", async (w) => {
    w.cri.behaviours.set("app", { stopsAfterMs: 5000 });
    await w.run();
    await w.client.delete(Pod, { namespace: "default", name: "p" });
    await w.pass(4000);
    assert.equal((await w.pod()).metadata?.deletionGracePeriodSeconds, 30);
    await w.pass(3000);
    await assert.rejects(w.pod());
    assert.ok(w.cri.calls.includes("stop app 30s"));
    await w.pass(1000);
    assert.equal(w.runner.workers.length, 0);
  });

  scene("a deletion by force overtakes one that is under way", async (w) => {
    w.cri.behaviours.set("app", { stopsAfterMs: 3600_000 });
    await w.run();
    await w.client.delete(Pod, { namespace: "default", name: "p" });
    await w.pass(1000);
    await w.client.delete(Pod, { namespace: "default", name: "p" }, { graceSeconds: 0 });
    await w.pass(3000);
    assert.deepEqual(w.cri.running, []);
    assert.equal(w.runner.workers.length, 0);
  });

  scene("waits for readiness, and replaces what is not alive", async (w) => {
    const exec = (word: string) => ({
      exec: { command: [word] },
      periodSeconds: 1,
      failureThreshold: 2,
    });
    w.answers.set("ready", false);
    const probes = { readinessProbe: exec("ready"), livenessProbe: exec("alive") };
    await w.run({ containers: [{ name: "app", image: "i", ...probes }] });
    assert.equal(await w.summary(), "Running running ready=false restarts=0");
    w.answers.set("ready", true);
    await w.pass(1500);
    assert.equal(await w.summary(), "Running running ready=true restarts=0");
    w.answers.set("alive", false);
    await w.pass(2000);
    w.answers.set("alive", true);
    await w.pass(1500);
    assert.equal(await w.summary(), "Running running ready=true restarts=1");
  });

  scene("starts anew what a reboot has killed", async (w) => {
    await w.run();
    w.cri.reboot();
    await w.pass(2000);
    assert.equal(await w.summary(), "Running running ready=true restarts=1");
    assert.equal(w.cri.calls.filter((call) => call === "runSandbox p").length, 2);
  });

  scene("adopts what runs when the kubelet comes back", async (w) => {
    await w.run();
    w.runner.close();
    const calls = w.cri.calls.length;
    const second = await w.startRunner();
    await w.pass(1000);
    assert.equal(w.cri.calls.length, calls);
    assert.equal(await w.summary(), "Running running ready=true restarts=0");
    second.close();
  });

  scene("keeps Pods ready and started over its restart until a probe says otherwise", async (w) => {
    const exec = (name: string) => ({
      exec: { command: [name] },
      periodSeconds: 1,
      failureThreshold: 3,
    });
    const probes = { startupProbe: exec("begun"), readinessProbe: exec("ready") };
    await w.run({ containers: [{ name: "app", image: "i", ...probes }] });
    await w.pass(2000);
    assert.equal(await w.summary(), "Running running ready=true restarts=0");
    w.runner.close();
    for (const name of ["begun", "ready"]) w.answers.set(name, false);
    const second = await w.startRunner();
    await w.pass(1500);
    assert.equal(await w.summary(), "Running running ready=true restarts=0");
    await w.pass(5000);
    assert.equal(await w.summary(), "Running running ready=false restarts=0");
    second.close();
  });

  scene("asks for nothing when nothing happens", async (w) => {
    await w.run();
    const count = w.steps.done.length;
    await w.pass(3600_000);
    assert.equal(w.steps.done.length, count);
  });

  const of = (cpu: string, memory = "64Mi", limit = memory) => ({
    containers: [
      {
        name: "app",
        image: "i",
        resources: { requests: { cpu, memory }, limits: { cpu: "4", memory: limit } },
        resizePolicy: [
          { resourceName: "cpu", restartPolicy: "NotRequired" },
          { resourceName: "memory", restartPolicy: "RestartContainer" },
        ],
      },
    ],
  });
  const resize = async (w: Awaited<ReturnType<typeof world>>, spec: object): Promise<void> => {
    const patch = { type: "strategic", body: { spec } } as const;
    await w.client.patch(Pod, { namespace: "default", name: "p" }, patch, {
      subresource: "resize",
    });
    await w.pass(1000);
  };
  const sizes = async (w: Awaited<ReturnType<typeof world>>): Promise<string> => {
    const { status } = await w.pod();
    const [app] = status?.containerStatuses ?? [];
    const conditions = (status?.conditions ?? [])
      .filter(({ type }) => type.startsWith("PodResize"))
      .map(({ type, reason, message, observedGeneration }) =>
        [type, reason, message, observedGeneration].filter(Boolean).join(" "),
      );
    return [
      `${app?.allocatedResources?.["cpu"]} granted`,
      `${app?.resources?.requests?.["cpu"]} in use`,
      ...conditions,
    ].join(", ");
  };
  const resizeEvents = async (w: Awaited<ReturnType<typeof world>>): Promise<readonly string[]> => {
    await w.pass(1000);
    const { items } = await w.client.list(Event, { namespace: "default" });
    return items.map(({ reason = "" }) => reason).filter((reason) => reason.startsWith("Resize"));
  };

  scene("changes cpu while the container runs", async (w) => {
    await w.run(of("1"));
    assert.equal(await sizes(w), "1 granted, 1 in use");
    await resize(w, of("1500m"));
    assert.equal(w.cri.calls.at(-1), "update app 1536 400000 67108864");
    assert.equal(await sizes(w), "1500m granted, 1500m in use");
    assert.equal((await w.pod()).status?.observedGeneration, 2);
    assert.equal(await w.summary(), "Running running ready=true restarts=0");
    assert.deepEqual(await resizeEvents(w), ["ResizeStarted", "ResizeCompleted"]);
  });

  scene("restarts a container whose policy says so, whatever it exits with", async (w) => {
    w.cri.behaviours.set("app", { exitCode: 0 });
    await w.run({ ...of("1"), restartPolicy: "OnFailure" });
    await resize(w, of("1", "96Mi"));
    assert.equal(await w.summary(), "Running running ready=true restarts=1");
    const [app] = (await w.pod()).status?.containerStatuses ?? [];
    assert.equal(app?.resources?.limits?.["memory"], "96Mi");
    assert.deepEqual(await resizeEvents(w), ["ResizeStarted", "ResizeCompleted"]);
  });

  scene("says what no node of this size could give, and takes it back", async (w) => {
    await w.run(of("1"));
    await resize(w, of("3"));
    assert.equal(
      await sizes(w),
      "1 granted, 1 in use, PodResizePending Infeasible Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000 2",
    );
    assert.deepEqual(await resizeEvents(w), ["ResizeInfeasible"]);
    await resize(w, of("1"));
    assert.equal(await sizes(w), "1 granted, 1 in use");
    assert.equal((await w.pod()).status?.observedGeneration, 3);
  });

  scene("lets a change wait until another Pod has ended", async (w) => {
    await w.run(of("1"));
    await w.client.create(Pod, {
      metadata: { name: "q", namespace: "default" },
      spec: { nodeName: "node", ...of("500m") },
    });
    await w.pass(1000);
    await resize(w, of("2"));
    assert.equal(
      await sizes(w),
      "1 granted, 1 in use, PodResizePending Deferred Node didn't have enough resource: cpu, requested: 2000, used: 500, capacity: 2000 2",
    );
    await w.client.delete(Pod, { namespace: "default", name: "q" });
    await w.pass(2000);
    assert.equal(await sizes(w), "2 granted, 2 in use");
    assert.deepEqual(await resizeEvents(w), ["ResizeDeferred", "ResizeStarted", "ResizeCompleted"]);
  });

  scene("shows what the runtime refuses, and tries again", async (w) => {
    await w.run(of("1"));
    w.cri.updateError = "no such file";
    await resize(w, of("1500m"));
    assert.equal(
      await sizes(w),
      "1500m granted, 1 in use, PodResizeInProgress Error no such file 2",
    );
    w.cri.updateError = undefined;
    await w.pass(5000);
    assert.equal(await sizes(w), "1500m granted, 1500m in use");
    assert.deepEqual(await resizeEvents(w), ["ResizeStarted", "ResizeError", "ResizeCompleted"]);
  });

  scene("remembers across a restart what was granted, and what waits", async (w) => {
    await w.run(of("1"));
    await resize(w, of("1500m"));
    await resize(w, of("3"));
    w.runner.close();
    const calls = w.cri.calls.length;
    const second = await w.startRunner();
    await w.pass(1000);
    assert.equal(w.cri.calls.length, calls);
    assert.match(await sizes(w), /^1500m granted, 1500m in use, PodResizePending Infeasible/);
    second.close();
  });

  scene("carries out what was asked for while it was away", async (w) => {
    await w.run(of("1"));
    w.runner.close();
    await resize(w, of("1500m"));
    const second = await w.startRunner();
    await w.pass(1000);
    assert.equal(await sizes(w), "1500m granted, 1500m in use");
    second.close();
  });
});
