// What large workloads take: `npm run bench:rollout [-- PODS JOBPODS]`. The whole server in this process, on LMDB, without sockets; kubelets
// are a script that makes a Pod ready (or done) as soon as it is bound, and ends it as soon as it is told to end. Adds a line to results.ndjson.
import { execFileSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { Deployment } from "../src/api/apps/deployment.ts";
import { Job } from "../src/api/batch/job.ts";
import { Lease } from "../src/api/coordination/lease.ts";
import { Pod } from "../src/api/core/pod.ts";
import { Service } from "../src/api/core/service.ts";
import { findCondition } from "../src/api/machinery/conditions.ts";
import type { KubeObject } from "../src/api/machinery/object.ts";
import type { Kind } from "../src/api/machinery/kind.ts";
import { startBenchPlane } from "./schedule/in-process.ts";
import { inParallel, leaseText, nodeText } from "./schedule/objects.ts";

const pods = Number(process.argv[2] ?? 5000);
const jobPods = Number(process.argv[3] ?? 1000);
/** Of 110 Pods each: half as many again as an update with a surge of a quarter needs. */
const nodes = Math.ceil((pods * 1.5) / 80);
/** Writes of all kubelets under way at once. */
const KUBELET_WRITES_MAX = 64;
/** What takes longer has failed. */
const TAKES_MS_MAX = 120_000;

const bench = await startBenchPlane();
const client = bench.plane.client({
  name: "admin",
  groups: ["system:masters", "system:authenticated"],
});

const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
await bench
  .ask("POST", "/api/v1/namespaces", '{"metadata":{"name":"kube-node-lease"}}')
  .catch(() => {});
await inParallel(nodes, 32, async (index) => {
  await bench.ask("POST", "/api/v1/nodes", nodeText(`n${index}`, index));
  await bench.ask("POST", LEASES, leaseText(`n${index}`));
});
const heartbeats = setInterval(() => {
  void inParallel(nodes, 8, (index) => {
    const key = { namespace: "kube-node-lease", name: `n${index}` };
    const { metadata } = bench.plane.cache.get(Lease, key)!;
    const text = leaseText(key.name, metadata!.resourceVersion);
    return bench.ask("PUT", `${LEASES}/${key.name}`, text);
  });
}, 10_000);

/** How many Pods have got one. */
let addresses = 1;
const waiting: (() => Promise<unknown>)[] = [];
let writing = 0;

/** What kubelets do, so many at a time. */
function kubeletDoes(work: () => Promise<unknown>): void {
  waiting.push(work);
  while (writing < KUBELET_WRITES_MAX && waiting.length > 0) {
    writing++;
    void waiting.shift()!()
      .catch(() => undefined)
      .finally(() => {
        writing--;
        const next = waiting.shift();
        if (next) kubeletDoes(next);
      });
  }
}

bench.plane.cache.onChange(Pod, ({ key, old, object }) => {
  const [before, pod] = [old as Pod | undefined, object as Pod | undefined];
  if (!pod?.spec?.nodeName) return;
  const { deletionTimestamp, ownerReferences } = pod.metadata ?? {};
  if (deletionTimestamp !== undefined) {
    if (before?.metadata?.deletionTimestamp === undefined)
      kubeletDoes(() => client.delete(Pod, key, { graceSeconds: 0 }));
    return;
  }
  if (before?.spec?.nodeName) return;
  const isTask = ownerReferences?.[0]?.kind === "Job";
  const lastTransitionTime = new Date().toISOString().replace(/\.\d+/, "");
  const conditions = ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
    type,
    status: isTask && type.endsWith("eady") ? "False" : "True",
    lastTransitionTime,
  }));
  const phase = isTask ? "Succeeded" : "Running";
  const ip = `10.${(addresses >> 16) & 255}.${(addresses >> 8) & 255}.${addresses & 255}`;
  addresses++;
  const podIPs = [{ ip }];
  const body = { status: { phase, conditions, podIP: ip, podIPs, startTime: lastTransitionTime } };
  kubeletDoes(() => client.patch(Pod, key, { type: "merge", body }, { subresource: "status" }));
});

/** Resolves when a change of that kind made `isDone` true. */
function until<T extends KubeObject>(kind: Kind<T>, isDone: (object: T) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("it takes too long")), TAKES_MS_MAX);
    bench.plane.cache.onChange(kind, ({ object }) => {
      if (!object || !isDone(object as T)) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

const template = (app: string, image: string, more: object): object => ({
  metadata: { labels: { app } },
  spec: {
    ...more,
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "c", image, resources: { requests: { cpu: "10m" } } }],
  },
});

const figures: Record<string, { ours: number }> = {};

async function measure(what: string, work: () => Promise<void>): Promise<void> {
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  figures[`${what}, s`] = { ours: +((performance.now() - begun) / 1000).toFixed(2) };
  figures[`${what}, s of the processor`] = { ours: +((user + system) / 1e6).toFixed(2) };
}

const isRolledOut = (image: string, { metadata, spec, status }: Deployment): boolean =>
  spec?.template.spec?.containers[0]?.image === image &&
  status?.observedGeneration === metadata?.generation &&
  [status?.replicas, status?.updatedReplicas, status?.availableReplicas].every(
    (count) => count === spec?.replicas,
  );
const size = (count: number): string => count.toLocaleString("en");

await measure(`Deployment of ${size(pods)} Pods available`, async () => {
  const done = until(Deployment, (object) => isRolledOut("web:1", object));
  await client.create(Deployment, {
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas: pods,
      selector: { matchLabels: { app: "web" } },
      template: template("web", "web:1", {}),
    },
  } as Deployment);
  await done;
});

/** Changes the image and waits until all is done. */
async function roll(image: string): Promise<void> {
  const key = { namespace: "default", name: "web" };
  const done = until(Deployment, (object) => isRolledOut(image, object));
  const body = { spec: { template: { spec: { containers: [{ name: "c", image }] } } } };
  await client.patch(Deployment, key, { type: "strategic", body });
  await done;
}

await measure(`Deployment of ${size(pods)} Pods rolled to a new image`, () => roll("web:2"));
await client.create(Service, {
  metadata: { name: "web", namespace: "default" },
  spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
} as Service);
await new Promise((resolve) => setTimeout(resolve, 2000));
await measure(`the same beside a Service of all of them`, () => roll("web:3"));
await measure(`Job of ${size(jobPods)} Pods complete`, async () => {
  const done = until(
    Job,
    ({ status }) => findCondition(status?.conditions, "Complete")?.status === "True",
  );
  await client.create(Job, {
    metadata: { name: "tasks", namespace: "default" },
    spec: {
      completions: jobPods,
      parallelism: jobPods,
      template: template("tasks", "task:1", { restartPolicy: "Never" }),
    },
  } as Job);
  await done;
});

clearInterval(heartbeats);
await bench.close();
for (const [name, { ours }] of Object.entries(figures)) console.log(`${name.padEnd(72)} ${ours}`);
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
const line = { at: new Date().toISOString().slice(0, 10), commit, figures };
appendFileSync("bench/results.ndjson", `${JSON.stringify(line)}\n`);
