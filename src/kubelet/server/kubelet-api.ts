import type { Clock } from "../../base/clock.ts";
import type { V1Pod } from "../../gen/types.ts";
import type { CriClient } from "../../wire/cri/cri-client.ts";
import type { ProbeMetrics } from "../probes/probe-metrics.ts";
import type { PodRunner } from "../pod-runner.ts";
import type { PodWorker } from "../pod-worker.ts";
import { logPathOf } from "../runtime/container-config.ts";
import { isAlive, newest, readySandbox, type ContainerState } from "../runtime/pod-runtime.ts";
import { containerNamed } from "../runtime/pod-spec.ts";
import { logFolderOf } from "../runtime/sandbox-config.ts";
import { logOptionsOf, type LogOptions } from "./log-options.ts";
import { cadvisorMetrics, type MachineSize } from "./cadvisor-metrics.ts";
import { CpuRates } from "./cpu-rates.ts";
import { ownMetrics } from "./own-metrics.ts";
import { resourceMetrics } from "./resource-metrics.ts";
import type { ContainerPath, Route } from "./route.ts";
import type { StatsReading } from "./stats-reading.ts";
import { statsSummary } from "./stats-summary.ts";
import { volumeMetrics, type ClaimReading } from "./volume-metrics.ts";

/** The answer to one request. */
export type Answer =
  | { readonly kind: "text"; readonly code: number; readonly type: string; readonly body: string }
  | {
      readonly kind: "log";
      readonly path: string;
      readonly options: LogOptions;
      readonly isAlive: () => boolean;
    };

/** What the API answers from. */
export interface KubeletApiParts {
  readonly pods: PodRunner;
  readonly cri: CriClient;
  readonly clock: Clock;
  readonly nodeName: string;
  readonly logRoot: string;
  /** Usage now; with what is on disk, or without. */
  readonly readStats: (hasStorage: boolean) => Promise<StatsReading>;
  /** What is used of the volumes that Pods claimed. */
  readonly readClaims: () => readonly ClaimReading[];
  readonly probes: ProbeMetrics;
  readonly machine: MachineSize;
}

/** Longest command of /run, in seconds. */
const RUN_SECONDS_MAX = 60;

const plain = (code: number, body: string): Answer => ({
  kind: "text",
  code,
  type: "text/plain; charset=utf-8",
  body,
});

/** Answers the kubelet's requests. @spec k8s@1.36 pkg/kubelet/server/server.go */
export class KubeletApi {
  readonly #parts: KubeletApiParts;
  readonly #rates: CpuRates;

  constructor(parts: KubeletApiParts) {
    this.#parts = parts;
    this.#rates = new CpuRates(parts.clock);
  }

  /** The answer to a request that is no stream. */
  async answer(route: Route, query: URLSearchParams): Promise<Answer> {
    const { pods, nodeName, readStats } = this.#parts;
    switch (route.kind) {
      case "health":
        return plain(200, "ok");
      case "pods":
        return json({
          kind: "PodList",
          apiVersion: "v1",
          metadata: {},
          items: pods.workers.map(({ pod }): V1Pod => pod),
        });
      case "metrics":
        return metrics(
          ownMetrics(nodeName, pods.workers) + volumeMetrics(this.#parts.readClaims()),
        );
      case "cadvisorMetrics":
        return metrics(cadvisorMetrics(await readStats(false), this.#parts.machine));
      case "resourceMetrics":
        return metrics(resourceMetrics(await readStats(false)));
      case "probeMetrics":
        return metrics(this.#parts.probes.text());
      case "statsSummary":
        return this.#summary(isTrue(query.get("only_cpu_and_memory")));
      case "logs":
        return this.#logs(route, query);
      case "run":
        return this.#run(route, query);
      default:
        return plain(400, "this path needs a connection upgrade");
    }
  }

  async #summary(isBrief: boolean): Promise<Answer> {
    const reading = await this.#parts.readStats(!isBrief);
    this.#rates.begin();
    return json(statsSummary(reading, this.#rates, isBrief));
  }

  /** @spec k8s@1.36 pkg/kubelet/kubelet_pods.go validateContainerLogStatus */
  #logs(path: ContainerPath, query: URLSearchParams): Answer {
    const options = logOptionsOf(query, this.#parts.clock.now());
    if (typeof options === "string") return plain(422, options);
    const worker = this.#worker(path.namespace, path.pod);
    if (!worker) return podMissing(path.pod);
    if (!containerNamed(worker.pod, path.container))
      return plain(404, `container "${path.container}" not found in pod "${path.pod}"`);
    const quoted = `container "${path.container}" in pod "${path.pod}"`;
    const known = worker.runtime.containers.filter(({ name }) => name === path.container);
    const chosen = known[options.isPrevious ? 1 : 0];
    if (!chosen && options.isPrevious) return plain(400, `previous terminated ${quoted} not found`);
    if (!chosen || chosen.state === "created") {
      const reason = waitingReason(worker.pod, path.container);
      return plain(400, `${quoted} is waiting to start: ${reason}`);
    }
    const file = `${logFolderOf(worker.pod, this.#parts.logRoot)}/${logPathOf(chosen.name, chosen.restartCount)}`;
    const isStillAlive = (): boolean =>
      worker.runtime.containers.some(({ id, state }) => id === chosen.id && state === "running");
    return { kind: "log", path: file, options, isAlive: isStillAlive };
  }

  async #run(path: ContainerPath, query: URLSearchParams): Promise<Answer> {
    const worker = this.#worker(path.namespace, path.pod);
    if (!worker) return podMissing(path.pod);
    const running = newest(worker.runtime, path.container);
    if (!running || !isAlive(running))
      return plain(404, `container not found ("${path.container}")`);
    const command = (query.get("cmd") ?? "").split(" ").filter(Boolean);
    const { stdout, stderr, exitCode } = await this.#parts.cri.execSync(
      running.id,
      command,
      RUN_SECONDS_MAX,
    );
    return plain(exitCode === 0 ? 200 : 500, Buffer.concat([stdout, stderr]).toString("utf8"));
  }

  /** The URL of the runtime's streaming server for a route; or what is wrong. */
  async streamUrl(route: Route, query: URLSearchParams): Promise<URL | Answer> {
    const { cri } = this.#parts;
    if (route.kind === "portForward") {
      const worker = this.#worker(route.namespace, route.pod);
      if (!worker) return podMissing(route.pod);
      const sandbox = readySandbox(worker.runtime);
      if (!sandbox) return plain(404, `not running (${route.pod}_${route.namespace})`);
      const ports = query.getAll("port").map(Number).filter(Number.isInteger);
      return new URL(await cri.portForward(sandbox.id, ports));
    }
    if (route.kind !== "exec" && route.kind !== "attach") return plain(404, "404 page not found");
    const worker = this.#worker(route.namespace, route.pod);
    if (!worker) return podMissing(route.pod);
    const running = newest(worker.runtime, route.container);
    if (!running || !isAlive(running))
      return plain(404, `container not found ("${route.container}")`);
    return new URL(await this.#open(route.kind, running, worker, query));
  }

  #open(
    kind: "exec" | "attach",
    running: ContainerState,
    worker: PodWorker,
    query: URLSearchParams,
  ): Promise<string> {
    const isOn = (...names: string[]): boolean => names.some((name) => isTrue(query.get(name)));
    const tty =
      kind === "attach" ? (containerNamed(worker.pod, running.name)?.tty ?? false) : isOn("tty");
    const request = {
      containerId: running.id,
      tty,
      stdin: isOn("input", "stdin"),
      stdout: isOn("output", "stdout"),
      stderr: isOn("error", "stderr") && !tty,
    };
    if (kind === "attach") return this.#parts.cri.attach(request);
    return this.#parts.cri.exec({ ...request, cmd: query.getAll("command") });
  }

  #worker(namespace: string, pod: string): PodWorker | undefined {
    return this.#parts.pods.find(namespace, pod);
  }
}

/** @spec Prometheus text exposition format 0.0.4 */
function metrics(body: string): Answer {
  return { kind: "text", code: 200, type: "text/plain; version=0.0.4; charset=utf-8", body };
}

function isTrue(text: string | null): boolean {
  return /^(1|t|true)$/i.test(text ?? "");
}

function json(body: object): Answer {
  return { kind: "text", code: 200, type: "application/json", body: JSON.stringify(body) };
}

function podMissing(pod: string): Answer {
  return plain(404, `pod ${JSON.stringify(pod)} not found`);
}

function waitingReason({ status }: V1Pod, container: string): string {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const found = all.find(({ name }) => name === container);
  return found?.state?.waiting?.reason ?? "ContainerCreating";
}
