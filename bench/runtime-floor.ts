// How long containerd, runc and the CNI plugins take by themselves for the sandboxes and containers that Pods need: the same calls as the
// kubelet's, by the same client, with nothing around them. `node tools/bench-program.mjs runtime-floor SOCKET COUNT WIDTH`, where SOCKET is a
// running node's (`/proc/PID/root/run/containerd/containerd.sock` of its agent) and WIDTH how many Pods are under way at once. Prints
// the milliseconds of each phase when it is over: start, stop, removal. Its sandboxes carry no node's label, so that a kubelet beside it leaves them alone.
import { randomUUID } from "node:crypto";
import type { V1Pod } from "../src/gen/types.ts";
import { containerConfig } from "../src/kubelet/runtime/container-config.ts";
import { sandboxConfig, type PodSettings } from "../src/kubelet/runtime/sandbox-config.ts";
import { PROPAGATION_PRIVATE, type Mount } from "../src/wire/cri/cri-client.ts";
import { GrpcCriClient } from "../src/wire/cri/grpc-cri-client.ts";
import { GrpcChannel } from "../src/wire/grpc/channel.ts";

const [socket = "", count = "30", width = count] = process.argv.slice(2);
const cri = new GrpcCriClient(new GrpcChannel(`unix://${socket}`));

const SETTINGS: PodSettings = {
  nodeName: "floor",
  dns: {
    clusterServers: ["10.96.0.10"],
    clusterDomain: "cluster.local",
    host: { servers: [], searches: [], options: [] },
  },
  cgroupRoot: "/floor",
  logRoot: "/var/log/pods",
  stateRoot: "/var/lib/kubelet",
  memoryBytes: 2 ** 34,
};

/** As many as a Pod has: its hosts, its last words, its token. What is mounted does not matter. */
const MOUNTS: readonly Mount[] = [
  ["/etc/hosts", "/etc/hosts"],
  ["/dev/termination-log", "/etc/hostname"],
  ["/var/run/secrets/kubernetes.io/serviceaccount", "/opt"],
].map(([containerPath = "", hostPath = ""]) => ({
  containerPath,
  hostPath,
  readonly: true,
  propagation: PROPAGATION_PRIVATE,
}));

const podOf = (uid: string): V1Pod => ({
  metadata: { name: `floor-${uid}`, namespace: "default", uid },
  spec: { containers: [{ name: "c", image: "busybox", command: ["sleep", "1000"] }] },
});

/** Does `work` for each, `width` at a time, and prints how long it took, in ms. */
async function phase<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const begun = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < all.length) await work(all[next++]!);
  };
  await Promise.all(Array.from({ length: Number(width) }, worker));
  console.log(Math.round(performance.now() - begun));
}

const image = await cri.imageStatus("docker.io/library/busybox:latest");
if (!image) throw new Error("the image busybox is not on this node");
const made: { sandbox: string; container: string }[] = [];
await phase(
  Array.from({ length: Number(count) }, () => randomUUID()),
  async (uid) => {
    const pod = podOf(uid);
    const config = sandboxConfig(pod, 0, SETTINGS);
    const sandbox = await cri.runSandbox(config);
    const parts = { restartCount: 0, environment: new Map(), mounts: MOUNTS, image };
    const spec = containerConfig(pod, pod.spec!.containers[0]!, parts, SETTINGS);
    const container = await cri.createContainer(sandbox, { ...spec, logPath: "0.log" }, config);
    await cri.startContainer(container);
    made.push({ sandbox, container });
  },
);
await phase(made, async ({ sandbox, container }) => {
  await cri.stopContainer(container, 0);
  await cri.stopSandbox(sandbox);
});
await phase(made, async ({ sandbox, container }) => {
  await cri.removeContainer(container);
  await cri.removeSandbox(sandbox);
});
cri.close();
