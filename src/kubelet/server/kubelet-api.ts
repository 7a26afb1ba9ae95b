import type { Clock } from "../../base/clock.ts";
import type { V1Pod } from "../../gen/types.ts";
import type { CriClient } from "../../wire/cri/cri-client.ts";
import type { PodRunner } from "../pod-runner.ts";
import type { PodWorker } from "../pod-worker.ts";
import { LABEL_NODE } from "../runtime/labels.ts";
import { logPathOf } from "../runtime/container-config.ts";
import { isAlive, newest, readySandbox, type ContainerState } from "../runtime/pod-runtime.ts";
import { containerNamed } from "../runtime/pod-spec.ts";
import { cgroupOf, logFolderOf } from "../runtime/sandbox-config.ts";
import { logOptionsOf, type LogOptions } from "./log-options.ts";
import {
  cadvisorMetrics,
  type CgroupUse,
  type MachineSize,
  type Metered,
} from "./cadvisor-metrics.ts";
import { ownMetrics } from "./own-metrics.ts";
import { resourceMetrics, type NodeUsage } from "./resource-metrics.ts";
import type { ContainerPath, Route } from "./route.ts";
import { statsSummary } from "./stats-summary.ts";

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
  readonly readUsage: () => Promise<NodeUsage>;
  readonly readCgroup: (path: string) => Promise<CgroupUse | undefined>;
  readonly cgroupRoot: string;
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

  constructor(parts: KubeletApiParts) {
    this.#parts = parts;
  }

  /** The answer to a request that is no stream. */
  async answer(route: Route, query: URLSearchParams): Promise<Answer> {
    const { pods, cri, clock, nodeName, readUsage } = this.#parts;
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
        return plain(200, ownMetrics(nodeName, pods.workers));
      case "cadvisorMetrics":
        return plain(200, cadvisorMetrics(await this.#metered(), this.#parts.machine));
      case "resourceMetrics": {
        const stats = await cri.listContainerStats(this.#ownFilter());
        return plain(200, resourceMetrics(stats, await readUsage()));
      }
      case "statsSummary": {
        const stats = await cri.listContainerStats(this.#ownFilter());
        return json(statsSummary(nodeName, stats, await readUsage(), clock.now()));
      }
      case "logs":
        return this.#logs(route, query);
      case "run":
        return this.#run(route, query);
      default:
        return plain(400, "this path needs a connection upgrade");
    }
  }

  /** Every Pod of the node, and each of its containers that has processes. */
  async #metered(): Promise<readonly Metered[]> {
    const { pods, readCgroup, cgroupRoot } = this.#parts;
    const asked = pods.workers.flatMap(({ pod, runtime }) => {
      const { name: podName = "", namespace = "" } = pod.metadata ?? {};
      const id = cgroupOf(pod, cgroupRoot);
      const whole = { container: "", pod: podName, namespace, image: "", name: "", id };
      const containers = runtime.containers.filter(isAlive).map((one) => ({
        ...whole,
        container: one.name,
        image: one.image,
        name: one.id,
        id: `${id}/${one.id}`,
      }));
      return [whole, ...containers];
    });
    const found = await Promise.all(
      asked.map(async (one) => {
        const use = await readCgroup(one.id);
        return use ? [{ ...one, use }] : [];
      }),
    );
    return found.flat();
  }

  #ownFilter(): { readonly labelSelector: Readonly<Record<string, string>> } {
    return { labelSelector: { [LABEL_NODE]: this.#parts.nodeName } };
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
    const isOn = (...names: string[]): boolean =>
      names.some((name) => /^(1|t|true)$/i.test(query.get(name) ?? ""));
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
