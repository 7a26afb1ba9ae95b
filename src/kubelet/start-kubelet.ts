import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import { Service } from "../api/core/service.ts";
import type { Cache } from "../client/cache.ts";
import type { Client } from "../client/client.ts";
import type { CriClient } from "../wire/cri/cri-client.ts";
import { EventRecorder } from "./events.ts";
import { ask } from "./executor/asker.ts";
import { readMachine, type Machine } from "./executor/machine.ts";
import { readNodeFile } from "./executor/pod-files.ts";
import { RuntimeReader } from "./executor/runtime-reader.ts";
import { KubeletListener, type ListenerOptions } from "./executor/kubelet-listener.ts";
import { readNodeUsage } from "./executor/node-usage.ts";
import { StepExecutor } from "./executor/step-executor.ts";
import { VolumeMounter } from "./executor/volume-mounter.ts";
import { NodeAgent } from "./node/node-agent.ts";
import { allocatableOf, type NodeIdentity } from "./node/node-status.ts";
import { PodRunner } from "./pod-runner.ts";
import { ReferencedObjects } from "./referenced-objects.ts";
import { parseResolvConf } from "./runtime/dns.ts";
import type { PodSettings } from "./runtime/sandbox-config.ts";
import type { WatchRuntime } from "./runtime-events.ts";
import { ServiceAccountTokens } from "./service-account-tokens.ts";
import { apiServerGate, type Gate } from "./server/gate.ts";
import { KubeletApi } from "./server/kubelet-api.ts";
import { StatusWriter } from "./status-writer.ts";

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
  /** Stops; containers run on. */
  close(): void;
}

/** Starts a kubelet. Resolves when its API listens, the node is registered and every Pod of the node has its worker. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const machine = await readMachine(options.folders.state);
  const { pods, recorder } = await makeParts(options, machine);
  const listener = makeListener(options, pods);
  const port = await listener.listen(options.server);
  const agent = makeAgent(options, machine, recorder, port);
  await Promise.all([agent.start(), pods.start()]);
  return {
    pods,
    port,
    networkChanged: () => agent.poke(),
    close: () => {
      agent.close();
      listener.close();
      pods.close();
    },
  };
}

function makeListener(options: KubeletOptions, pods: PodRunner): KubeletListener {
  const { client, cri, clock, logger, nodeName, folders, server } = options;
  const api = new KubeletApi({
    pods,
    cri,
    clock,
    nodeName,
    logRoot: folders.logs,
    readUsage: readNodeUsage,
  });
  const gate = options.gate ?? apiServerGate(client, nodeName);
  return new KubeletListener(server, api, gate, logger);
}

function makeAgent(
  options: KubeletOptions,
  machine: Machine,
  recorder: EventRecorder,
  kubeletPort: number,
): NodeAgent {
  const { client, cri, clock, logger, nodeName, nodeIps, version } = options;
  const { labels = {}, taints = [] } = options;
  const identity = { name: nodeName, ips: nodeIps, labels, taints, kubeletPort, version };
  return new NodeAgent(client, cri, clock, logger, recorder, identity, machine);
}

async function settingsOf(options: KubeletOptions, machine: Machine): Promise<PodSettings> {
  const { dns, folders, nodeName, cgroupRoot = "/kubepods" } = options;
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

async function makeParts(
  options: KubeletOptions,
  machine: Machine,
): Promise<{ readonly pods: PodRunner; readonly recorder: EventRecorder }> {
  const { client, cache, cri, clock, random, logger, nodeName, nodeIps, folders } = options;
  const settings = await settingsOf(options, machine);
  const mounter = new VolumeMounter(folders.state);
  await mounter.start();
  const reader = new RuntimeReader(cri, nodeName, folders.state);
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
      allocatable: () => allocatableOf(machine),
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
    sweepFiles: async (known) => {
      for (const uid of await mounter.known()) if (!known.has(uid)) await mounter.tearDown(uid);
    },
    worker: {
      clock,
      logger,
      runner,
      readRuntime: (uid) => reader.read(uid),
      ask: (podIp) => (_pod, container, probe) => ask(cri, podIp, container, probe),
      statuses: new StatusWriter(client, clock, logger),
      recorder,
      node: { name: nodeName, ips: nodeIps },
    },
  });
  return { pods, recorder };
}
