import { runAttached } from "../host/command.ts";
import { readIfPresent } from "../host/files.ts";
import { findBinary } from "../host/requirements.ts";
import { enterNode } from "../host/node-namespace.ts";
import { type Command, UsageError, OUTPUT_FLAG, wantsJson } from "./command.ts";
import { existingCluster, needRoot, runningCluster } from "./local.ts";

/** `skiff kubectl ARGS`: the machine's kubectl, pointed at the cluster. */
export const kubectl: Command = {
  name: "kubectl",
  summary: "run kubectl against a cluster",
  operands: "ARGUMENT …",
  flags: [],
  details: "Everything from the first argument on goes to kubectl. --name must stand before it.",
  passesThrough: true,
  run: async (invocation) => {
    const { cluster } = existingCluster(invocation);
    const binary = findBinary("kubectl", invocation.surroundings.environment["PATH"] ?? "");
    if (!binary)
      throw new Error(
        "there is no kubectl in PATH: install it (Debian package kubernetes-client, or from https://kubernetes.io/docs/tasks/tools)",
      );
    const args =
      invocation.operands[0] === "--" ? invocation.operands.slice(1) : invocation.operands;
    return runAttached([binary, ...args], { KUBECONFIG: cluster.state.adminKubeconfig });
  },
};

/** `skiff kubeconfig`: prints a kubeconfig of the cluster alone. */
export const kubeconfig: Command = {
  name: "kubeconfig",
  summary: "print a cluster's kubeconfig",
  operands: "",
  flags: [],
  details: "skiff kubeconfig > FILE; KUBECONFIG=FILE kubectl get nodes",
  run: async (invocation) => {
    const { cluster } = existingCluster(invocation);
    const text = readIfPresent(cluster.state.adminKubeconfig);
    if (text === undefined) throw new Error("the cluster has never been up: start it first");
    invocation.surroundings.print(text.trimEnd());
    return 0;
  },
};

/** `skiff ssh NODE -- CMD`: a command, or a shell, inside a node. */
export const ssh: Command = {
  name: "ssh",
  summary: "run a command, or a shell, on a node",
  operands: "[NODE] [-- COMMAND …]",
  flags: [],
  details: "Without NODE, the first one; without COMMAND, a shell.",
  passesThrough: true,
  run: async (invocation) => {
    needRoot(invocation, "'skiff ssh'");
    const { cluster, file } = runningCluster(invocation);
    const split = invocation.operands.indexOf("--");
    const before = split < 0 ? invocation.operands : invocation.operands.slice(0, split);
    const command = split < 0 ? [] : invocation.operands.slice(split + 1);
    const node = before[0] ?? file.nodes[0]!.name;
    if (before.length > 1)
      throw new UsageError("the command stands behind '--': skiff ssh NODE -- COMMAND");
    if (!file.nodes.some(({ name }) => name === node))
      throw new UsageError(
        `there is no node '${node}': expected ${file.nodes.map((n) => n.name).join(", ")}`,
      );
    const shell = command.length > 0 ? command : ["/bin/sh"];
    return runAttached([...enterNode(cluster.state.node(node)), ...shell]);
  },
};

/** `skiff ip [NODE]`: the address on which node ports answer. */
export const ip: Command = {
  name: "ip",
  summary: "print a node's address",
  operands: "[NODE]",
  flags: [OUTPUT_FLAG],
  run: async (invocation) => {
    const { file } = existingCluster(invocation);
    const name = invocation.operands[0] ?? file.nodes[0]!.name;
    const node = file.nodes.find((candidate) => candidate.name === name);
    if (!node)
      throw new UsageError(
        `there is no node '${name}': expected ${file.nodes.map((n) => n.name).join(", ")}`,
      );
    invocation.surroundings.print(wantsJson(invocation.flags) ? JSON.stringify(node) : node.ip);
    return 0;
  },
};
