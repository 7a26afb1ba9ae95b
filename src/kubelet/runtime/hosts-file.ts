import type { V1Pod } from "../../gen/types.ts";

const OWN_HEADER = "# Kubernetes-managed hosts file.\n";
const HOST_HEADER = "# Kubernetes-managed hosts file (host network).\n";
const FIXED = [
  "127.0.0.1\tlocalhost",
  "::1\tlocalhost ip6-localhost ip6-loopback",
  "fe00::0\tip6-localnet",
  "fe00::0\tip6-mcastprefix",
  "fe00::1\tip6-allnodes",
  "fe00::2\tip6-allrouters",
];

/** Longest host name. @spec POSIX HOST_NAME_MAX */
const HOSTNAME_LENGTH_MAX = 63;

/** What a Pod calls itself: `name`, and with a subdomain its full name in the cluster's zone. */
export interface PodHostname {
  readonly hostname: string;
  /** "" without a subdomain. */
  readonly fqdn: string;
}

/** @spec k8s@1.36 pkg/kubelet/kubelet_pods.go GeneratePodHostNameAndDomain */
export function hostnameOf(pod: V1Pod, clusterDomain: string): PodHostname {
  const { metadata, spec } = pod;
  const raw = spec?.hostname || (metadata?.name ?? "");
  const short = spec?.hostnameOverride ?? raw.slice(0, HOSTNAME_LENGTH_MAX).replace(/[-.]+$/, "");
  const fqdn = spec?.subdomain
    ? `${short}.${spec.subdomain}.${metadata?.namespace}.svc.${clusterDomain}`
    : "";
  return { hostname: spec?.setHostnameAsFQDN && fqdn ? fqdn : short, fqdn };
}

/**
 * The text of a Pod's /etc/hosts. `hostFile`: the node's own, for Pods in its network.
 *
 * @spec k8s@1.36 pkg/kubelet/kubelet_pods.go managedHostsFileContent, nodeHostsFileContent
 */
export function hostsFile(
  pod: V1Pod,
  podIps: readonly string[],
  { hostname, fqdn }: PodHostname,
  hostFile: string,
): string {
  const names = fqdn ? `${fqdn}\t${hostname}` : hostname;
  const own = podIps.map((ip) => `${ip}\t${names}`);
  const base = pod.spec?.hostNetwork
    ? HOST_HEADER + hostFile
    : OWN_HEADER + [...FIXED, ...own].join("\n") + "\n";
  return base + aliases(pod);
}

function aliases(pod: V1Pod): string {
  const entries = pod.spec?.hostAliases ?? [];
  if (entries.length === 0) return "";
  const lines = entries.map(({ ip, hostnames }) => [ip, ...(hostnames ?? [])].join("\t"));
  return `\n# Entries added by HostAliases.\n${lines.join("\n")}\n`;
}
