import type { V1Pod } from "../../gen/types.ts";
import type { DnsConfig } from "../../wire/cri/cri-client.ts";

/** What the node offers to its Pods. */
export interface DnsSettings {
  readonly clusterServers: readonly string[];
  readonly clusterDomain: string;
  /** The node's own resolv.conf. */
  readonly host: DnsConfig;
}

/** Bounds of resolv.conf in the C library. @spec k8s@1.36 apis/core/validation MaxDNSNameservers, MaxDNSSearchPaths */
const SERVERS_MAX = 3;
const SEARCHES_MAX = 32;

/**
 * The resolv.conf of a Pod.
 *
 * @spec k8s@1.36 pkg/kubelet/network/dns/dns.go GetPodDNS
 */
export function dnsOf(pod: V1Pod, settings: DnsSettings): DnsConfig {
  const base = baseOf(pod, settings);
  const own = pod.spec?.dnsConfig;
  const options = new Map(base.options.map((option) => [option.split(":")[0]!, option]));
  for (const { name = "", value } of own?.options ?? [])
    options.set(name, value === undefined || value === "" ? name : `${name}:${value}`);
  return {
    servers: unique([...base.servers, ...(own?.nameservers ?? [])]).slice(0, SERVERS_MAX),
    searches: unique([...base.searches, ...(own?.searches ?? [])]).slice(0, SEARCHES_MAX),
    options: [...options.values()],
  };
}

function baseOf(pod: V1Pod, settings: DnsSettings): DnsConfig {
  const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return { servers: [], searches: [], options: [] };
  const isCluster =
    policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && !pod.spec?.hostNetwork);
  if (!isCluster || settings.clusterServers.length === 0) return settings.host;
  const { clusterDomain: domain } = settings;
  const searches = [`${pod.metadata?.namespace}.svc.${domain}`, `svc.${domain}`, domain];
  return {
    servers: settings.clusterServers,
    searches: unique([...searches, ...settings.host.searches]),
    options: ["ndots:5"],
  };
}

function unique(items: readonly string[]): readonly string[] {
  return [...new Set(items)];
}
