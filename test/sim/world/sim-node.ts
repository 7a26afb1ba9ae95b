import { Node } from "../../../src/api/core/node.ts";
import { Pod } from "../../../src/api/core/pod.ts";
import type { Clock } from "../../../src/base/clock.ts";
import type { Logger } from "../../../src/base/logger.ts";
import type { Random } from "../../../src/base/random.ts";
import { SeededRandom } from "../../../src/base/seeded-random.ts";
import { HttpTransport } from "../../../src/client/http-transport.ts";
import { ListWatchCache } from "../../../src/client/list-watch-cache.ts";
import { startKubelet } from "../../../src/kubelet/start-kubelet.ts";
import {
  LABEL_POD_NAME,
  LABEL_POD_NAMESPACE,
  LABEL_POD_UID,
} from "../../../src/kubelet/runtime/labels.ts";
import { CONTAINER_RUNNING } from "../../../src/wire/cri/cri-client.ts";
import { ScriptedCri } from "../../support/scripted-cri.ts";
import type { RunningContainer, Sandbox } from "./history.ts";
import { runtimeLink, SOUND_RUNTIME, type RuntimeFaults } from "./sim-cri.ts";
import { SimHttp, type Endpoint, type StreamNetwork } from "./sim-http.ts";
import { SimNodeHost } from "./sim-node-host.ts";
import { SimProcess, type Wall } from "./sim-process.ts";

/** What a node of the world stands on, and who hears of it. */
export interface SimNodeOptions {
  readonly name: string;
  /** From 1. */
  readonly number: number;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: StreamNetwork;
  readonly server: Endpoint;
  readonly logger: (process: SimProcess) => Logger;
  readonly onCall: (node: SimNode, method: string, outcome: string) => void;
}

/** One machine of the world: the real kubelet, which can be killed and started again, on a runtime that stays. */
export class SimNode {
  readonly name: string;
  readonly cpus: number;
  readonly wall: Wall = { setMs: 0 };
  readonly runtime: ScriptedCri;
  readonly runtimeFaults: RuntimeFaults = { ...SOUND_RUNTIME };
  readonly #options: SimNodeOptions;
  readonly #host: SimNodeHost;
  #process: SimProcess | undefined;

  constructor(options: SimNodeOptions) {
    this.name = options.name;
    this.cpus = options.cpus;
    this.#options = options;
    this.#host = new SimNodeHost(options.name, options.cpus, options.memoryBytes);
    this.runtime = new ScriptedCri(options.clock, `10.88.${options.number}`);
  }

  get isRunning(): boolean {
    return this.#process?.isAlive ?? false;
  }

  /** Starts the kubelet, or leaves the one that runs. */
  start(): void {
    if (this.isRunning) return;
    const { name, number, clock, random, network, server, logger, onCall } = this.#options;
    const process = new SimProcess(name, clock, this.wall);
    this.#process = process;
    const own = new SeededRandom(random.integer(2 ** 32));
    const log = logger(process);
    const identity = { commonName: `system:node:${name}`, organizations: ["system:nodes"] };
    const client = new HttpTransport(
      new SimHttp(process, name, network, server, identity),
      "skiff-agent/sim",
    );
    const cache = new ListWatchCache(client, process.clock, own, log, {
      freezes: true,
      selectionOf: (kind) => {
        if (kind === Node) return { fieldSelector: `metadata.name=${name}` };
        return kind === Pod ? { fieldSelector: `spec.nodeName=${name}` } : {};
      },
    });
    const { runtimeFaults, runtime } = this;
    const link = runtimeLink(runtime, process, clock, own, runtimeFaults, (method, outcome) =>
      onCall(this, method, outcome),
    );
    const started = startKubelet({
      client,
      cache,
      cri: link.cri,
      watchRuntime: link.watch,
      clock: process.clock,
      random: own,
      logger: log,
      nodeName: name,
      nodeIps: [`10.9.0.${number}`],
      folders: { state: "/node", logs: "/logs", logLinks: "/links", ownVolumes: "/volumes" },
      dns: { clusterServers: ["10.96.0.10"], clusterDomain: "cluster.local" },
      version: "v1.36.0+skiff.sim",
      host: this.#host,
    });
    started.catch((error: unknown) =>
      log.error("the kubelet did not start", { error: String((error as Error).stack) }),
    );
  }

  /** The kubelet ends as by `kill -9`; containers run on. */
  kill(): void {
    this.#process?.kill();
  }

  async running(): Promise<readonly RunningContainer[]> {
    const containers = await this.runtime.listContainers();
    return containers
      .filter(({ state }) => state === CONTAINER_RUNNING)
      .map(({ labels, metadata }) => ({ ...this.#podOf(labels), container: metadata.name }));
  }

  async sandboxes(): Promise<readonly Sandbox[]> {
    const sandboxes = await this.runtime.listSandboxes();
    return sandboxes.map(({ labels }) => this.#podOf(labels));
  }

  #podOf(labels: Readonly<Record<string, string>>): Sandbox {
    return {
      node: this.name,
      podUid: labels[LABEL_POD_UID] ?? "",
      namespace: labels[LABEL_POD_NAMESPACE] ?? "",
      pod: labels[LABEL_POD_NAME] ?? "",
    };
  }
}
