import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import { Node } from "../api/core/node.ts";
import { Service } from "../api/core/service.ts";
import { equalJson } from "../api/machinery/equality.ts";
import type { KubeObject } from "../api/machinery/object.ts";
import type { Cache } from "../client/cache.ts";
import type { Client } from "../client/client.ts";
import type { V1Node } from "../gen/types.ts";
import type { CriClient, RuntimeCondition } from "../wire/cri/cri-client.ts";
import { ClaimedVolumes } from "./claimed-volumes.ts";
import { EventRecorder } from "./events.ts";
import { ImageCleaner } from "./executor/image-cleaner.ts";
import { localHost } from "./executor/local-host.ts";
import type { Machine } from "./executor/machine.ts";
import type { NodeHost, Volumes } from "./executor/node-host.ts";
import { RuntimeReader } from "./executor/runtime-reader.ts";
import { KubeletListener, type ListenerOptions } from "./executor/kubelet-listener.ts";
import { StartQueue } from "./executor/start-queue.ts";
import { StatsReader } from "./executor/stats-reader.ts";
import { StepExecutor } from "./executor/step-executor.ts";
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
import { VolumeRemover } from "./volume-remover.ts";
import { VolumeWaits } from "./volumes/volume-waits.ts";

const CGROUP_ROOT = "/kubepods";

/** Everything a kubelet stands on. */
export interface KubeletOptions {
  readonly client: Client;
  /** Holds this node's Pods (field selector `spec.nodeName`), its Node and all Services; synced by the kubelet. */
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
  /** Names the machine, with whose nodes this one shares the cluster's own volumes. Default: the node shares them with nobody. */
  readonly machineName?: string;
  readonly taints?: NodeIdentity["taints"];
  /** `v1.36.0+skiff.0.1.0` */
  readonly version: string;
  /** Absent: the node's own API is not served (logs, exec, metrics); it says that it listens at port 0. */
  readonly server?: ListenerOptions;
  /** Default: this very machine. */
  readonly host?: NodeHost;
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
  /** Where the cluster's own volumes lie; nodes of one machine share it. */
  readonly ownVolumes: string;
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
  const { cache } = options;
  const host = hostOf(options);
  const machine = await host.machine();
  const network = new NodeNetwork(options);
  let isShortOf: ReadonlySet<Pressure> = new Set();
  network.learn(await options.cri.status().catch(() => []));
  const claimed = new ClaimedVolumes(options.client, {
    node: () => ownNode(options),
    tellInUse: (names) => agent.tellVolumesInUse(names),
    inUseShrank: () => void agent.check(),
  });
  const parts = await makeParts(options, host, machine, network, claimed, () => isShortOf);
  const { pods, recorder, settings } = parts;
  const remover = makeRemover(options, host);
  followNode(options, pods, remover);
  const housekeeper = makeHousekeeper(options, host, pods, recorder, settings);
  network.onChange = () => pods.nodeChanged();
  const listener = options.server && makeListener(options, options.server, parts, machine);
  const port = options.server && listener ? await listener.listen(options.server) : 0;
  const agent = makeAgent(options, machine, recorder, port, {
    learn: (conditions) => network.learn(conditions),
    pressures: () => isShortOf,
    volumesInUse: () => claimed.inUse,
    known: () => ({ node: nodeNow(options), revision: cache.revision(Node) }),
  });
  housekeeper.onPressures = () => {
    isShortOf = housekeeper.pressures;
    void agent.check();
  };
  housekeeper.start();
  await Promise.all([cache.sync(Node), agent.start(), pods.start()]);
  remover.look();
  return {
    pods,
    port,
    networkChanged: () => agent.poke(),
    tidy: () => housekeeper.look(),
    close: () => {
      housekeeper.close();
      agent.close();
      remover.close();
      listener?.close();
      pods.close();
    },
  };
}

/** This node as the API has it. */
async function ownNode(options: KubeletOptions): Promise<V1Node | undefined> {
  await options.cache.sync(Node);
  return nodeNow(options);
}

function nodeNow({ cache, nodeName }: KubeletOptions): V1Node | undefined {
  return cache.get(Node, { namespace: "", name: nodeName });
}

function makeRemover(options: KubeletOptions, { volumes }: NodeHost): VolumeRemover {
  const { client, clock, logger, nodeName } = options;
  const remove = (handle: string): Promise<void> => volumes.removeOwn(handle);
  return new VolumeRemover({
    ...{ client, clock, logger, nodeName, remove },
    node: () => nodeNow(options),
  });
}

/** Pods that wait for a volume look again when the node is given some; released volumes are removed when it asks for that. */
function followNode(
  { cache, nodeName }: KubeletOptions,
  pods: PodRunner,
  remover: VolumeRemover,
): void {
  const attached = (node: KubeObject | undefined): unknown =>
    (node as V1Node | undefined)?.status?.volumesAttached ?? [];
  cache.onChange(Node, ({ key, old, object }) => {
    if (key.name !== nodeName) return;
    if (!equalJson(attached(old), attached(object))) pods.attachmentsChanged();
    remover.look();
  });
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

function hostOf(options: KubeletOptions): NodeHost {
  const { host, folders, cri, clock, logger, logLimits = LOG_LIMITS_DEFAULT } = options;
  return host ?? localHost(folders.state, folders.ownVolumes, cri, clock, logger, logLimits);
}

function makeListener(
  options: KubeletOptions,
  server: ListenerOptions,
  { pods, settings, probes, volumes }: Parts,
  machine: Machine,
): KubeletListener {
  const { client, cri, clock, logger, nodeName, folders } = options;
  const mountedOf = (uid: string) => volumes.mounted(uid);
  const stats = new StatsReader(cri, clock, settings, () => pods.workers, mountedOf);
  const api = new KubeletApi({
    pods,
    cri,
    clock,
    nodeName,
    logRoot: folders.logs,
    readStats: (hasStorage) => stats.read(hasStorage),
    readClaims: () => stats.claims(),
    probes,
    machine,
  });
  const gate = options.gate ?? apiServerGate(client, nodeName);
  return new KubeletListener(server, api, gate, clock, logger);
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
  host: NodeHost,
  pods: PodRunner,
  recorder: EventRecorder,
  settings: PodSettings,
): Housekeeper {
  const { cri, clock, logger, folders, imageLimits = IMAGE_LIMITS_DEFAULT } = options;
  return new Housekeeper({
    clock,
    logger,
    ...host.housekeeping(settings),
    images: new ImageCleaner(cri, clock, logger, recorder, imageLimits),
    readSupply: () => host.supply(),
    workers: () => pods.workers,
    logRoot: folders.logs,
    thresholds: options.thresholds ?? THRESHOLDS_DEFAULT,
  });
}

function identityOf(options: KubeletOptions, kubeletPort: number): NodeIdentity {
  const { nodeName: name, nodeIps: ips, labels = {}, taints = [], version } = options;
  const { machineName = name } = options;
  return { name, ips, labels, machineName, taints, kubeletPort, version };
}

async function settingsOf(
  options: KubeletOptions,
  { files }: NodeHost,
  machine: Machine,
): Promise<PodSettings> {
  const { dns, folders, nodeName, cgroupRoot = CGROUP_ROOT } = options;
  const host = parseResolvConf(await files.readNodeFile(dns.resolvConf ?? "/etc/resolv.conf"));
  return {
    nodeName,
    cgroupRoot,
    dns: { clusterServers: dns.clusterServers, clusterDomain: dns.clusterDomain, host },
    logRoot: folders.logs,
    stateRoot: folders.state,
    memoryBytes: machine.memoryBytes,
  };
}

/** What an earlier process mounted is in use from the first status on. */
async function startVolumes(volumes: Volumes, claimed: ClaimedVolumes): Promise<void> {
  await volumes.start();
  for (const uid of await volumes.known()) claimed.adopt(uid, await volumes.attached(uid));
}

/** What cannot be unmounted now stays in use until the next start: one dead file server must not keep the node from starting. */
async function sweepVolumes(
  volumes: Volumes,
  claimed: ClaimedVolumes,
  known: ReadonlySet<string>,
  logger: Logger,
): Promise<void> {
  for (const uid of await volumes.known()) {
    if (known.has(uid)) continue;
    await volumes.tearDown(uid).then(
      () => claimed.release(uid),
      (error: unknown) =>
        logger.warning("volumes of a pod were not removed", { uid, error: String(error) }),
    );
  }
}

/** What the parts of a kubelet share. */
interface Parts {
  readonly pods: PodRunner;
  readonly recorder: EventRecorder;
  readonly settings: PodSettings;
  readonly probes: ProbeMetrics;
  readonly volumes: Volumes;
}

async function makeParts(
  options: KubeletOptions,
  host: NodeHost,
  machine: Machine,
  network: NodeNetwork,
  claimed: ClaimedVolumes,
  pressures: () => ReadonlySet<Pressure>,
): Promise<Parts> {
  const { client, cache, cri, clock, random, logger, nodeName, nodeIps, folders } = options;
  const settings = await settingsOf(options, host, machine);
  const allocatable = allocatableOf(machine);
  const probes = new ProbeMetrics();
  const { volumes, files } = host;
  await startVolumes(volumes, claimed);
  const reader = new RuntimeReader(cri, nodeName, host.lastWords);
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
      files,
      objects,
      claimed,
      volumeWaits: new VolumeWaits(),
      tokens: new ServiceAccountTokens(client, clock),
      settings,
      starts: new StartQueue(clock, machine.cpus),
      logLinks: folders.logLinks,
      nodeIps,
      allocatable: () => allocatable,
      services: () => cache.list(Service),
      servicesKnown: () => cache.sync(Service),
    },
    volumes,
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
      const known = nodeNow(options) ?? newNode(identityOf(options, 0), machine);
      const all = { ...known.status?.capacity, ...allocatable };
      return rejectionOf(pod, active, known, all, pressures());
    },
    sweepFiles: (known) => sweepVolumes(volumes, claimed, known, logger),
    worker: {
      clock,
      logger,
      runner,
      runtime: reader,
      ask: (podIp) => (_pod, container, probe) => host.ask(cri, podIp, container, probe),
      statuses: new StatusWriter(client, clock, logger),
      probes,
      recorder,
      node: () => network.facts,
      allocations: host.allocations,
    },
  });
  return { pods, recorder, settings, probes, volumes };
}
