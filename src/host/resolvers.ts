import { readIfPresent } from "./files.ts";

/** What a machine knows of DNS. */
export interface ResolverConfig {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** Where systemd-resolved keeps the real servers behind its loopback stub. */
const SYSTEMD_RESOLVED = "/run/systemd/resolve/resolv.conf";
const RESOLV_CONF = "/etc/resolv.conf";

/**
 * The machine's resolvers, loopback stubs skipped: inside a node's namespace nobody answers on them, or it would be the
 * cluster's own DNS, which would then ask itself for ever.
 */
export function machineResolvers(): ResolverConfig {
  const first = parseResolvConf(readIfPresent(RESOLV_CONF) ?? "");
  if (first.servers.length > 0) return first;
  const behind = parseResolvConf(readIfPresent(SYSTEMD_RESOLVED) ?? "");
  return { ...first, servers: behind.servers };
}

/** Reads a resolv.conf; loopback servers are left out. @spec resolv.conf(5) */
export function parseResolvConf(text: string): ResolverConfig {
  let search: readonly string[] = [];
  const servers: string[] = [];
  const options: string[] = [];
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    if (keyword === "nameserver" && words[0] && !isLoopback(words[0])) servers.push(words[0]);
    else if (keyword === "search" || keyword === "domain") search = words;
    else if (keyword === "options") options.push(...words);
  }
  return { servers, search, options };
}

/** The text of a resolv.conf. */
export function resolvConfText({ servers, search, options }: ResolverConfig): string {
  return [
    ...(search.length > 0 ? [`search ${search.join(" ")}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
    "",
  ].join("\n");
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1" || address === "0.0.0.0";
}
