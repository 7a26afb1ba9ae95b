import { readFileSync, writeFileSync } from "node:fs";
import { runCommand, tryCommand } from "./command.ts";
import { addressAt, prefixLength, type Ranges } from "./ranges.ts";

const IP_FORWARD = "/proc/sys/net/ipv4/ip_forward";

/** What one cluster adds to the machine's own network namespace: a bridge, a masquerade table, forwarding. */
export interface MachineNetwork {
  /** At most 15 characters. */
  readonly bridge: string;
  readonly table: string;
  readonly ranges: Ranges;
}

/** Names derived from the cluster's id, so that two clusters never meet. */
export function machineNetworkOf(id: string, ranges: Ranges): MachineNetwork {
  return { ...machineNetworkNames(id), ranges };
}

/** What {@link lowerMachineNetwork} needs: the ranges may be unknown when a cluster is taken down. */
export function machineNetworkNames(id: string): Pick<MachineNetwork, "bridge" | "table"> {
  return { bridge: `skiff-${id.slice(0, 8)}`, table: `skiff-${id}` };
}

/** The machine's end of a node's link to the bridge; at most 15 characters. `index` counts nodes from 1. */
export function nodeLink(id: string, index: number | ""): string {
  return `sk${id.slice(0, 8)}-${index}`;
}

/** Removes the machine's ends of all nodes' links of one cluster. */
export async function removeNodeLinks(id: string): Promise<void> {
  const links = JSON.parse(await runCommand(["ip", "-json", "link", "show"])) as {
    ifname: string;
  }[];
  const own = links.filter(({ ifname }) => ifname.startsWith(nodeLink(id, "")));
  for (const { ifname } of own) await tryCommand(["ip", "link", "delete", ifname]);
}

/** The IPv4 ranges that the machine routes now, in CIDR form; the default route left out. */
export async function routedRanges(): Promise<readonly string[]> {
  const routes = JSON.parse(await runCommand(["ip", "-json", "-4", "route", "show"])) as {
    dst: string;
  }[];
  return routes
    .map((route) => route.dst)
    .filter((destination) => destination !== "default")
    .map((destination) => (destination.includes("/") ? destination : `${destination}/32`));
}

/** Makes what is missing. Repeating it changes nothing. */
export async function raiseMachineNetwork(network: MachineNetwork): Promise<void> {
  const links = await runCommand(["ip", "-json", "link", "show", "type", "bridge"]);
  const present = (JSON.parse(links || "[]") as { ifname?: string }[]).some(
    (link) => link.ifname === network.bridge,
  );
  if (!present) await runCommand(["ip", "-batch", "-"], bridgeBatch(network));
  await runCommand(["nft", "-f", "-"], masqueradeRules(network));
  if (ipForward() !== "1") writeFileSync(IP_FORWARD, "1");
}

/** Takes back the bridge (its routes go with it) and the table. What is gone already is no failure. */
export async function lowerMachineNetwork(
  network: Pick<MachineNetwork, "bridge" | "table">,
): Promise<void> {
  await tryCommand(["ip", "link", "delete", network.bridge]);
  await tryCommand(["nft", "delete", "table", "ip", network.table]);
}

/** The machine's `net.ipv4.ip_forward`: "0" or "1". */
export function ipForward(): string {
  return readFileSync(IP_FORWARD, "utf8").trim();
}

/** Gives `net.ipv4.ip_forward` the value it had before the first cluster. */
export function restoreIpForward(before: string): void {
  if (ipForward() !== before) writeFileSync(IP_FORWARD, before);
}

/**
 * Foreign rules that will drop what pods send to the outside, in words; none is normal.
 *
 * Why only told, not mended: a drop of another table cannot be overruled by ours, and it is not ours to change.
 */
export async function forwardObstacles(network: MachineNetwork): Promise<readonly string[]> {
  const listed = await tryCommand(["nft", "-j", "list", "chains"]);
  if (listed === undefined) return [];
  const { nftables } = JSON.parse(listed) as { nftables: { chain?: NftChain }[] };
  return nftables
    .flatMap(({ chain }) => (chain ? [chain] : []))
    .filter(
      ({ hook, policy, table }) =>
        hook === "forward" && policy === "drop" && table !== network.table,
    )
    .map(
      ({ family, table, name }) =>
        `chain ${name} of nft table ${family} ${table} drops forwarded packets: pods will not reach the outside ` +
        `until it accepts traffic of ${network.bridge}`,
    );
}

interface NftChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

function bridgeBatch({ bridge, ranges }: MachineNetwork): string {
  const address = `${addressAt(ranges.nodeCidr, 1)}/${prefixLength(ranges.nodeCidr)}`;
  return [
    `link add ${bridge} type bridge`,
    `addr add ${address} dev ${bridge}`,
    `link set ${bridge} up`,
    "",
  ].join("\n");
}

/** One transaction that replaces the table, whatever it held. */
function masqueradeRules({ bridge, table, ranges }: MachineNetwork): string {
  return `table ip ${table}
delete table ip ${table}
table ip ${table} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr { ${ranges.nodeCidr}, ${ranges.podCidr} } oifname != "${bridge}" masquerade
  }
}
`;
}
