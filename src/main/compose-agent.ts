import { Node } from "../api/core/node.ts";
import { Pod } from "../api/core/pod.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Random } from "../base/random.ts";
import type { Cache } from "../client/cache.ts";
import { HttpTransport } from "../client/http-transport.ts";
import { ListWatchCache } from "../client/list-watch-cache.ts";
import { ClusterDns } from "../dns/cluster-dns.ts";
import { runCommand } from "../host/command.ts";
import { cniConfig } from "../host/containerd-config.ts";
import { writeAtomically } from "../host/files.ts";
import { NodeRoutes } from "../host/node-routes.ts";
import { machineNameOf } from "../kubelet/executor/own-volumes.ts";
import { startKubelet, type Kubelet } from "../kubelet/start-kubelet.ts";
import { nftExecutor } from "../proxy/executor/nft.ts";
import { ServiceProxy } from "../proxy/service-proxy.ts";
import { CRI_NAMESPACE, watchTasks } from "../wire/containerd/events.ts";
import { GrpcCriClient } from "../wire/cri/grpc-cri-client.ts";
import { DnsForwarder } from "../wire/dns/forwarder.ts";
import { DnsServer } from "../wire/dns/dns-server.ts";
import { GrpcChannel } from "../wire/grpc/channel.ts";
import type { CredentialSource } from "../wire/http-client/credentials.ts";
import { HttpClient } from "../wire/http-client/http-client.ts";

const CLUSTER_DOMAIN = "cluster.local";
const DNS_PORT = 53;
const KUBELET_PORT = 10_250;

/** Everything one node's agent is made of, its runtime running already. */
export interface AgentOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly server: string;
  readonly credentials: CredentialSource;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly clusterDns: string;
  readonly clusterPodCidr: string;
  /** The node's upstream DNS servers. */
  readonly resolvers: readonly string[];
  /** `unix:///…` of the CRI runtime, which is containerd. */
  readonly runtimeEndpoint: string;
  readonly cniConfigFile: string;
  readonly resolvConf: string;
  readonly cgroupRoot: string;
  /** Where the cluster's own volumes lie; nodes of one machine share it. */
  readonly volumesFolder: string;
  readonly version: string;
  readonly serving: {
    readonly certificate: string;
    readonly key: string;
    readonly clientCa: string;
  };
}

/** A running agent. */
export interface Agent {
  /** Resolves when Pods can be given a network: the control plane has given the node its range. */
  readonly networked: Promise<void>;
  /** Ends kubelet, proxy and DNS; containers, rules and routes stay. */
  close(): void;
}

/**
 * Starts proxy, DNS and kubelet of one node.
 *
 * The node turns Ready only when pods can be given a network, that is after the CNI configuration is written; and that is
 * written last: after rules and DNS are up, and the control plane has given the node its range.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { clock, random, logger, server, credentials, nodeName, version } = options;
  const http = new HttpClient(server, credentials, clock, random, logger);
  const client = new HttpTransport(http, `kubelet/${version} (linux) kubernetes/skiff`);
  const cache = new ListWatchCache(client, clock, random, logger, {
    selectionOf: (kind) => (kind === Pod ? { fieldSelector: `spec.nodeName=${nodeName}` } : {}),
  });
  const proxy = new ServiceProxy({
    cache,
    clock,
    logger,
    executor: nftExecutor,
    nodeName,
    ownAddresses: new Set([options.clusterDns]),
    settings: { clusterPodCidr: options.clusterPodCidr, nodePodCidr: undefined },
  });
  const dns = await startDns(options, cache);
  const routes = new NodeRoutes(cache, clock, logger, nodeName);
  const [kubelet] = await Promise.all([
    runKubelet(options, client, cache),
    proxy.start(),
    routes.start(),
    dns.synced,
  ]);
  const networked = followPodRange(options, cache, async (range) => {
    await proxy.setNodePodCidr(range);
    writeAtomically(options.cniConfigFile, cniConfig(range), 0o644);
    kubelet.networkChanged();
    logger.info("network configured", { range });
  });
  return {
    networked,
    close: () => {
      kubelet.close();
      proxy.close();
      routes.close();
      dns.server.close();
      cache.close();
      http.close();
    },
  };
}

/** The server listens before it knows anything, so that nobody is refused; `synced`: it knows all Services. */
async function startDns(
  options: AgentOptions,
  cache: Cache,
): Promise<{ readonly server: DnsServer; readonly synced: Promise<void> }> {
  const { clock, random, clusterDns, resolvers } = options;
  const own = new Set([clusterDns]);
  const forwarder = new DnsForwarder(
    clock,
    random,
    resolvers.filter((address) => !own.has(address)),
  );
  const dns = new ClusterDns({ cache, forwarder, domain: CLUSTER_DOMAIN });
  const server = new DnsServer((query) => dns.handle(query));
  await runCommand(["ip", "address", "replace", `${clusterDns}/32`, "dev", "lo"]);
  await server.listen(clusterDns, DNS_PORT);
  return { server, synced: dns.start() };
}

async function runKubelet(
  options: AgentOptions,
  client: HttpTransport,
  cache: Cache,
): Promise<Kubelet> {
  const { clock, random, logger, nodeName, nodeIp, runtimeEndpoint, serving } = options;
  const events = new GrpcChannel(runtimeEndpoint, { "containerd-namespace": CRI_NAMESPACE });
  return startKubelet({
    client,
    cache,
    cri: new GrpcCriClient(new GrpcChannel(runtimeEndpoint)),
    watchRuntime: (signal) => watchTasks(events, signal),
    clock,
    random,
    logger,
    nodeName,
    nodeIps: [nodeIp],
    folders: {
      state: "/var/lib/kubelet",
      logs: "/var/log/pods",
      logLinks: "/var/log/containers",
      ownVolumes: options.volumesFolder,
    },
    dns: {
      clusterServers: [options.clusterDns],
      clusterDomain: CLUSTER_DOMAIN,
      resolvConf: options.resolvConf,
    },
    cgroupRoot: options.cgroupRoot,
    machineName: await machineNameOf(options.volumesFolder, random),
    version: options.version,
    server: { host: nodeIp, port: KUBELET_PORT, ...serving },
  });
}

/**
 * Calls `configure` once, when the node's range is known; failures are logged and tried with the next change.
 *
 * @returns resolves when it is done.
 */
function followPodRange(
  { nodeName, logger }: AgentOptions,
  cache: Cache,
  configure: (range: string) => Promise<void>,
): Promise<void> {
  let configured: string | undefined;
  return new Promise((resolve) => {
    const look = (): void => {
      const range = cache.get(Node, { namespace: "", name: nodeName })?.spec?.podCIDR;
      if (!range || range === configured) return;
      configured = range;
      configure(range).then(resolve, (error: unknown) => {
        configured = undefined;
        logger.error("configuring the network failed", { error: String(error) });
      });
    };
    cache.onChange(Node, look);
    look();
  });
}
