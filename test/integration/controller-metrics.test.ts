import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CronJob } from "../../src/api/batch/cron-job.ts";
import { Job } from "../../src/api/batch/job.ts";
import { Node } from "../../src/api/core/node.ts";
import { Pod } from "../../src/api/core/pod.ts";
import { PersistentVolumeClaim } from "../../src/api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../src/api/core/persistent-volume.ts";
import { Service } from "../../src/api/core/service.ts";
import { keyOf } from "../../src/api/machinery/object.ts";
import {
  formatRemoval,
  MACHINE_LABEL,
  REMOVAL_PREFIX,
  removalsOf,
} from "../../src/api/storage/own-volumes.ts";
import { formatTime } from "../../src/base/clock.ts";
import type { VirtualClock } from "../../src/base/virtual-clock.ts";
import type { Client } from "../../src/client/client.ts";
import type { V1PodStatus } from "../../src/gen/types.ts";
import { node, pod, service } from "../support/builders.ts";
import { withControllers } from "../support/controllers-world.ts";

interface World {
  readonly client: Client;
  readonly clock: VirtualClock;
  /** The value of one line, by what stands before it; `undefined`: there is none. */
  metric(line: string): number | undefined;
  text(): string;
  /** Writes the status of each Pod of the namespace. */
  setPods(statusOf: (name: string, index: number) => V1PodStatus): Promise<void>;
}

/** A body with a server and all controllers, and what they count. */
function inWorld(body: (world: World) => Promise<void>): () => Promise<void> {
  return withControllers(async ({ client, clock, registry }) => {
    const setPods: World["setPods"] = async (statusOf) => {
      const { items } = await client.list(Pod, { namespace: "default" });
      for (const [index, item] of items.entries()) {
        const status = statusOf(item.metadata?.name ?? "", index);
        const patch = { type: "merge", body: { status } } as const;
        await client.patch(Pod, keyOf(item), patch, { subresource: "status" });
      }
      await clock.advance(2000);
    };
    const text = (): string => registry.text();
    const metric = (line: string): number | undefined => {
      const found = text()
        .split("\n")
        .find((candidate) => candidate.startsWith(`${line} `));
      return found === undefined ? undefined : Number(found.slice(line.length + 1));
    };
    await body({ client, clock, metric, text, setPods });
  });
}

const template = {
  spec: { restartPolicy: "Never", containers: [{ name: "c", image: "c:1" }] },
};

/** What of a text Prometheus would not read. */
function complaints(text: string): readonly string[] {
  const problems: string[] = [];
  const types = new Map<string, string>();
  const seen = new Set<string>();
  const label = String.raw`[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"`;
  const sample = new RegExp(
    String.raw`^([a-zA-Z_:][\w:]*)(?:\{(${label}(?:,${label})*)\})? (\S+)$`,
  );
  for (const line of text.trimEnd().split("\n")) {
    const head = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
    if (head?.[1] === "HELP") continue;
    if (head) {
      if (types.has(head[2]!)) problems.push(`twice: ${line}`);
      types.set(head[2]!, head[3]!);
      continue;
    }
    const found = sample.exec(line);
    const name = found?.[1] ?? "";
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "");
    const isPart = family !== name;
    if (!found || Number.isNaN(Number(found[3]))) problems.push(`unreadable: ${line}`);
    else if (!types.has(family) || isPart !== (types.get(family) === "histogram"))
      problems.push(`of no type: ${line}`);
    const identity = `${name}{${found?.[2] ?? ""}}`;
    if (seen.has(identity)) problems.push(`twice: ${line}`);
    seen.add(identity);
  }
  return problems;
}

describe("metrics of the controllers", () => {
  it(
    "Jobs: what was tried, what Pods came of it, and how it ended",
    inWorld(async ({ client, metric, setPods }) => {
      const metadata = { name: "two", namespace: "default" };
      const spec = { parallelism: 2, completions: 2, backoffLimit: 0, template };
      await client.create(Job, { metadata, spec });
      await setPods(() => ({ phase: "Running" }));
      const created = 'job_controller_job_pods_creation_total{reason="new",status="succeeded"}';
      assert.equal(metric(created), 2);
      await setPods((_name, index) => ({ phase: index === 0 ? "Succeeded" : "Failed" }));
      const of = (name: string, labels: string): number | undefined =>
        metric(`job_controller_${name}{completion_mode="NonIndexed",${labels}}`);
      assert.equal(of("job_pods_finished_total", 'result="succeeded"'), 1);
      assert.equal(of("job_pods_finished_total", 'result="failed"'), 1);
      const reason = 'result="failed",reason="BackoffLimitExceeded"';
      assert.equal(of("jobs_finished_total", reason), 1);
      const tracked = "job_controller_terminated_pods_tracking_finalizer_total";
      assert.equal(metric(`${tracked}{event="add"}`), 2);
      assert.equal(metric(`${tracked}{event="delete"}`), 2);
      const syncs = 'result="success",action="pods_created"';
      assert.equal(of("job_syncs_total", syncs), 1);
      assert.equal(of("job_sync_duration_seconds_count", syncs), 1);
    }),
  );

  it(
    "volumes: how many of each class, plugin and namespace, what was made and what could not be, and how long it took",
    inWorld(async ({ client, clock, metric }) => {
      const labels = { [MACHINE_LABEL]: "m" };
      const claim = (name: string, spec: object): Promise<unknown> =>
        client.create(PersistentVolumeClaim, {
          metadata: { name, namespace: "default" },
          spec: {
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: "1Gi" } },
            ...spec,
          },
        });
      await claim("made", { storageClassName: "standard" });
      await claim("waits", { storageClassName: "" });
      await client.create(PersistentVolume, {
        metadata: { name: "hand" },
        spec: {
          capacity: { storage: "1Gi" },
          accessModes: ["ReadOnlyMany"],
          hostPath: { path: "/data" },
        },
      });
      await clock.advance(1000);
      const provision = "controller_persistentvolumeclaim_provision";
      const ofClass = '{class="standard",source=""}';
      assert.ok(metric(`${provision}_failed_total${ofClass}`)! > 0, "there is no node yet");
      await client.create(Node, node("n", { metadata: { labels } }));
      await clock.advance(1000);
      assert.equal(metric(`${provision}_total${ofClass}`), 1);
      assert.equal(metric(`${provision}_duration_seconds_count${ofClass}`), 1);
      const own = '{plugin_name="volumes.skiff.dev",operation_name="provision"}';
      assert.equal(metric(`volume_operation_total_seconds_count${own}`), 1);
      assert.ok(metric(`volume_operation_total_seconds_sum${own}`)! >= 1, "it waited for a node");
      const ofNamespace = (name: string): string =>
        `{namespace="default",storage_class="${name}",volume_attributes_class=""}`;
      assert.equal(metric(`pv_collector_bound_pvc_count${ofNamespace("standard")}`), 1);
      assert.equal(metric(`pv_collector_unbound_pvc_count${ofNamespace("")}`), 1);
      assert.equal(metric('pv_collector_bound_pv_count{storage_class="standard"}'), 1);
      assert.equal(metric('pv_collector_unbound_pv_count{storage_class=""}'), 1);
      const total = (plugin: string): number | undefined =>
        metric(
          `pv_collector_total_pv_count{plugin_name="kubernetes.io/${plugin}",volume_mode="Filesystem"}`,
        );
      assert.deepEqual([total("csi:volumes.skiff.dev"), total("host-path")], [1, 1]);
      // Released, and five seconds later its folder is removed.
      const status = { conditions: [{ type: "Ready", status: "True" }] };
      const onNode = { namespace: "", name: "n" };
      const ready = { type: "merge", body: { status } } as const;
      await client.patch(Node, onNode, ready, { subresource: "status" });
      await client.delete(PersistentVolumeClaim, { namespace: "default", name: "made" });
      await clock.advance(5000);
      const [asked] = removalsOf(await client.get(Node, onNode));
      const done = formatRemoval({ handle: asked!.handle, isDone: true });
      const annotations = { [`${REMOVAL_PREFIX}${asked!.volume}`]: done };
      await client.patch(Node, onNode, { type: "merge", body: { metadata: { annotations } } });
      await clock.advance(1000);
      const gone = '{plugin_name="volumes.skiff.dev",operation_name="delete"}';
      assert.equal(metric(`volume_operation_total_seconds_count${gone}`), 1);
      assert.ok(metric(`volume_operation_total_seconds_sum${gone}`)! >= 4);
      assert.equal(total("csi:volumes.skiff.dev"), undefined);
    }),
  );

  it(
    "Jobs: indexes, failure policies, and those that somebody else looks after",
    inWorld(async ({ client, clock, metric, setPods }) => {
      const job = (name: string, spec: object): Job => ({
        metadata: { name, namespace: "default" },
        spec: { template, ...spec } as Job["spec"] & {},
      });
      await client.create(Job, job("elsewhere", { managedBy: "example.com/other" }));
      const policy = {
        rules: [
          { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
        ],
      };
      await client.create(
        Job,
        job("indexed", {
          ...{ completionMode: "Indexed", parallelism: 2, completions: 2 },
          ...{ backoffLimitPerIndex: 0, podFailurePolicy: policy },
        }),
      );
      await setPods(() => ({ phase: "Running" }));
      await setPods((_name, index) => ({ phase: index === 0 ? "Succeeded" : "Failed" }));
      const finished = "job_controller_job_finished_indexes_total";
      assert.equal(metric(`${finished}{status="succeeded",backoffLimit="perIndex"}`), 1);
      assert.equal(metric(`${finished}{status="failed",backoffLimit="perIndex"}`), 1);
      const elsewhere = 'jobs_by_external_controller_total{controller_name="example.com/other"}';
      assert.equal(metric(`job_controller_${elsewhere}`), 1);
      await client.create(Job, job("ignoring", { parallelism: 1, podFailurePolicy: policy }));
      await clock.advance(1000);
      const conditions = [{ type: "DisruptionTarget", status: "True" }];
      await setPods((name) => (name.startsWith("ignoring") ? { phase: "Failed", conditions } : {}));
      const ignored = 'pod_failures_handled_by_failure_policy_total{action="Ignore"}';
      assert.equal(metric(`job_controller_${ignored}`), 1);
    }),
  );

  it(
    "CronJobs: how late a run was; Jobs that go after their time",
    inWorld(async ({ client, clock, metric, setPods }) => {
      await client.create(CronJob, {
        metadata: { name: "minutely", namespace: "default" },
        spec: { schedule: "* * * * *", jobTemplate: { spec: { template } } },
      });
      await clock.advance(61_000);
      const skew = "cronjob_controller_job_creation_skew_duration_seconds";
      assert.equal(metric(`${skew}_count`), 1);
      assert.ok(metric(`${skew}_sum`)! <= 1);
      const metadata = { name: "brief", namespace: "default" };
      await client.create(Job, { metadata, spec: { template, ttlSecondsAfterFinished: 5 } });
      await clock.advance(1000);
      await setPods(() => ({ phase: "Succeeded" }));
      await clock.advance(10_000);
      assert.equal(metric("ttl_after_finished_controller_job_deletion_duration_seconds_count"), 1);
    }),
  );

  it(
    "EndpointSlices: endpoints that came and went, and what there is",
    inWorld(async ({ client, clock, metric, setPods }) => {
      const of = (rest: string): number | undefined => metric(`endpoint_slice_controller_${rest}`);
      await client.create(Node, node("n"));
      const named = (name: string): Pod => ({
        ...pod(name, { metadata: { labels: { app: "web" } }, spec: { nodeName: "n" } }),
      });
      for (const name of ["a", "b", "c"]) await client.create(Pod, named(name));
      await setPods((_name, index) => ({
        ...{ phase: "Running", podIPs: [{ ip: `10.0.0.${index}` }], podIP: `10.0.0.${index}` },
        conditions: [{ type: "Ready", status: "True" }],
      }));
      const spec = { trafficDistribution: "PreferSameZone" };
      await client.create(Service, service("web", { spec }));
      await clock.advance(1000);
      assert.equal(of("endpoints_added_per_sync_sum"), 3);
      assert.equal(of("endpoints_desired"), 3);
      assert.equal(of("num_endpoint_slices"), 1);
      assert.equal(of("desired_endpoint_slices"), 1);
      assert.equal(of('changes{operation="create"}'), 1);
      const using = 'services_count_by_traffic_distribution{traffic_distribution="PreferSameZone"}';
      assert.equal(of(using), 1);
      await client.delete(Pod, { namespace: "default", name: "a" }, { graceSeconds: 0 });
      await clock.advance(1000);
      assert.equal(of("endpoints_removed_per_sync_sum"), 1);
      assert.equal(of("endpoints_added_per_sync_sum"), 3);
      assert.equal(of('changes{operation="update"}'), 1);
      assert.ok(of('syncs{result="success"}')! >= 2);
      const labels = 'topology="Disabled",traffic_distribution="PreferSameZone"';
      assert.equal(of(`endpointslices_changed_per_sync_sum{${labels}}`), 2);
    }),
  );

  it(
    "nodes: zones, and the evictions that a silent one begins; Pods that go for it",
    inWorld(async ({ client, clock, metric, setPods }) => {
      const labels = { "topology.kubernetes.io/zone": "z" };
      for (const name of ["n1", "n2"]) {
        await client.create(Node, node(name, { metadata: { labels } }));
        const conditions = [{ type: "Ready", status: "True" }];
        const patch = { type: "merge", body: { status: { conditions } } } as const;
        await client.patch(Node, { name }, patch, { subresource: "status" });
      }
      await client.create(Pod, pod("p", { spec: { nodeName: "n1" } }));
      await setPods(() => ({ phase: "Running" }));
      const of = (name: string): number | undefined =>
        metric(`node_collector_${name}{zone=":\u0000:z"}`);
      assert.deepEqual(
        ["zone_size", "zone_health", "unhealthy_nodes_in_zone", "evictions_total"].map(of),
        [2, 100, 0, undefined],
      );
      for (let beats = 0; beats < 6; beats++) {
        await clock.advance(10_000);
        const lastHeartbeatTime = formatTime(clock.now());
        const conditions = [{ type: "Ready", status: "True", lastHeartbeatTime }];
        const patch = { type: "merge", body: { status: { conditions } } } as const;
        await client.patch(Node, { name: "n2" }, patch, { subresource: "status" });
      }
      await clock.advance(10_000);
      assert.deepEqual(
        ["zone_size", "zone_health", "unhealthy_nodes_in_zone", "evictions_total"].map(of),
        [2, 50, 1, 1],
      );
      assert.equal(metric("taint_eviction_controller_pod_deletions_total"), 1);
    }),
  );

  it(
    "Prometheus reads all of it; every controller's queue is there",
    inWorld(async ({ client, clock, metric, text }) => {
      await client.create(Service, service("web"));
      await clock.advance(1000);
      assert.deepEqual(complaints(text()), []);
      assert.equal(metric("garbagecollector_controller_resources_sync_error_total"), 0);
      for (const name of ["endpoint_slice", "garbage_collector_attempt_to_delete", "job"])
        assert.equal(metric(`workqueue_depth{name="${name}"}`), 0);
    }),
  );
});
