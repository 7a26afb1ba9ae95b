import assert from "node:assert/strict";
import { readFileSync, existsSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { it } from "node:test";
import { Node } from "../../src/api/core/node.ts";
import { Pod } from "../../src/api/core/pod.ts";
import type { Threshold } from "../../src/kubelet/plan/eviction.ts";
import { until } from "../support/cluster.ts";
import { describeKubelet } from "../support/kubelet-suite.ts";
import { isTrue, type KubeletWorld } from "../support/kubelet-world.ts";
import { waitFor, type PrivateContainerd } from "../support/private-containerd.ts";

const sh = (script: string) => ({ command: ["sh", "-c", script] });
const FOREVER = "trap 'exit 0' TERM; sleep 1000 & wait";
/** Nothing is short, until a test says so. */
const thresholds: Threshold[] = [];
const LOG_LIMITS = { bytesMax: 2000, filesMax: 3 };

/** The quota of cpu in each 100 ms, and the bytes of memory, that a cgroup may use. */
function limitsOf(cgroup: string): string {
  const root = "/sys/fs/cgroup";
  const read = (...files: readonly string[]): string =>
    readFileSync(
      files.find((file) => existsSync(file))!,
      "utf8",
    )
      .trim()
      .split(" ")[0]!;
  const quota = read(`${root}/cpu${cgroup}/cpu.cfs_quota_us`, `${root}${cgroup}/cpu.max`);
  const bytes = read(
    `${root}/memory${cgroup}/memory.limit_in_bytes`,
    `${root}${cgroup}/memory.max`,
  );
  return `${quota} ${bytes}`;
}

describeKubelet("a kubelet keeps its Pods within their limits", import.meta.url, suite, {
  limits: { logLimits: LOG_LIMITS, thresholds },
});

function suite(world: KubeletWorld, containerd: PrivateContainerd): void {
  const summaryOf = async (): Promise<Record<string, any>[]> =>
    JSON.parse((await world.ask("/stats/summary")).body).pods;

  it("rotates the log of a container that goes on, and who follows it misses no line", async () => {
    const lines = 400;
    const script = `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo line $i; sleep 0.005; done`;
    const pod = await world.run("talk", sh(script), { restartPolicy: "Never" });
    await world.until("talk", (given) => given.status?.phase === "Running");
    const following = world.ask("/containerLogs/default/talk/app?follow=true");
    const folder = join(containerd.folder, "logs", `default_talk_${pod.metadata?.uid}`, "app");
    let names: readonly string[] = [];
    await waitFor(async () => {
      await world.kubelet.tidy();
      names = readdirSync(folder).sort();
      return names.some((name) => name.endsWith(".gz"));
    });
    assert.ok(names.length <= LOG_LIMITS.filesMax, names.join());
    assert.ok(names.includes("0.log"));
    const { body } = await following;
    const expected = Array.from({ length: lines }, (_, index) => `line ${index + 1}\n`).join("");
    assert.equal(body, expected);
  });

  it("evicts a Pod whose emptyDir grows beyond its limit", async () => {
    await world.run(
      "hoard",
      {
        ...sh(`dd if=/dev/zero of=/v/f bs=1024 count=2048; ${FOREVER}`),
        volumeMounts: [{ name: "v", mountPath: "/v" }],
      },
      { volumes: [{ name: "v", emptyDir: { sizeLimit: "1Mi" } }] },
    );
    await world.until("hoard", (pod) => isTrue(pod, "Ready"));
    await waitFor(async () => {
      await world.kubelet.tidy();
      return (await world.get("hoard")).status?.phase === "Failed";
    });
    const { status } = await world.get("hoard");
    assert.equal(status?.reason, "Evicted");
    assert.equal(status?.message, 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ');
    await waitFor(
      () => world.kubelet.pods.find("default", "hoard")?.runtime.containers[0]?.state === "exited",
    );
  });

  it("resizes a Pod that runs: its containers, and its own cgroup around them", async () => {
    const sized = (cpu: string, memory: string) => {
      const amounts = { cpu, memory };
      return { containers: [{ name: "app", resources: { limits: amounts, requests: amounts } }] };
    };
    const pod = await world.run("sized", {
      ...sh(`head -c 20000000 /dev/zero >/dev/shm/f; ${FOREVER}`),
      resources: { limits: { cpu: "500m", memory: "64Mi" } },
    });
    const before = await world.until("sized", (given) => isTrue(given, "Ready"));
    const own = `${containerd.cgroupRoot}/pod${pod.metadata?.uid}`;
    const id = before.status?.containerStatuses?.[0]?.containerID?.replace("containerd://", "");
    const limits = (): string => [own, `${own}/${id}`].map(limitsOf).join(" | ");
    const resize = (spec: object) =>
      world.client.patch(
        Pod,
        { namespace: "default", name: "sized" },
        { type: "strategic", body: { spec } },
        { subresource: "resize" },
      );
    const settled = (limit: string) =>
      world.until("sized", ({ status }) => {
        const isThere = status?.containerStatuses?.[0]?.resources?.limits?.["memory"] === limit;
        const isMoving = status?.conditions?.some(({ type }) => type === "PodResizeInProgress");
        return isThere && !isMoving;
      });
    assert.equal(limits(), "50000 67108864 | 50000 67108864");
    await resize(sized("1500m", "128Mi"));
    await settled("128Mi");
    assert.equal(limits(), "150000 134217728 | 150000 134217728");
    await resize(sized("200m", "96Mi"));
    const after = await settled("96Mi");
    assert.equal(limits(), "20000 100663296 | 20000 100663296");
    assert.equal(after.status?.containerStatuses?.[0]?.restartCount, 0);
    await resize(sized("200m", "16Mi"));
    const stuck = await world.until("sized", ({ status }) =>
      Boolean(status?.conditions?.some(({ reason }) => reason === "Error")),
    );
    const error = stuck.status?.conditions?.find(({ reason }) => reason === "Error")?.message;
    const problems =
      "[attempting to set pod memory limit (16777216) below current usage (N), " +
      'attempting to set container "app" memory limit (16777216) below current usage (N)]';
    assert.equal(
      error?.replace(/usage \(\d+\)/g, "usage (N)"),
      `cannot decrease memory limits: ${problems}`,
    );
    assert.equal(limits(), "20000 100663296 | 20000 100663296");
    await world.client.delete(Pod, { namespace: "default", name: "sized" }, { graceSeconds: 0 });
  });

  it("gives the Pod's own cgroup the sum of its containers' limits", async () => {
    const pod = await world.run("bounded", {
      ...sh(FOREVER),
      resources: { limits: { cpu: "500m", memory: "64Mi" } },
    });
    await world.until("bounded", (given) => isTrue(given, "Ready"));
    const path = `${containerd.cgroupRoot}/pod${pod.metadata?.uid}`;
    const file = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"]
      .flatMap((root) => [`${root}${path}/memory.limit_in_bytes`, `${root}${path}/memory.max`])
      .find((name) => existsSync(name));
    assert.equal(readFileSync(file!, "utf8").trim(), String(64 * 1024 * 1024));
  });

  it("counts what each Pod and container uses under cAdvisor's names", async () => {
    // The kernel counts a period when it is over.
    const body = await until("a period of cpu", async () => {
      const { body: told } = await world.ask("/metrics/cadvisor");
      return /^container_cpu_cfs_periods_total\{container="app",.*pod="bounded"/m.test(told)
        ? told
        : undefined;
    });
    const sample = (name: string, container: string): number =>
      Number(
        new RegExp(
          `^${name}\\{container="${container}",.*namespace="default",pod="bounded"\\} (.*)$`,
          "m",
        ).exec(body)?.[1],
      );
    assert.ok(sample("container_memory_usage_bytes", "app") > 0);
    assert.ok(sample("container_cpu_usage_seconds_total", "") > 0);
    assert.equal(sample("container_spec_memory_limit_bytes", "app"), 64 * 1024 * 1024);
    assert.ok(sample("container_cpu_cfs_throttled_periods_total", "app") >= 0);
    assert.ok(sample("container_processes", "app") >= 1);
    assert.match(
      (await world.ask("/metrics")).body,
      /kubelet_running_containers\{container_state="running"\} \d/,
    );
  });

  it("sums up what the node and its Pods use, their network and their disk", async () => {
    const pods = await summaryOf();
    const pod = pods.find(({ podRef }) => podRef.name === "bounded")!;
    const [app] = pod.containers;
    for (const value of [
      pod.cpu.usageCoreNanoSeconds,
      pod.memory.workingSetBytes,
      pod["ephemeral-storage"].capacityBytes,
      pod.process_stats.process_count,
      app.cpu.usageCoreNanoSeconds,
      app.memory.usageBytes,
      app.rootfs.capacityBytes,
      app.logs.capacityBytes,
    ])
      assert.ok(value > 0, JSON.stringify(pod));
    const [{ name }] = pod.network.interfaces;
    assert.equal(name, "eth0");
    const before = pod.network.rxBytes as number;
    const ip = (await world.get("bounded")).status?.podIP ?? "";
    for (let count = 0; count < 20; count++)
      await new Promise((resolve) => connect({ host: ip, port: 9 }).on("error", resolve));
    const after = (await summaryOf()).find(({ podRef }) => podRef.name === "bounded")!;
    assert.ok(after.network.rxBytes >= before + 20 * 40, `${before} ${after.network.rxBytes}`);
    const { node } = JSON.parse((await world.ask("/stats/summary")).body);
    assert.equal(node.nodeName, "node-1");
    for (const value of [
      node.fs.usedBytes,
      node.runtime.imageFs.capacityBytes,
      node.rlimit.curproc,
    ])
      assert.ok(value > 0, JSON.stringify(node));
  });

  it("counts what probes answered, until their Pod is gone", async () => {
    const probe = { exec: { command: ["true"] }, periodSeconds: 1 };
    await world.run("asked", { ...sh(FOREVER), readinessProbe: probe });
    await world.until("asked", (given) => isTrue(given, "Ready"));
    const metrics = async (): Promise<string> => (await world.ask("/metrics/probes")).body;
    assert.match(
      await metrics(),
      /^prober_probe_total\{container="app",namespace="default",pod="asked",pod_uid=".*",probe_type="Readiness",result="successful"\} \d+$/m,
    );
    assert.match(await metrics(), /^prober_probe_duration_seconds_count\{.*pod="asked"/m);
    await world.client.delete(Pod, { namespace: "default", name: "asked" }, { graceSeconds: 0 });
    await waitFor(async () => !(await metrics()).includes('pod="asked"'));
  });

  it("refuses a Pod that asks for more than the node has", async () => {
    await world.run("giant", { ...sh(FOREVER), resources: { requests: { cpu: "1000" } } });
    const { status } = await world.until("giant", (pod) => pod.status?.phase === "Failed");
    assert.equal(status?.reason, "OutOfcpu");
    assert.match(
      status?.message ?? "",
      /^Pod was rejected: Node didn't have enough resource: cpu, requested: 1000000, used: \d+, capacity: \d+$/,
    );
    await world.client.delete(Pod, { namespace: "default", name: "giant" });
    await world.untilGone("giant");
  });

  it("ends a Pod when the node is short of memory, says so, and takes no other of its kind", async () => {
    await world.run("modest", sh(FOREVER));
    await world.until("modest", (pod) => isTrue(pod, "Ready"));
    thresholds.push({
      signal: "memory.available",
      least: Number.MAX_SAFE_INTEGER,
      isPart: false,
      text: "everything",
    });
    await world.kubelet.tidy();
    const { status } = await world.until("modest", (pod) => pod.status?.phase === "Failed");
    assert.equal(status?.reason, "Evicted");
    assert.match(status?.message ?? "", /^The node was low on resource: memory\. Threshold/);
    await waitFor(async () => {
      const { status: node } = await world.client.get(Node, { name: "node-1" });
      return node?.conditions?.find(({ type }) => type === "MemoryPressure")?.status === "True";
    });
    await world.run("late", sh(FOREVER));
    const late = await world.until("late", (pod) => pod.status?.phase === "Failed");
    assert.equal(
      late.status?.message,
      "Pod was rejected: The node had condition: [MemoryPressure]. ",
    );
  });
}
