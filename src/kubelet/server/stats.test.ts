import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { parseInterfaces } from "../executor/network-use.ts";
import { parsePressure } from "../executor/pressure-files.ts";
import { cadvisorMetrics } from "./cadvisor-metrics.ts";
import { CpuRates } from "./cpu-rates.ts";
import { resourceMetrics } from "./resource-metrics.ts";
import type { CgroupUse, StatsReading } from "./stats-reading.ts";
import { statsSummary } from "./stats-summary.ts";
import { volumeMetrics } from "./volume-metrics.ts";

const NOW = Date.UTC(2026, 0, 1, 0, 1);
const wait = { total: 9, avg10: 0.1, avg60: 0.2, avg300: 0.3 };
const use: CgroupUse = {
  cpuSeconds: 1.5,
  periods: 10,
  throttledPeriods: 1,
  throttledSeconds: 0.5,
  usageBytes: 300,
  workingSetBytes: 200,
  rssBytes: 100,
  cacheBytes: 50,
  limitBytes: 1000,
  processes: 3,
  pageFaults: 7,
  majorPageFaults: 1,
  swapBytes: 11,
  pressures: { io: { some: wait, full: wait } },
};
const eth0 = {
  name: "eth0",
  ...{ rxBytes: 1, rxPackets: 2, rxErrors: 3, rxDropped: 4 },
  ...{ txBytes: 5, txPackets: 6, txErrors: 7, txDropped: 8 },
};
const disk = { capacityBytes: 1000, availableBytes: 400, inodes: 100, inodesFree: 90 };

const reading: StatsReading = {
  now: NOW,
  nodeName: "node-1",
  node: {
    bootedAt: NOW - 60_000,
    cpuSeconds: 2,
    memoryTotalBytes: 1000,
    memoryAvailableBytes: 600,
    memoryFreeBytes: 100,
    rssBytes: 250,
    pageFaults: 20,
    majorPageFaults: 2,
    swapTotalBytes: 50,
    swapFreeBytes: 40,
    processesMax: 32768,
    processes: 120,
    interfaces: [eth0],
    pressures: {},
    pods: use,
  },
  storage: { node: disk, images: { ...disk, usedBytes: 77, inodesUsed: 5 } },
  pods: [
    {
      ...{ name: "web", namespace: "default", uid: "u", cgroup: "/kubepods/podu" },
      startedAt: NOW - 30_000,
      use,
      interfaces: [eth0],
      containers: [
        {
          ...{ name: "app", id: "c1", image: "nginx" },
          startedAt: NOW - 20_000,
          use: { ...use, limitBytes: 0 },
          layer: { bytes: 40, inodes: 4 },
          logs: { bytes: 8, inodes: 1 },
        },
      ],
      volumes: [
        { name: "cache", bytes: 16, inodes: 2, disk },
        { name: "data", claim: "disk", bytes: 500, inodes: 9, disk },
      ],
    },
  ],
};

type Json = Record<string, any>;
const summary = (isBrief = false): Json =>
  statsSummary(reading, new CpuRates(new VirtualClock()), isBrief) as Json;
const TIME = "2026-01-01T00:01:00Z";
const fs = (usedBytes: number, inodesUsed: number): object => ({
  time: TIME,
  availableBytes: 400,
  capacityBytes: 1000,
  usedBytes,
  inodesFree: 90,
  inodes: 100,
  inodesUsed,
});
const network = {
  time: TIME,
  ...{ name: "eth0", rxBytes: 1, rxErrors: 3, txBytes: 5, txErrors: 7 },
  interfaces: [{ name: "eth0", rxBytes: 1, rxErrors: 3, txBytes: 5, txErrors: 7 }],
};

describe("statsSummary", () => {
  it("tells of the node what upstream tells", () => {
    const { systemContainers, ...node } = summary().node as Json;
    assert.deepEqual(node, {
      nodeName: "node-1",
      startTime: "2026-01-01T00:00:00Z",
      cpu: { time: TIME, usageCoreNanoSeconds: 2e9 },
      memory: {
        time: TIME,
        availableBytes: 600,
        usageBytes: 900,
        workingSetBytes: 400,
        rssBytes: 250,
        pageFaults: 20,
        majorPageFaults: 2,
      },
      network,
      fs: fs(600, 10),
      runtime: { imageFs: fs(77, 5), containerFs: fs(77, 5) },
      rlimit: { time: TIME, maxpid: 32768, curproc: 120 },
      swap: { time: TIME, swapAvailableBytes: 40, swapUsageBytes: 10 },
    });
    assert.equal(systemContainers[0].name, "pods");
  });

  it("tells of a Pod and its containers what upstream tells", () => {
    const [pod] = summary().pods as Json[];
    const memory = {
      time: TIME,
      usageBytes: 300,
      workingSetBytes: 200,
      rssBytes: 100,
      pageFaults: 7,
      majorPageFaults: 1,
    };
    const io = { time: TIME, psi: { full: wait, some: wait } };
    const swap = { time: TIME, swapUsageBytes: 11 };
    const cpu = { time: TIME, usageCoreNanoSeconds: 1.5e9 };
    assert.deepEqual(pod, {
      podRef: { name: "web", namespace: "default", uid: "u" },
      startTime: "2026-01-01T00:00:30Z",
      containers: [
        {
          name: "app",
          startTime: "2026-01-01T00:00:40Z",
          ...{ cpu, memory, io, swap },
          rootfs: fs(40, 4),
          logs: fs(8, 1),
        },
      ],
      ...{ cpu, io, network, swap },
      memory: { ...memory, availableBytes: 800 },
      volume: [
        { ...fs(16, 2), name: "cache" },
        { ...fs(500, 9), name: "data", pvcRef: { name: "disk", namespace: "default" } },
      ],
      "ephemeral-storage": fs(64, 7),
      process_stats: { process_count: 3 },
    });
  });

  it("is brief when it is asked to be", () => {
    const { node, pods } = summary(true);
    assert.deepEqual(Object.keys(node as Json), [
      ...["nodeName", "systemContainers", "startTime", "cpu", "memory"],
    ]);
    const { containers, ...pod } = pods[0] as Json;
    assert.deepEqual(Object.keys(pod), ["podRef", "startTime", "cpu", "memory"]);
    assert.equal(containers.length, 1);
  });
});

describe("CpuRates", () => {
  it("tells what was used since the last time, over a second at least", async () => {
    const clock = new VirtualClock();
    const rates = new CpuRates(clock);
    const ask = async (ms: number, cpuSeconds: number): Promise<number | undefined> => {
      await clock.advance(ms);
      rates.begin();
      return rates.nanoCores("app", cpuSeconds);
    };
    assert.equal(await ask(0, 1), undefined);
    assert.equal(await ask(100, 1.1), undefined, "too short");
    assert.equal(await ask(1900, 2), 5e8);
    assert.equal(await ask(500, 3), 5e8, "as told last");
    assert.equal(await ask(1500, 0.5), undefined, "it began anew");
    assert.equal(await ask(10_000, 0.6), 1e7);
  });
});

describe("metrics of usage", () => {
  it("give metrics-server times and starts", () => {
    const lines = resourceMetrics(reading).split("\n");
    for (const line of [
      `container_cpu_usage_seconds_total{container="app",namespace="default",pod="web"} 1.5 ${NOW}`,
      `container_start_time_seconds{container="app",namespace="default",pod="web"} ${NOW / 1000 - 20}`,
      `pod_memory_working_set_bytes{namespace="default",pod="web"} 200 ${NOW}`,
      `node_memory_working_set_bytes 400 ${NOW}`,
      "resource_scrape_error 0",
    ])
      assert.ok(lines.includes(line), line);
  });

  it("count periods of cpu of what has a limit, and of nothing else", () => {
    const periods = /^container_cpu_cfs_throttled_periods_total\{container="(\w*)"/gm;
    const told = (app: CgroupUse): readonly (string | undefined)[] => {
      const [pod] = reading.pods;
      const containers = [{ ...pod!.containers[0]!, use: app }];
      const text = cadvisorMetrics(
        { ...reading, pods: [{ ...pod!, containers }] },
        { cpus: 2, memoryBytes: 1 },
      );
      return [...text.matchAll(periods)].map(([, container]) => container);
    };
    assert.deepEqual(told(use), ["", "app"]);
    assert.deepEqual(told({ ...use, periods: 0 }), [""]);
  });

  it("tell how full a claim is, once, however many Pods have it", () => {
    const claim = { ...reading.pods[0]!.volumes[1]!, namespace: "default" };
    const text = volumeMetrics([claim, { ...claim, name: "other" }]);
    const told = text.split("\n").filter((line) => line && !line.startsWith("#"));
    const labels = '{namespace="default",persistentvolumeclaim="disk"}';
    assert.deepEqual(told, [
      `kubelet_volume_stats_capacity_bytes${labels} 1000`,
      `kubelet_volume_stats_available_bytes${labels} 400`,
      `kubelet_volume_stats_used_bytes${labels} 500`,
      `kubelet_volume_stats_inodes${labels} 100`,
      `kubelet_volume_stats_inodes_free${labels} 90`,
      `kubelet_volume_stats_inodes_used${labels} 9`,
    ]);
    assert.equal(volumeMetrics([]), "");
  });

  it("count a Pod's network by interface", () => {
    const text = cadvisorMetrics(reading, { cpus: 2, memoryBytes: 1 });
    assert.match(
      text,
      /^container_network_transmit_bytes_total\{container="",id="\/kubepods\/podu",image="",interface="eth0",name="",namespace="default",pod="web"\} 5$/m,
    );
  });
});

describe("counters of the kernel", () => {
  it("interfaces, without loopback", () => {
    const text =
      "Inter-|   Receive  |  Transmit\n face |bytes packets\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n" +
      "  eth0:1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n";
    assert.deepEqual(parseInterfaces(text), [eth0]);
  });
  it("waiting times", () => {
    const text =
      "some avg10=0.10 avg60=0.20 avg300=0.30 total=9\nfull avg10=0.10 avg60=0.20 avg300=0.30 total=9\n";
    assert.deepEqual(parsePressure(text), { some: wait, full: wait });
    assert.equal(parsePressure(text.split("\n")[0]!)?.full.total, 0);
    assert.equal(parsePressure(""), undefined);
  });
});
