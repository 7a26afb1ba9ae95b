import { resolve } from "node:path";
import { readIfPresent } from "../host/files.ts";
import { withLock } from "../host/file-lock.ts";
import { readAccess, selectInKubeconfig } from "../host/kubeconfig-file.ts";
import type { LocalCluster, ReadyTimes } from "../host/local-cluster.ts";
import { findBinary, isProgram, missingRequirements } from "../host/requirements.ts";
import type { Ranges } from "../host/ranges.ts";
import { OUTPUT_FLAG, UsageError, wantsJson, type Command, type Invocation } from "./command.ts";
import { LOG_LEVEL } from "./processes.ts";
import { clusterOf, lockOf, needRoot, userKubeconfig } from "./local.ts";
import { proxyAdvice } from "./proxy-environment.ts";

/** How long a second `start` of the same cluster waits for the first, in ms: a start takes about one second. */
const LOCK_MS_MAX = 60_000;
/** How long a cluster may take to become ready, in ms, before the user is told what is missing. */
const READY_MS_MAX = 120_000;

/** `skiff start`: makes or continues a cluster on this machine, and returns when it can be used. */
export const start: Command = {
  name: "start",
  summary: "start a cluster on this machine, and point kubectl at it",
  operands: "",
  flags: [
    {
      name: "nodes",
      kind: "integer",
      placeholder: "N",
      minimum: 1,
      maximum: 200,
      description: "how many nodes (default 1)",
    },
    {
      name: "api-port",
      kind: "integer",
      placeholder: "PORT",
      minimum: 1,
      maximum: 65535,
      description: "port of the API on 127.0.0.1 (default 6443 or the next free one)",
    },
    {
      name: "pod-cidr",
      kind: "text",
      placeholder: "CIDR",
      description: "range of pod addresses (default the first free /16 from 10.244.0.0/16)",
    },
    {
      name: "service-cidr",
      kind: "text",
      placeholder: "CIDR",
      description: "range of Service addresses (default the first free /16 from 10.96.0.0/16)",
    },
    {
      name: "node-cidr",
      kind: "text",
      placeholder: "CIDR",
      description: "range of node addresses (default the first free /24 from 10.88.0.0/24)",
    },
    {
      name: "kubeconfig",
      kind: "text",
      placeholder: "FILE",
      description: "where to put the context (default $KUBECONFIG or ~/.kube/config)",
    },
    {
      name: "scheduler-config",
      kind: "text",
      placeholder: "FILE",
      description:
        "a KubeSchedulerConfiguration, kept with the cluster (default the last one given)",
    },
    {
      ...LOG_LEVEL,
      description: "least level that server and agents log until the next start (default info)",
    },
    OUTPUT_FLAG,
  ],
  details:
    "A cluster that exists keeps its ports, ranges and contents. --output json ends with apiReadyMs and clusterReadyMs.",
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const { surroundings, operands } = invocation;
  if (operands.length > 0) throw new UsageError(`'skiff start' takes no operand: '${operands[0]}'`);
  needRoot(invocation, "'skiff start'");
  const missing = missingRequirements(surroundings.environment["PATH"] ?? "");
  if (missing.length > 0)
    throw new Error(
      `this machine lacks:\n  ${missing.join("\n  ")}\nInstall them, or run 'npm start', which does it with apt.`,
    );
  const cluster = clusterOf(invocation);
  return withLock(
    surroundings.clock,
    lockOf(cluster),
    "skiff start",
    LOCK_MS_MAX,
    () => startLocked(invocation, cluster),
    (holder) => surroundings.complain(`waiting for ${holder}, which is at work on this cluster`),
  );
}

async function startLocked(invocation: Invocation, cluster: LocalCluster): Promise<number> {
  const { flags, surroundings } = invocation;
  const { clock, startedAt } = surroundings;
  const say = (text: string): void => {
    if (wantsJson(flags)) return;
    const seconds = ((clock.monotonic() - startedAt) / 1000).toFixed(2);
    surroundings.print(`${seconds.padStart(6)} s  ${text}`);
  };
  const nodes = flags.integer("nodes");
  const apiPort = flags.integer("api-port");
  const schedulerConfig = askedSchedulerConfig(invocation);
  const before = cluster.file();
  const wasRunning = before !== undefined && cluster.isSupervised(before);
  const wasKilled = before !== undefined && cluster.wasKilled();
  const file = await cluster.prepare({
    ...(nodes === undefined ? {} : { nodes }),
    ...(apiPort === undefined ? {} : { apiPort }),
    ranges: askedRanges(invocation),
    ...(schedulerConfig === undefined ? {} : { schedulerConfig }),
  });
  if (wasRunning && before?.nodes.length === file.nodes.length) {
    await finish(invocation, cluster, await cluster.waitUntilReady(file, READY_MS_MAX), 0);
    say(`cluster ${file.name} is up already`);
    if (schedulerConfig !== undefined)
      say("the scheduler is configured anew when the cluster is started again");
    hintAtKubectl(invocation, say);
    return 0;
  }
  say(
    `${before ? "starting" : "making"} cluster ${file.name}: ${count(file.nodes.length, "node")}, API on https://127.0.0.1:${file.apiPort}`,
  );
  if (wasKilled) say("it was not stopped: what ran for it is gone, and is made anew");
  const proxies = proxyAdvice(surroundings.environment, file.ranges.nodeCidr);
  proxies.options.forEach((option) => say(`network option ${option}`));
  proxies.warnings.forEach((text) => surroundings.complain(`warning: ${text}`));
  await cluster.raise(file, {
    report: (text) => surroundings.complain(`warning: ${text}`),
    withheld: proxies.withheld,
    logLevel: flags.text("log-level"),
  });
  say("network, nodes and processes are up");
  const offsetMs = clock.monotonic() - startedAt;
  const times = await cluster.waitUntilReady(file, READY_MS_MAX);
  await finish(invocation, cluster, times, offsetMs);
  say(
    `ready: API after ${Math.round(offsetMs + times.apiReadyMs)} ms, nodes and DNS after ${Math.round(offsetMs + times.clusterReadyMs)} ms`,
  );
  say(`kubectl is pointed at it (context ${file.name} in ${targetKubeconfig(invocation)})`);
  hintAtKubectl(invocation, say);
  return 0;
}

function hintAtKubectl({ surroundings }: Invocation, say: (text: string) => void): void {
  if (surroundings.userPath.split(":").some((folder) => isProgram(folder, "kubectl"))) return;
  const isSomewhere = findBinary("kubectl", surroundings.userPath) !== undefined;
  say(
    isSomewhere
      ? "kubectl is not in PATH: try 'skiff kubectl get pods -A'"
      : "kubectl is not in PATH: install it (Debian package kubernetes-client)",
  );
}

async function finish(
  invocation: Invocation,
  cluster: LocalCluster,
  times: ReadyTimes,
  offsetMs: number,
): Promise<void> {
  const { clock, print } = invocation.surroundings;
  const target = targetKubeconfig(invocation);
  // Noted before it is done: a crash between the two must not leave a context that nobody takes out.
  cluster.rememberKubeconfig(target);
  await selectInKubeconfig(clock, target, readAccess(cluster.state.adminKubeconfig));
  if (wantsJson(invocation.flags))
    print(
      JSON.stringify({
        apiReadyMs: Math.round(offsetMs + times.apiReadyMs),
        clusterReadyMs: Math.round(offsetMs + times.clusterReadyMs),
      }),
    );
}

function targetKubeconfig(invocation: Invocation): string {
  return resolve(invocation.flags.text("kubeconfig") ?? userKubeconfig(invocation));
}

/** @throws {UsageError} there is no such file, or the scheduler cannot work with it. */
function askedSchedulerConfig({ flags, surroundings }: Invocation): string | undefined {
  const path = flags.text("scheduler-config");
  if (path === undefined) return undefined;
  const text = readIfPresent(resolve(path));
  if (text === undefined)
    throw new UsageError(`--scheduler-config '${path}': there is no such file`);
  const problem = surroundings.schedulerConfigProblem(text);
  if (problem !== undefined) throw new UsageError(`--scheduler-config '${path}': ${problem}`);
  return text;
}

function askedRanges({ flags }: Invocation): Partial<Ranges> {
  const podCidr = flags.text("pod-cidr");
  const serviceCidr = flags.text("service-cidr");
  const nodeCidr = flags.text("node-cidr");
  return {
    ...(podCidr && { podCidr }),
    ...(serviceCidr && { serviceCidr }),
    ...(nodeCidr && { nodeCidr }),
  };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
