import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sleep, type Clock } from "../base/clock.ts";
import { ApiProbe } from "./api-probe.ts";
import { checkFree, chooseApiPort } from "./api-port.ts";
import { removeCgroup } from "./cgroups.ts";
import {
  readClusterFile,
  STATE_SCHEMA_VERSION,
  writeClusterFile,
  type ClusterFile,
} from "./cluster-file.ts";
import { makeFolder } from "./files.ts";
import {
  forwardObstacles,
  ipForward,
  lowerMachineNetwork,
  machineNetworkOf,
  raiseMachineNetwork,
  restoreIpForward,
  routedRanges,
  type MachineNetwork,
} from "./machine-network.ts";
import {
  lowerNode,
  NODE_MOUNT_POINTS,
  nodeNamespaceOf,
  raiseNode,
  type NodeNamespace,
} from "./node-namespace.ts";
import { readLivePid } from "./process-record.ts";
import { addressAt, chooseRanges, type Ranges } from "./ranges.ts";
import { rolesOf, type Program } from "./roles.ts";
import { StateFolder } from "./state-folder.ts";
import {
  endProcesses,
  processesOfNode,
  startSupervisor,
  stopSupervisor,
  supervisorPid,
} from "./supervisor.ts";

/**
 * A cluster on this machine, from its first start to its removal. The only place that knows the order of the steps; each
 * step can be repeated, so a start after any crash converges.
 */
export class LocalCluster {
  readonly state: StateFolder;
  readonly #clock: Clock;
  readonly #program: Program;

  constructor(clock: Clock, program: Program, state: StateFolder) {
    this.#clock = clock;
    this.#program = program;
    this.state = state;
  }

  /** @returns `undefined`: there is no such cluster. @throws {Error} its file is damaged. */
  file(): ClusterFile | undefined {
    return readClusterFile(this.state.clusterFile);
  }

  /** True while the supervisor lives. */
  isRunning(): boolean {
    return supervisorPid(this.state) !== undefined;
  }

  /** Pids of the cluster's processes by role; absent: that role does not run. */
  processes(file: ClusterFile): ReadonlyMap<string, number> {
    const names = ["supervise", ...this.#roleNames(file)];
    return new Map(
      names.flatMap((name) => {
        const pid = readLivePid(this.state.pidFile(name));
        return pid === undefined ? [] : [[name, pid] as const];
      }),
    );
  }

  /**
   * Chooses port and ranges of a new cluster, or takes those of the stored one, and adds missing nodes.
   *
   * @throws {PortTaken} {RangeError} {Error} what was asked for does not fit the stored cluster.
   */
  async prepare(wanted: WantedCluster): Promise<ClusterFile> {
    const stored = this.file();
    if (stored && !this.isRunning()) await checkFree(stored.apiPort);
    const file = stored ? grown(stored, wanted) : await this.#chosen(wanted);
    makeFolder(this.state.path);
    writeClusterFile(this.state.clusterFile, file);
    return file;
  }

  /** Raises network and nodes and starts all processes. `report`: told of things the user should know. */
  async raise(file: ClusterFile, report: (text: string) => void): Promise<void> {
    const network = this.#network(file);
    if (!this.isRunning()) await this.#endStrays(file);
    await raiseMachineNetwork(network);
    const nodes = this.#nodes(file);
    await Promise.all(nodes.map(raiseNode));
    makeFolder(this.state.socketFolder);
    startSupervisor(
      this.state,
      this.#program.superviseScript,
      rolesOf(this.#program, this.state, file),
    );
    for (const obstacle of await forwardObstacles(network)) report(obstacle);
  }

  /** Resolves with ms from now until the API answers, and until nodes, default account and root CA are there. */
  async waitUntilReady(file: ClusterFile, waitMsMax: number): Promise<ReadyTimes> {
    const begun = this.#clock.monotonic();
    const elapsed = (): number => this.#clock.monotonic() - begun;
    const until = async (what: string, test: () => boolean | Promise<boolean>): Promise<number> => {
      while (!(await test())) {
        if (elapsed() > waitMsMax) throw new NotReady(what, this.state);
        await sleep(this.#clock, READY_LOOK_MS);
      }
      return elapsed();
    };
    await until("the API server has not made its certificates", () =>
      existsSync(this.state.adminKubeconfig),
    );
    const probe = new ApiProbe(this.state.adminKubeconfig);
    try {
      const apiReadyMs = await until("the API server is not ready", () => probe.isReady());
      const defaults = "/api/v1/namespaces/default";
      await Promise.all([
        ...file.nodes.map(({ name }) =>
          until(`node ${name} is not Ready`, () => probe.isNodeReady(name)),
        ),
        until("namespace default has no ServiceAccount", () =>
          probe.exists(`${defaults}/serviceaccounts/default`),
        ),
        until("namespace default has no root CA", () =>
          probe.exists(`${defaults}/configmaps/kube-root-ca.crt`),
        ),
      ]);
      return { apiReadyMs, clusterReadyMs: elapsed() };
    } finally {
      probe.close();
    }
  }

  /** Ends every process of the cluster, containers too, and takes its namespaces down. Its state stays. */
  async stop(): Promise<void> {
    const file = this.file();
    if (!file) return;
    await stopSupervisor(this.#clock, this.state, this.#roleNames(file));
    await Promise.all(this.#nodes(file).map((node) => this.#stopNode(node)));
    // only now: a node that stops later than another still has processes in its control group
    removeCgroup(cgroupOf(this.state, ""));
    await lowerMachineNetwork(this.#network(file));
    rmSync(this.state.socketFolder, { recursive: true, force: true });
    removeIfEmpty("/run/skiff");
  }

  /** Stops the cluster and removes every trace of it. */
  async delete(): Promise<void> {
    const file = this.file();
    await this.stop();
    rmSync(this.state.path, { recursive: true, force: true });
    rmSync(this.state.lockFile, { force: true });
    if (file && !existsSync("/run/skiff")) {
      restoreIpForward(file.given.ipForwardBefore);
      for (const folder of file.given.folders) removeIfEmpty(folder);
    }
    removeIfEmpty(this.state.home);
  }

  async #stopNode(node: NodeNamespace): Promise<void> {
    const cgroup = cgroupOf(this.state, node.folder.name);
    await endProcesses(
      this.#clock,
      processesOfNode(node.folder.mountPin, cgroup),
      CONTAINERS_GRACE_MS,
    );
    await lowerNode(node);
    removeCgroup(cgroup);
  }

  /** After a crash of the supervisor its children may live on; a new one would start them twice. */
  async #endStrays(file: ClusterFile): Promise<void> {
    await stopSupervisor(this.#clock, this.state, this.#roleNames(file));
  }

  #roleNames(file: ClusterFile): readonly string[] {
    return ["server", ...file.nodes.map(({ name }) => `agent-${name}`)];
  }

  #network(file: ClusterFile): MachineNetwork {
    return machineNetworkOf(this.state.id, file.ranges);
  }

  #nodes(file: ClusterFile): readonly NodeNamespace[] {
    return file.nodes.map(({ name }, index) =>
      nodeNamespaceOf(this.state.node(name), index + 1, this.state.id, this.#network(file)),
    );
  }

  async #chosen(wanted: WantedCluster): Promise<ClusterFile> {
    const others = otherClusters(this.state);
    const used = others.flatMap(({ ranges }) => Object.values(ranges) as string[]);
    const ranges = chooseRanges(wanted.ranges, [...(await routedRanges()), ...used]);
    const apiPort = await chooseApiPort(
      wanted.apiPort,
      new Set(others.map((other) => other.apiPort)),
    );
    const network = machineNetworkOf(this.state.id, ranges);
    return {
      schemaVersion: STATE_SCHEMA_VERSION,
      name: this.state.name,
      apiPort,
      ranges,
      nodes: nodesOf(this.state.name, wanted.nodes ?? 1, ranges),
      given: {
        bridge: network.bridge,
        table: network.table,
        ipForwardBefore: others[0]?.given.ipForwardBefore ?? ipForward(),
        folders: others[0]?.given.folders ?? NODE_MOUNT_POINTS.filter((path) => !existsSync(path)),
      },
    };
  }
}

/** Pause between two looks at a starting cluster, in ms. Longer would show in the start time that users see. */
const READY_LOOK_MS = 10;
/** How long containers may take to end when their node stops, in ms. */
const CONTAINERS_GRACE_MS = 2_000;

/** What `skiff start` was asked for; absent: stored or chosen. */
export interface WantedCluster {
  readonly nodes?: number;
  readonly apiPort?: number;
  readonly ranges: Partial<Ranges>;
}

/** Milliseconds from the call. */
export interface ReadyTimes {
  readonly apiReadyMs: number;
  readonly clusterReadyMs: number;
}

/** The cluster did not become ready in time; its processes go on trying. */
export class NotReady extends Error {
  override readonly name = "NotReady";

  constructor(what: string, state: StateFolder) {
    super(`${what}: see the logs in ${state.logFolder} ('skiff logs --name ${state.name}')`);
  }
}

/** The control group under which all containers of a node live; with "" that of the whole cluster. */
export function cgroupOf(state: StateFolder, node: string): string {
  return node ? `/skiff-${state.id}/${node}` : `/skiff-${state.id}`;
}

/** Files of all clusters below one home; damaged ones left out. */
export function clustersIn(home: string): readonly ClusterFile[] {
  if (!existsSync(home)) return [];
  return readdirSync(home, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => {
      try {
        return readClusterFile(join(home, entry.name, "cluster.json")) ?? [];
      } catch {
        return [];
      }
    });
}

function otherClusters(state: StateFolder): readonly ClusterFile[] {
  return clustersIn(state.home).filter(({ name }) => name !== state.name);
}

/** NAME-1 is the first node after the bridge's own address. */
function nodesOf(cluster: string, count: number, ranges: Ranges): ClusterFile["nodes"] {
  return Array.from({ length: count }, (_, i) => ({
    name: `${cluster}-${i + 1}`,
    ip: addressAt(ranges.nodeCidr, i + 2),
  }));
}

/** The stored cluster with the nodes it was asked to have more; ports and ranges are kept. */
function grown(stored: ClusterFile, wanted: WantedCluster): ClusterFile {
  const refuse = (flag: string, has: string | number): never => {
    throw new Error(
      `cluster ${stored.name} exists with ${flag} ${has}; that cannot change: leave ${flag} out, or 'skiff delete' the cluster first`,
    );
  };
  if (wanted.apiPort !== undefined && wanted.apiPort !== stored.apiPort)
    refuse("--api-port", stored.apiPort);
  for (const [flag, key] of RANGE_FLAGS)
    if (wanted.ranges[key] !== undefined && wanted.ranges[key] !== stored.ranges[key])
      refuse(flag, stored.ranges[key]);
  const count = wanted.nodes ?? stored.nodes.length;
  if (count < stored.nodes.length) refuse("--nodes", stored.nodes.length);
  return { ...stored, nodes: nodesOf(stored.name, count, stored.ranges) };
}

const RANGE_FLAGS = [
  ["--node-cidr", "nodeCidr"],
  ["--pod-cidr", "podCidr"],
  ["--service-cidr", "serviceCidr"],
] as const;

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "EBUSY") throw error;
  }
}
