import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { runCommand, tryCommand } from "./command.ts";
import { nodeLink, type MachineNetwork } from "./machine-network.ts";
import { writeAtomically } from "./files.ts";
import { resolvConfText } from "../wire/dns/resolv-conf.ts";
import { machineResolvers } from "./resolvers.ts";
import { addressAt, prefixLength } from "./ranges.ts";
import type { NodeFolder } from "./state-folder.ts";

/**
 * The host that a local node is: a network and a mount namespace, pinned in the node's folder.
 *
 * Flow: `raise` makes and pins both, joins the bridge by a veth pair, and gives the node its own /run, /var/lib/kubelet
 * and logs. `lower` unpins them; the kernel removes them when the last process in them has ended.
 */
export interface NodeNamespace {
  readonly folder: NodeFolder;
  readonly ip: string;
  /** The node's link in the machine's namespace; at most 15 characters. */
  readonly link: string;
  readonly network: MachineNetwork;
}

/** Folders of the machine over which a node mounts its own: they must exist as mount points. */
export const NODE_MOUNT_POINTS = [
  "/var/lib/kubelet",
  "/var/lib/cni",
  "/var/log/pods",
  "/var/log/containers",
] as const;

/** `index` counts nodes from 1. */
export function nodeNamespaceOf(
  folder: NodeFolder,
  index: number,
  id: string,
  network: MachineNetwork,
): NodeNamespace {
  const ip = addressAt(network.ranges.nodeCidr, index + 1);
  return { folder, ip, link: nodeLink(id, index), network };
}

/** True while both namespaces are pinned. */
export function isRaised({ folder }: NodeNamespace): boolean {
  return [folder.networkPin, folder.mountPin].every(isMounted);
}

function isMounted(path: string): boolean {
  return readFileSync("/proc/self/mountinfo", "utf8").includes(` ${path} `);
}

/** Makes the node's namespaces and joins them to the bridge. A half-made one is taken down first. */
export async function raiseNode(node: NodeNamespace): Promise<void> {
  if (isRaised(node)) return;
  const { folder, link } = node;
  if (existsSync(`/sys/class/net/${link}`)) await tryCommand(["ip", "link", "delete", link]);
  await pinNamespaces(folder);
  makeNodeFolders(folder);
  // Read here: inside the node, the machine's /run and its own resolver are out of reach.
  writeAtomically(join(folder.path, "resolv.conf"), resolvConfText(machineResolvers()), 0o644);
  await Promise.all([
    runCommand([...enterNode(folder), "sh", "-ec", MOUNT_SCRIPT, "sh", folder.root]),
    joinBridge(node),
  ]);
}

/**
 * Makes both namespaces and pins them.
 *
 * A mount namespace can be pinned only in one with a lower number, and kernels since 6.18 number them per processor: when
 * this one is young itself (a container's), the processor that made it is the one that is sure to give higher numbers.
 */
async function pinNamespaces(folder: NodeFolder): Promise<void> {
  const processors = cpus().map((_, index) => ["taskset", "--cpu-list", String(index)]);
  for (const prefix of [[], ...processors, undefined]) {
    await lowerNode(folder);
    try {
      return await pinNamespacesOnce(folder, prefix ?? []);
    } catch (error) {
      if (!prefix || !/Invalid argument/.test(String(error))) throw error;
    }
  }
}

async function pinNamespacesOnce(folder: NodeFolder, prefix: readonly string[]): Promise<void> {
  mkdirSync(folder.pins, { recursive: true, mode: 0o700 });
  for (const pin of [folder.networkPin, folder.mountPin]) writeFileSync(pin, "", { mode: 0o600 });
  await runCommand(["mount", "--bind", "--make-private", folder.pins, folder.pins]);
  await runCommand([
    ...prefix,
    "unshare",
    `--net=${folder.networkPin}`,
    `--mount=${folder.mountPin}`,
    "--propagation=private",
    "true",
  ]);
}

/** Unpins the namespaces. Their processes must have ended before. */
export async function lowerNode(folder: NodeFolder): Promise<void> {
  const pins = [folder.networkPin, folder.mountPin, folder.pins];
  for (const pin of pins.filter(isMounted)) await tryCommand(["umount", "--lazy", pin]);
}

/** What the node alone sees at {@link NODE_MOUNT_POINTS}' first. */
export function kubeletFolder(folder: NodeFolder): string {
  return join(folder.root, "lib-kubelet");
}

/** The command words that run what follows inside the node. */
export function enterNode(folder: NodeFolder): readonly string[] {
  return ["nsenter", `--net=${folder.networkPin}`, `--mount=${folder.mountPin}`, "--"];
}

/**
 * Runs inside the new mount namespace; `$1` is the node's root folder.
 *
 * Everything is shared at the end, as systemd has it, so that volumes with mount propagation work.
 */
const MOUNT_SCRIPT = `
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
mount --bind "$1/lib-kubelet" /var/lib/kubelet
mount --bind "$1/lib-cni" /var/lib/cni
mount --bind "$1/log-pods" /var/log/pods
mount --bind "$1/log-containers" /var/log/containers
mount --make-rshared /
`;

function makeNodeFolders(folder: NodeFolder): void {
  for (const name of ["lib-kubelet", "lib-cni", "log-pods", "log-containers"])
    mkdirSync(join(folder.root, name), { recursive: true, mode: 0o755 });
  for (const path of NODE_MOUNT_POINTS) mkdirSync(path, { recursive: true, mode: 0o755 });
}

async function joinBridge({ folder, ip, link, network }: NodeNamespace): Promise<void> {
  const { bridge, ranges } = network;
  await runCommand(
    ["ip", "-batch", "-"],
    [
      `link add ${link} type veth peer name eth0 netns ${folder.networkPin}`,
      `link set ${link} master ${bridge} up`,
      "",
    ].join("\n"),
  );
  await runCommand(
    ["nsenter", `--net=${folder.networkPin}`, "--", "ip", "-batch", "-"],
    [
      "link set lo up",
      `addr add ${ip}/${prefixLength(ranges.nodeCidr)} dev eth0`,
      "link set eth0 up",
      `route add default via ${addressAt(ranges.nodeCidr, 1)}`,
      "",
    ].join("\n"),
  );
  await runCommand([
    "nsenter",
    `--net=${folder.networkPin}`,
    "--",
    "sysctl",
    "-qw",
    ...NODE_SYSCTLS,
  ]);
}

/**
 * A new network namespace forwards nothing. Host ports answer on loopback addresses too, so what comes from there may leave; that
 * nothing comes to them from a link is the rule `guard-loopback` of the proxy.
 */
const NODE_SYSCTLS = ["net.ipv4.ip_forward=1", "net.ipv4.conf.all.route_localnet=1"];
