import { conflicts, hostPortsOf, type HostPort } from "../../api/core/host-ports.ts";
import type { Plugin } from "../framework.ts";

const REJECTED = {
  reasons: ["node(s) didn't have free ports for the requested pod ports"],
  isUnresolvable: false,
};

/** Host ports are given once per address and protocol. @spec k8s@1.36 plugins/nodeports */
export const nodePorts: Plugin<readonly HostPort[]> = {
  name: "NodePorts",
  prepareFilter: (pod) => {
    const ports = hostPortsOf(pod);
    return ports.length > 0 ? ports : undefined;
  },
  filter: (wanted, { pods }) => {
    for (const { hostPorts } of pods.values())
      for (const used of hostPorts)
        if (wanted.some((port) => conflicts(port, used))) return REJECTED;
    return undefined;
  },
};
