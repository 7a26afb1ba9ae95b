import { conflicts, hostPortsOf, type HostPort } from "../../api/core/host-ports.ts";
import type { Plugin } from "../framework.ts";

const REJECTED = {
  reasons: ["node(s) didn't have free ports for the requested pod ports"],
  isUnresolvable: false,
};

/** Host ports are given once per address and protocol. @spec k8s@1.36 plugins/nodeports */
export const nodePorts: Plugin<readonly HostPort[]> = {
  name: "NodePorts",
  read: (spec) => {
    const ports = hostPortsOf({ spec });
    return ports.length > 0 ? ports : undefined;
  },
  filter:
    (wanted) =>
    ({ hostPorts }) =>
      areTaken(wanted, hostPorts) ? REJECTED : undefined,
  canHelp: (change, wanted) =>
    change.kind === "node"
      ? !change.old
      : change.kind === "pod-freed" && areTaken(wanted, change.demand.hostPorts),
};

function areTaken(wanted: readonly HostPort[], used: readonly HostPort[]): boolean {
  return used.some((port) => wanted.some((one) => conflicts(one, port)));
}
