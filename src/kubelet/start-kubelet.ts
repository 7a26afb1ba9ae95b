import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import { Node } from "../api/core/node.ts";
import { Service } from "../api/core/service.ts";
import type { Cache } from "../client/cache.ts";
import type { Client } from "../client/client.ts";
import type { CriClient, RuntimeCondition } from "../wire/cri/cri-client.ts";
import { EventRecorder } from "./events.ts";
import { AllocationFiles } from "./executor/allocation-files.ts";
import { ask } from "./executor/asker.ts";
import { ImageCleaner } from "./executor/image-cleaner.ts";
import { lastWordsIn } from "./executor/last-words.ts";
import { LogRotator } from "./executor/log-rotator.ts";
import { readMachine, type Machine } from "./executor/machine.ts";
import { readNodeSupply } from "./executor/node-supply.ts";
import { readNodeFile } from "./executor/pod-files.ts";
import { PodMeter } from "./executor/pod-meter.ts";
import { RuntimeReader } from "./executor/runtime-reader.ts";
import { KubeletListener, type ListenerOptions } from "./executor/kubelet-listener.ts";
import { StatsReader } from "./executor/stats-reader.ts";
import { StepExecutor } from "./executor/step-executor.ts";
import { VolumeMounter } from "./executor/volume-mounter.ts";
import { Housekeeper } from "./node/housekeeper.ts";
import { NodeAgent, type NodeCondition } from "./node/node-agent.ts";
import { allocatableOf, networkProblemOf, newNode, type NodeIdentity } from "./node/node-status.ts";
import { rejectionOf } from "./plan/admission.ts";
import { THRESHOLDS_DEFAULT, type Pressure, type Threshold } from "./plan/eviction.ts";
import { IMAGE_LIMITS_DEFAULT, type ImageLimits } from "./plan/image-garbage.ts";
import { LOG_LIMITS_DEFAULT, type LogLimits } from "./plan/log-rotation.ts";
import type { NodeFacts } from "./plan/observed.ts";
import { PodRunner } from "./pod-runner.ts";
import { ProbeMetrics } from "./probes/probe-metrics.ts";
import { ReferencedObjects } from "./referenced-objects.ts";
import { parseResolvConf } from "../wire/dns/resolv-conf.ts";
import type { PodSettings } from "./runtime/sandbox-config.ts";
import type { WatchRuntime } from "./runtime-events.ts";
import { ServiceAccountTokens } from "./service-account-tokens.ts";
import { apiServerGate, type Gate } from "./server/gate.ts";
import { KubeletApi } from "./server/kubelet-api.ts";
import { StatusWriter } from "./status-writer.ts";

const CGROUP_ROOT = "/kubepods";

/** Everything a kubelet stands on. */
export interface KubeletOptions {
  readonly client: Client;
  /** Holds this node's Pods (field selector `spec.nodeName`) and all Services; synced by the kubelet. */
  readonly cache: Cache;
  readonly cri: CriClient;
  readonly watchRuntime: WatchRuntime;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  readonly folders: KubeletFolders;
  readonly dns: KubeletDns;
  /** cgroupfs path; two kubelets on one machine have different ones. Default `/kubepods`. */
  readonly cgroupRoot?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: NodeIdentity["taints"];
  /** `v1.36.0+skiff.0.1.0` */
  readonly version: string;
  readonly server: ListenerOptions;
  /** Default: 10 Mi in each of 5 files. */
  readonly logLimits?: LogLimits;
  /** When unused images go. Default: upstream's, 85 % and 80 % of the disk. */
  readonly imageLimits?: ImageLimits;
  /** When the node is short. Default: upstream's. */
  readonly thresholds?: readonly Threshold[];
  /** Who may use the kubelet's API. Default: what the API server says, see `apiServerGate`. */
  readonly gate?: Gate;
}

/** Absolute paths on the node. */
export interface KubeletFolders {
  /** `/var/lib/kubelet` */
  readonly state: string;
  /** `/var/log/pods` */
  readonly logs: string;
  /** `/var/log/containers` */
  readonly logLinks: string;
}

export interface KubeletDns {
  readonly clusterServers: readonly string[];
  readonly clusterDomain: string;
  /** The node's own resolv.conf; default `/etc/resolv.conf`. */
  readonly resolvConf?: string;
}

/** A running kubelet. */
export interface Kubelet {
  readonly pods: PodRunner;
  /** Where its API listens. */
  readonly port: number;
  /** The node's network was just configured: report it at once. */
  networkChanged(): void;
  /** Looks at once after what is looked after every 10 s: logs, storage limits, pressure. */
  tidy(): Promise<void>;
  /** Stops; containers run on. */
  close(): void;
}

/** Starts a kubelet. Resolves when its API listens, the node is registered and every Pod of the node has its worker. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const machine = await readMachine(options.folders.state);
  const network = new NodeNetwork(options);
  let isShortOf: ReadonlySet<Pressure> = new Set();
  network.learn(await options.cri.status().catch(() => []));
  const parts = await makeParts(options, machine, network, () => isShortOf);
  const { pods, recorder, settings } = parts;
  const housekeeper = makeHousekeeper(options, pods, recorder, settings);
  network.onChange = () => pods.nodeChanged();
  const listener = makeListener(options, parts, machine);
  const port = await listener.listen(options.server);
  const agent = makeAgent(options, machine, recorder, port, {
    learn: (conditions) => network.learn(conditions),
    pressures: () => isShortOf,
  });
  housekeeper.onPressures = () => {
    isShortOf = housekeeper.pressures;
    void agent.check();
  };
  housekeeper.start();
  await Promise.all([agent.start(), pods.start()]);
  return {
    pods,
    port,
    networkChanged: () => agent.poke(),
    tidy: () => housekeeper.look(),
    close: () => {
      housekeeper.close();
      agent.close();
      listener.close();
      pods.close();
    },
  };
}

/** What Pods must know of the node, kept up to date by what the runtime says of its network. */
class NodeNetwork {
  onChange: () => void = () => {};
  #facts: NodeFacts;

  constructor({ nodeName, nodeIps }: KubeletOptions) {
    this.#facts = { name: nodeName, ips: nodeIps };
  }

  get facts(): NodeFacts {
    return this.#facts;
  }

  learn(conditions: readonly RuntimeCondition[]): void {
    const { name, ips, networkProblem: before } = this.#facts;
    const problem = networkProblemOf(conditions);
    if (problem === before) return;
    this.#facts = { name, ips, ...(problem === undefined ? {} : { networkProblem: problem }) };
    this.onChange();
  }
}

function makeListener(
  options: KubeletOptions,
  { pods, settings, probes }: Parts,
  machine: Machine,
): KubeletListener {
  const { client, cri, clock, logger, nodeName, folders, server } = options;
  const stats = new StatsReader(cri, clock, settings, () => pods.workers);
  const api = new KubeletApi({
    pods,
    cri,
    clock,
    nodeName,
    logRoot: folders.logs,
    readStats: (hasStorage) => stats.read(hasStorage),
    probes,
    machine,
  });
  const gate = options.gate ?? apiServerGate(client, nodeName);
  return new KubeletListener(server, api, gate, logger);
}

function makeAgent(
  options: KubeletOptions,
  machine: Machine,
  recorder: EventRecorder,
  kubeletPort: number,
  condition: NodeCondition,
): NodeAgent {
  const { client, cri, clock, logger } = options;
  const identity = identityOf(options, kubeletPort);
  return new NodeAgent(client, cri, clock, logger, recorder, identity, machine, condition);
}

function makeHousekeeper(
  options: KubeletOptions,
  pods: PodRunner,
  recorder: EventRecorder,
  settings: PodSettings,
): Housekeeper {
  const { cri, clock, logger, folders, logLimits = LOG_LIMITS_DEFAULT } = options;
  const { imageLimits = IMAGE_LIMITS_DEFAULT } = options;
  return new Housekeeper({
    clock,
    logger,
    rotator: new LogRotator(cri, clock, logger, logLimits),
    images: new ImageCleaner(cri, clock, logger, recorder, imageLimits),
    meter: new PodMeter(cri, settings),
    readSupply: () => readNodeSupply(folders.state),
    workers: () => pods.workers,
    logRoot: folders.logs,
    thresholds: options.thresholds ?? THRESHOLDS_DEFAULT,
  });
}

function identityOf(options: KubeletOptions, kubeletPort: number): NodeIdentity {
  const { nodeName: name, nodeIps: ips, labels = {}, taints = [], version } = options;
  return { name, ips, labels, taints, kubeletPort, version };
}

async function settingsOf(options: KubeletOptions, machine: Machine): Promise<PodSettings> {
  const { dns, folders, nodeName, cgroupRoot = CGROUP_ROOT } = options;
  const host = parseResolvConf(await readNodeFile(dns.resolvConf ?? "/etc/resolv.conf"));
  return {
    nodeName,
    cgroupRoot,
    dns: { clusterServers: dns.clusterServers, clusterDomain: dns.clusterDomain, host },
    logRoot: folders.logs,
    stateRoot: folders.state,
    memoryBytes: machine.memoryBytes,
  };
}

/** What the parts of a kubelet share. */
interface Parts {
  readonly pods: PodRunner;
  readonly recorder: EventRecorder;
  readonly settings: PodSettings;
  readonly probes: ProbeMetrics;
}

async function makeParts(
  options: KubeletOptions,
  machine: Machine,
  network: NodeNetwork,
  pressures: () => ReadonlySet<Pressure>,
): Promise<Parts> {
  const { client, cache, cri, clock, random, logger, nodeName, nodeIps, folders } = options;
  const settings = await settingsOf(options, machine);
  const allocatable = allocatableOf(machine);
  const probes = new ProbeMetrics();
  const mounter = new VolumeMounter(folders.state);
  await mounter.start();
  const reader = new RuntimeReader(cri, nodeName, lastWordsIn(folders.state));
  const recorder = new EventRecorder(client, clock, random, logger, nodeName);
  const objects = new ReferencedObjects(client, clock, random, logger, (uid) =>
    pods.objectsChanged(uid),
  );
  const runner = new StepExecutor(
    {
      cri,
      client,
      clock,
      recorder,
      objects,
      tokens: new ServiceAccountTokens(client, clock),
      settings,
      logLinks: folders.logLinks,
      nodeIps,
      allocatable: () => allocatable,
      services: () => cache.list(Service),
      servicesKnown: () => cache.sync(Service),
    },
    mounter,
    reader,
  );
  const pods: PodRunner = new PodRunner({
    cache,
    logger,
    nodeName,
    objects,
    watchRuntime: options.watchRuntime,
    listRemains: () => reader.list(),
    allocatable: () => allocatable,
    admit: (pod, active) => {
      const node = cache.get(Node, { namespace: "", name: nodeName });
      const known = node ?? newNode(identityOf(options, 0), machine);
      return rejectionOf(pod, active, known, allocatable, pressures());
    },
    sweepFiles: async (known) => {
      for (const uid of await mounter.known()) if (!known.has(uid)) await mounter.tearDown(uid);
    },
    worker: {
      clock,
      logger,
      runner,
      runtime: reader,
      ask: (podIp) => (_pod, container, probe) => ask(cri, podIp, container, probe),
      statuses: new StatusWriter(client, clock, logger),
      probes,
      recorder,
      node: () => network.facts,
      allocations: new AllocationFiles(folders.state),
    },
  });
  return { pods, recorder, settings, probes };
}
