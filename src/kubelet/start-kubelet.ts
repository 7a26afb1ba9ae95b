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
import { StepExecutor } from "./executor/step-executor.ts";
import { VolumeMounter } from "./executor/volume-mounter.ts";
import { PodRunner } from "./pod-runner.ts";
import { ReferencedObjects } from "./referenced-objects.ts";
import { parseResolvConf } from "./runtime/dns.ts";
import type { PodSettings } from "./runtime/sandbox-config.ts";
import type { WatchRuntime } from "./runtime-events.ts";
import { ServiceAccountTokens } from "./service-account-tokens.ts";
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
  /** Stops; containers run on. */
  close(): void;
}

/** Starts a kubelet. Resolves when every Pod that is bound to the node has its worker. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const machine = await readMachine(options.folders.state);
  const parts = await makeParts(options, machine);
  await parts.pods.start();
  return { pods: parts.pods, close: () => parts.pods.close() };
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
): Promise<{ readonly pods: PodRunner }> {
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
      allocatable: () => ({ cpu: String(machine.cpus), memory: String(machine.memoryBytes) }),
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
  return { pods };
}
