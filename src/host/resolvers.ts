import { parseResolvConf, type ResolvConf } from "../wire/dns/resolv-conf.ts";
import { readIfPresent } from "./files.ts";

/** Where systemd-resolved keeps the real servers behind its loopback stub. */
const SYSTEMD_RESOLVED = "/run/systemd/resolve/resolv.conf";
const RESOLV_CONF = "/etc/resolv.conf";

/** The machine's resolvers, without those that only the machine itself reaches. */
export function machineResolvers(): ResolvConf {
  const first = reachableResolvers(readIfPresent(RESOLV_CONF) ?? "");
  if (first.servers.length > 0) return first;
  const behind = reachableResolvers(readIfPresent(SYSTEMD_RESOLVED) ?? "");
  return { ...first, servers: behind.servers };
}

/**
 * A resolv.conf, loopback stubs skipped: inside a node's namespace nobody answers on them, or it would be the cluster's own
 * DNS, which would then ask itself for ever.
 */
export function reachableResolvers(text: string): ResolvConf {
  const { servers, searches, options, domain } = parseResolvConf(text);
  return {
    servers: servers.filter((server) => !isLoopback(server)),
    searches: searches.length > 0 || domain === undefined ? searches : [domain],
    options,
  };
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1" || address === "0.0.0.0";
}
