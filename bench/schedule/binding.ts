// What the parts of the way from a Pod to its node cost the main thread, in a control plane in this process.
import { Lease } from "../../src/api/coordination/lease.ts";
import { Pod } from "../../src/api/core/pod.ts";
import type { Client } from "../../src/client/client.ts";
import { ownCpuTime } from "./cpu-time.ts";
import { startBenchPlane, type BenchPlane } from "./in-process.ts";
import { inParallel, leaseText, nodeText, podText } from "./objects.ts";

const PODS = "/api/v1/namespaces/default/pods";
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
/** Bindings under way at once, as the scheduler has them. */
const BINDINGS = 128;

/** Figures of a cluster of `nodes`, in which `pods` are placed by hand and as many by the scheduler. */
export async function benchBinding(
  nodes: number,
  pods: number,
): Promise<Readonly<Record<string, number>>> {
  const bench = await startBenchPlane();
  try {
    const size = `${nodes.toLocaleString("en")} nodes`;
    await pause(1500);
    const node = await cost(nodes, () => createNodes(bench, nodes));
    await pause(1500);
    const create = await cost(pods, () => createPods(bench, "x", pods, "none"));
    const bind = await cost(pods, () => bindAll(bench, pods, nodes));
    const scheduled = await cost(pods, async () => {
      const isDone = allBound(bench, "y", pods);
      await createPods(bench, "y", pods);
      await isDone;
    });
    const after = await cost(pods, () => pause(3000));
    const idle = await cost(1, () => pause(20_000));
    return {
      [`create a Node, ${size}, µs`]: node,
      [`create a Pod, ${size}, µs`]: create,
      [`bind a Pod, ${size}, µs`]: bind,
      [`create and schedule a Pod, ${size}, µs`]: scheduled,
      [`what follows it, ${size}, µs`]: after,
      [`idle with ${2 * pods} Pods, ${size}, % of a core`]: +(idle / 200_000).toFixed(2),
      ...(await heartbeats(bench, nodes, size)),
    };
  } finally {
    await bench.close();
  }
}

/** A Lease of each node every 10 s, as kubelets write them, for 20 s. */
async function heartbeats(
  { plane, ask }: BenchPlane,
  nodes: number,
  size: string,
): Promise<Readonly<Record<string, number>>> {
  const name = (index: number): string => `n${index}`;
  await ask("POST", "/api/v1/namespaces", '{"metadata":{"name":"kube-node-lease"}}').catch(
    () => {},
  );
  await inParallel(nodes, 32, (index) => ask("POST", LEASES, leaseText(name(index))));
  const perSlice = Math.round(nodes / 100);
  const used = await cost(1, async () => {
    for (let slice = 0; slice < 200; slice++) {
      const due = performance.now() + 100;
      await inParallel(perSlice, perSlice, (i) => {
        const lease = name((slice * perSlice + i) % nodes);
        const key = { namespace: "kube-node-lease", name: lease };
        const { metadata } = plane.cache.get(Lease, key)!;
        return ask("PUT", `${LEASES}/${lease}`, leaseText(lease, metadata!.resourceVersion));
      });
      await pause(due - performance.now());
    }
  });
  return { [`heartbeats of ${size}, % of a core`]: +(used / 200_000).toFixed(2) };
}

function createNodes({ ask }: BenchPlane, nodes: number): Promise<void> {
  return inParallel(nodes, 32, (index) =>
    ask("POST", "/api/v1/nodes", nodeText(`n${index}`, index)),
  );
}

function createPods(
  { ask }: BenchPlane,
  prefix: string,
  pods: number,
  schedulerName?: string,
): Promise<void> {
  return inParallel(pods, 32, (index) =>
    ask("POST", PODS, podText(`${prefix}${index}`, index, schedulerName)),
  );
}

function bindAll({ plane }: BenchPlane, pods: number, nodes: number): Promise<void> {
  const user = { name: "system:kube-scheduler", groups: ["system:authenticated"] };
  const client: Client = plane.client(user);
  return inParallel(pods, BINDINGS, (index) => {
    const key = { namespace: "default", name: `x${index}` };
    const target = { apiVersion: "v1", kind: "Node", name: `n${index % nodes}` };
    const binding = { apiVersion: "v1", kind: "Binding", metadata: key, target };
    return client.createSubresource(Pod, key, "binding", binding);
  });
}

/** Resolves when so many Pods of that prefix have a node. */
function allBound({ plane }: BenchPlane, prefix: string, pods: number): Promise<void> {
  let left = pods;
  return new Promise((resolve) =>
    plane.cache.onChange(Pod, ({ key, old, object }) => {
      const isNew = (object as Pod | undefined)?.spec?.nodeName && !(old as Pod)?.spec?.nodeName;
      if (isNew && key.name.startsWith(prefix) && --left === 0) resolve();
    }),
  );
}

/** µs of the main thread, per piece. */
async function cost(pieces: number, work: () => Promise<unknown>): Promise<number> {
  const begin = ownCpuTime();
  await work();
  return Math.round((ownCpuTime() - begin) / pieces);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
