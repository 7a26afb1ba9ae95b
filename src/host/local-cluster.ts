import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { sleep, type Clock } from "../base/clock.ts";
import { ApiProbe } from "./api-probe.ts";
import { checkStoredPort, chooseApiPort } from "./api-port.ts";
import { removeCgroup } from "./cgroups.ts";
import { loopsOf } from "./cluster-processes.ts";
import {
  clustersIn,
  readClusterFile,
  STATE_SCHEMA_VERSION,
  writeClusterFile,
  type ClusterFile,
} from "./cluster-file.ts";
import { makeFolder, writeAtomically } from "./files.ts";
import {
  checkClaim,
  claimsOfOthers,
  routedOf,
  writeClaim,
  type MachineClaim,
} from "./machine-claims.ts";
import {
  lockMachine,
  lowerMachine,
  missingMountPoints,
  raiseMachine,
  removeIfEmpty,
} from "./machine-gifts.ts";
import {
  forwardObstacles,
  machineNetworkNames,
  machineNetworkOf,
  removeNodeLinks,
  routedRanges,
  type MachineNetwork,
} from "./machine-network.ts";
import {
  isRaised,
  kubeletFolder,
  lowerNode,
  NODE_MOUNT_POINTS,
  nodeNamespaceOf,
  raiseNode,
} from "./node-namespace.ts";
import { NotReady } from "./not-ready.ts";
import { isMarkedReady, readLivePid } from "./process-record.ts";
import { addressAt, checkCapacity, chooseRanges, type Ranges } from "./ranges.ts";
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

  /** True when it has a state folder, even a damaged one. */
  exists(): boolean {
    return existsSync(this.state.path);
  }

  /** True while the supervisor lives. */
  isRunning(): boolean {
    return supervisorPid(this.state) !== undefined;
  }

  /** True while each of its processes would be started again: the supervisor lives, and its loop for every role. */
  isSupervised(file: ClusterFile): boolean {
    const supervisor = supervisorPid(this.state);
    if (supervisor === undefined) return false;
    return loopsOf(supervisor, this.state.path).length >= this.#roleNames(file).length;
  }

  /** True when its processes ended without `stop`: killed, or with the machine. */
  wasKilled(): boolean {
    return !this.isRunning() && existsSync(this.state.pidFile("supervise"));
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
    if (stored && !this.isRunning()) {
      // A killed supervisor leaves its children behind: they hold the port, and would be started twice.
      await stopSupervisor(this.#clock, this.state);
      await checkStoredPort(stored);
    }
    return lockMachine(this.#clock, () => this.#claim(stored, wanted));
  }

  /** Under the machine's lock: what two clusters choose at the same moment must differ. */
  async #claim(stored: ClusterFile | undefined, wanted: WantedCluster): Promise<ClusterFile> {
    const { path, socketFolder } = this.state;
    const others = claimsOfOthers(dirname(socketFolder), path);
    const chosen = stored ? grown(stored, wanted) : await this.#chosen(wanted, others);
    checkCapacity(chosen.ranges, chosen.nodes.length);
    const claim = { state: path, apiPort: chosen.apiPort, ranges: chosen.ranges };
    if (!stored || !this.isRunning()) checkClaim(claim, others, !stored);
    makeFolder(path);
    const { schedulerConfig } = wanted;
    if (schedulerConfig !== undefined) writeAtomically(this.state.schedulerConfig, schedulerConfig);
    const file = schedulerConfig === undefined ? chosen : { ...chosen, hasSchedulerConfig: true };
    writeClusterFile(this.state.clusterFile, file);
    writeClaim(socketFolder, claim);
    return file;
  }

  /** Raises network and nodes and starts all processes; those that run are replaced, containers run on. */
  async raise(file: ClusterFile, options: RaiseOptions): Promise<void> {
    const { report, withheld, logLevel } = options;
    await stopSupervisor(this.#clock, this.state);
    const network = machineNetworkOf(this.state.id, file.ranges);
    const { socketFolder } = this.state;
    // The server needs the machine's own loopback only, so it starts while network and nodes are made.
    const startNodes = startSupervisor(
      this.state,
      this.#program.superviseScript,
      rolesOf(this.#program, this.state, file, logLevel),
      withheld,
    );
    await raiseMachine(this.#clock, network, socketFolder, file.given.folders);
    await Promise.all(file.nodes.map(({ name }, i) => this.#raiseNode(name, i + 1, network)));
    startNodes();
    for (const obstacle of await forwardObstacles(network)) report(obstacle);
  }

  /** Resolves with ms from now until the API answers, and until nodes, default account and root CA are there. */
  async waitUntilReady(file: ClusterFile, waitMsMax: number): Promise<ReadyTimes> {
    const begun = this.#clock.monotonic();
    const elapsed = (): number => this.#clock.monotonic() - begun;
    const until = async (
      what: string,
      test: () => boolean | Promise<boolean>,
      role = "server",
    ): Promise<number> => {
      while (!(await test())) {
        if (elapsed() > waitMsMax) throw new NotReady(what, this.state, role);
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
        // The stored condition may be of an agent before this one: it must say itself that its network and DNS are up.
        ...file.nodes.map(({ name }) =>
          until(
            `node ${name} is not Ready`,
            () => isMarkedReady(this.state.pidFile(`agent-${name}`)) && probe.isNodeReady(name),
            `agent-${name}`,
          ),
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

  /** Notes that a user's kubeconfig has the cluster's context, so that `delete` takes it out there. */
  rememberKubeconfig(path: string): void {
    const file = this.file();
    if (!file || file.kubeconfigs?.includes(path)) return;
    writeClusterFile(this.state.clusterFile, {
      ...file,
      kubeconfigs: [...(file.kubeconfigs ?? []), path],
    });
  }

  /**
   * Ends every process of the cluster, containers too, and takes its namespaces down. Its state stays.
   *
   * Needs no cluster file: everything is found by the cluster's id and the folders of its nodes.
   */
  async stop(): Promise<void> {
    const { id, path, socketFolder } = this.state;
    await stopSupervisor(this.#clock, this.state);
    await Promise.all(namesIn(join(path, "nodes")).map((name) => this.#stopNode(name)));
    await this.#endProcesses("", cgroupOf(this.state, ""));
    await removeNodeLinks(id);
    await this.#removeCgroup(cgroupOf(this.state, ""));
    const folders = this.fileIfSound()?.given.folders ?? [];
    await lowerMachine(this.#clock, machineNetworkNames(id), socketFolder, folders);
    // What is left of it says that nobody stopped the cluster.
    rmSync(this.state.pidFile("supervise"), { force: true });
  }

  /** Stops the cluster and removes every trace of it, also of one whose file is damaged. */
  async delete(): Promise<void> {
    await this.stop();
    rmSync(this.state.path, { recursive: true, force: true });
    rmSync(this.state.lockFile, { force: true });
    removeIfEmpty(this.state.home);
  }

  /** Like {@link file}; `undefined` for a damaged one, too. */
  fileIfSound(): ClusterFile | undefined {
    try {
      return this.file();
    } catch {
      return undefined;
    }
  }

  async #raiseNode(name: string, index: number, network: MachineNetwork): Promise<void> {
    const node = nodeNamespaceOf(this.state.node(name), index, this.state.id, network);
    // Processes of an unpinned namespace would hold the files of those of the new one.
    if (!isRaised(node)) await this.#stopNode(name);
    await raiseNode(node);
  }

  async #stopNode(name: string): Promise<void> {
    const folder = this.state.node(name);
    await this.#endProcesses(kubeletFolder(folder), cgroupOf(this.state, name));
    await lowerNode(folder);
  }

  /** Looks again until nobody is left: a process may have started another while it was ended. */
  async #endProcesses(folder: string, cgroup: string): Promise<void> {
    for (;;) {
      const left = processesOfNode(folder, NODE_MOUNT_POINTS[0], cgroup);
      if (left.length === 0) return;
      await endProcesses(this.#clock, left, CONTAINERS_GRACE_MS);
    }
  }

  /** The kernel may count a process in a group for a moment after its end. */
  async #removeCgroup(path: string): Promise<void> {
    const until = this.#clock.monotonic() + CGROUP_MS_MAX;
    for (;;) {
      try {
        return removeCgroup(path);
      } catch (error) {
        const isBusy = (error as NodeJS.ErrnoException).code === "EBUSY";
        if (!isBusy || this.#clock.monotonic() > until) throw error;
        await sleep(this.#clock, READY_LOOK_MS);
      }
    }
  }

  #roleNames(file: ClusterFile): readonly string[] {
    return ["server", ...file.nodes.map(({ name }) => `agent-${name}`)];
  }

  async #chosen(wanted: WantedCluster, claims: readonly MachineClaim[]): Promise<ClusterFile> {
    const others = otherClusters(this.state);
    const used = [
      ...others.flatMap(({ ranges }) => Object.values(ranges) as string[]),
      ...claims.flatMap(({ ranges }) => routedOf(ranges)),
    ];
    const ranges = chooseRanges(wanted.ranges, [...(await routedRanges()), ...used]);
    const apiPort = await chooseApiPort(
      wanted.apiPort,
      new Set([...others, ...claims].map((other) => other.apiPort)),
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
        folders: others[0]?.given.folders ?? missingMountPoints(),
      },
    };
  }
}

/** Pause between two looks at a starting cluster, in ms. Longer would show in the start time that users see. */
const READY_LOOK_MS = 10;
/** How long containers may take to end when their node stops, in ms. */
const CONTAINERS_GRACE_MS = 2_000;
/** How long the kernel may take to let go of an empty control group, in ms; usually none. */
const CGROUP_MS_MAX = 2_000;

/** What `skiff start` was asked for; absent: stored or chosen. */
export interface WantedCluster {
  readonly nodes?: number;
  readonly apiPort?: number;
  readonly ranges: Partial<Ranges>;
  /** Text of the scheduler's configuration; without it, the one that was given last stays. */
  readonly schedulerConfig?: string;
}

/** How a cluster's processes are started. */
export interface RaiseOptions {
  /** Told of things the user should know. */
  readonly report: (text: string) => void;
  /** Variables of this process that those of the cluster do not get. */
  readonly withheld: readonly string[];
  /** Least level of their logs. Default: theirs. */
  readonly logLevel?: string | undefined;
}

/** Milliseconds from the call. */
export interface ReadyTimes {
  readonly apiReadyMs: number;
  readonly clusterReadyMs: number;
}

/** The control group under which all containers of a node live; with "" that of the whole cluster. */
export function cgroupOf(state: StateFolder, node: string): string {
  return node ? `/skiff-${state.id}/${node}` : `/skiff-${state.id}`;
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

/** Names in a folder; none when it is not there. */
function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
