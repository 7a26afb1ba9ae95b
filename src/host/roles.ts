import { availableParallelism } from "node:os";
import type { ClusterFile } from "./cluster-file.ts";
import { enterNode } from "./node-namespace.ts";
import { addressAt } from "./ranges.ts";
import type { StateFolder } from "./state-folder.ts";
import type { Role } from "./supervisor.ts";

/** How this very Skiff is started again as another process. */
export interface Program {
  /** Path of the Node.js binary. */
  readonly node: string;
  /** Path of `bin/skiff.cjs`. */
  readonly entry: string;
  readonly superviseScript: string;
}

/** Position of the cluster DNS address in the service range: what users of other clusters expect. */
const DNS_INDEX = 10;

/** Most background threads of V8: Node's own number. More of them have never shortened a collection of a heap of this size. */
const V8_THREADS_MAX = 4;

/**
 * V8 flags of agents. A small young generation keeps idle memory low. Functions are optimized after eight times V8's default of bytecode: when
 * Pods start, each function of the path runs for its first times, and optimizing all of them takes the processor from the containers themselves.
 * Doubling gains nothing more.
 */
const AGENT_FLAGS = ["--max-semi-space-size=8", "--interrupt-budget=540000"];
/**
 * Of the server. A large young generation: half as much of what a request makes lives long enough to be copied; doubling gains little, and costs
 * 16 MB. Functions are optimized after three times V8's default, as in agents, but for many requests at once it must be fast soon. V8's background
 * threads leave one processor to the server itself: with Node's four, two processors are theirs while a large heap is marked, and a request waits
 * 20 ms for its turn.
 */
const SERVER_FLAGS = [
  "--max-semi-space-size=16",
  "--interrupt-budget=200000",
  `--v8-pool-size=${Math.min(Math.max(availableParallelism() - 1, 1), V8_THREADS_MAX)}`,
];

/** The processes of a local cluster with all their flags; `logLevel`: default theirs. Contract: docs/design/processes.md. */
export function rolesOf(
  program: Program,
  state: StateFolder,
  file: ClusterFile,
  logLevel?: string,
): readonly Role[] {
  const logging = logLevel === undefined ? [] : ["--log-level", logLevel];
  const gateway = addressAt(file.ranges.nodeCidr, 1);
  const advertise = `${gateway}:${file.apiPort}`;
  const skiff = (...flags: string[]): string[] => [program.node, ...flags, program.entry];
  const server: Role = {
    name: "server",
    command: [
      ...skiff(...SERVER_FLAGS),
      ...["server", "--data", state.path],
      ...["--listen", `127.0.0.1:${file.apiPort}`, "--listen", advertise],
      ...["--advertise", advertise],
      ...["--service-cidr", file.ranges.serviceCidr, "--pod-cidr", file.ranges.podCidr],
      ...(file.hasSchedulerConfig ? ["--scheduler-config", state.schedulerConfig] : []),
      ...logging,
    ],
  };
  const agents = file.nodes.map(({ name, ip }): Role => ({
    name: `agent-${name}`,
    command: [
      ...enterNode(state.node(name)),
      ...skiff(...AGENT_FLAGS),
      ...["agent", "--data", state.path, "--server", `https://${advertise}`],
      ...["--kubeconfig", state.node(name).kubeconfig],
      ...["--node-name", name, "--node-ip", ip],
      ...["--cluster-dns", addressAt(file.ranges.serviceCidr, DNS_INDEX)],
      ...["--pod-cidr", file.ranges.podCidr],
      ...logging,
    ],
  }));
  return [server, ...agents];
}
