import { ApiProbe } from "../host/api-probe.ts";
import type { ClusterFile } from "../host/cluster-file.ts";
import { clustersIn } from "../host/cluster-file.ts";
import { LocalCluster } from "../host/local-cluster.ts";
import { StateFolder } from "../host/state-folder.ts";
import { OUTPUT_FLAG, wantsJson, type Command, type Invocation } from "./command.ts";
import { existingCluster } from "./local.ts";

/** What `status` says of one cluster. */
interface ClusterStatus {
  readonly name: string;
  readonly status: "running" | "degraded" | "stopped";
  readonly server: string;
  readonly apiReady: boolean;
  readonly nodes: readonly {
    readonly name: string;
    readonly ip: string;
    readonly ready: boolean;
  }[];
  readonly processes: Readonly<Record<string, number>>;
  readonly ranges: ClusterFile["ranges"];
}

/** `skiff status`: exit 0 when all of the cluster is up, 1 when any part is not. */
export const status: Command = {
  name: "status",
  summary: "say how a cluster is",
  operands: "",
  flags: [OUTPUT_FLAG],
  details: "Exit status 0: everything is up; 1: something is not.",
  run: async (invocation) => {
    const { cluster, file } = existingCluster(invocation);
    const found = await statusOf(cluster, file);
    const { print } = invocation.surroundings;
    if (wantsJson(invocation.flags)) print(JSON.stringify(found));
    else statusLines(found).forEach(print);
    return found.status === "running" ? 0 : 1;
  },
};

/** `skiff list`: all clusters of this home. */
export const list: Command = {
  name: "list",
  summary: "list the clusters of this machine's user",
  operands: "",
  flags: [OUTPUT_FLAG],
  run: async (invocation) => {
    const { surroundings, flags } = invocation;
    const rows = clustersIn(surroundings.home).map((file) => rowOf(invocation, file));
    if (wantsJson(flags)) surroundings.print(JSON.stringify(rows));
    else if (rows.length === 0) surroundings.print("no clusters: make one with 'skiff start'");
    else listLines(rows).forEach(surroundings.print);
    return 0;
  },
};

interface Row {
  readonly name: string;
  readonly status: "running" | "stopped";
  readonly nodes: number;
  readonly server: string;
}

function rowOf({ surroundings }: Invocation, file: ClusterFile): Row {
  const { clock, program, home } = surroundings;
  const cluster = new LocalCluster(clock, program, new StateFolder(home, file.name));
  return {
    name: file.name,
    status: cluster.isRunning() ? "running" : "stopped",
    nodes: file.nodes.length,
    server: serverOf(file),
  };
}

async function statusOf(cluster: LocalCluster, file: ClusterFile): Promise<ClusterStatus> {
  const isRunning = cluster.isRunning();
  const processes = cluster.processes(file);
  const probe = processes.has("server") ? new ApiProbe(cluster.state.adminKubeconfig) : undefined;
  const apiReady = (await probe?.isReady()) ?? false;
  const nodes = await Promise.all(
    file.nodes.map(async ({ name, ip }) => ({
      name,
      ip,
      ready: apiReady && ((await probe?.isNodeReady(name)) ?? false),
    })),
  );
  probe?.close();
  const isWhole = isRunning && apiReady && nodes.every(({ ready }) => ready);
  return {
    name: file.name,
    status: processes.size === 0 ? "stopped" : isWhole ? "running" : "degraded",
    server: serverOf(file),
    apiReady,
    nodes,
    processes: Object.fromEntries(processes),
    ranges: file.ranges,
  };
}

function statusLines(found: ClusterStatus): readonly string[] {
  return [
    `cluster ${found.name} is ${found.status}`,
    `API     ${found.server}  ${found.apiReady ? "ready" : "not ready"}`,
    ...found.nodes.map(
      ({ name, ip, ready }) => `node    ${name}  ${ip}  ${ready ? "Ready" : "not Ready"}`,
    ),
    ...Object.entries(found.processes).map(([role, pid]) => `process ${role}  pid ${pid}`),
    `ranges  nodes ${found.ranges.nodeCidr}, pods ${found.ranges.podCidr}, Services ${found.ranges.serviceCidr}`,
  ];
}

function listLines(rows: readonly Row[]): readonly string[] {
  const width = Math.max(4, ...rows.map(({ name }) => name.length));
  return [
    `${"NAME".padEnd(width)}  STATUS   NODES  SERVER`,
    ...rows.map(
      ({ name, status: state, nodes, server }) =>
        `${name.padEnd(width)}  ${state.padEnd(7)}  ${String(nodes).padEnd(5)}  ${server}`,
    ),
  ];
}

function serverOf(file: ClusterFile): string {
  return `https://127.0.0.1:${file.apiPort}`;
}
