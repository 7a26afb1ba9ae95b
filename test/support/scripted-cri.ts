import type { Clock } from "../../src/base/clock.ts";
import type * as cri from "../../src/wire/cri/cri-client.ts";
import { RpcError } from "../../src/wire/grpc/channel.ts";

/** How a container behaves once it is started. */
export interface Behaviour {
  /** Ends by itself after so long; absent: runs until it is stopped. */
  readonly endsAfterMs?: number;
  readonly exitCode?: number;
  /** How long it takes to end after its stop signal; more than the grace: it is killed. Default 0. */
  readonly stopsAfterMs?: number;
  /** The start fails with this message. */
  readonly startError?: string;
  readonly reason?: string;
}

type Running = { -readonly [K in keyof cri.ContainerStatus]: cri.ContainerStatus[K] } & {
  sandboxId: string;
  config: cri.ContainerConfig;
};
type Box = { -readonly [K in keyof cri.SandboxStatus]: cri.SandboxStatus[K] };

/** Pods that a node can give an address. */
const IPS_MAX = 254;

const gone = (what: string, id: string): RpcError =>
  new RpcError("NOT_FOUND", `an error occurred when try to find ${what} "${id}": not found`);

/**
 * A container runtime in memory, on an injected clock: every container behaves as a script says.
 *
 * For tests of the kubelet and for simulated nodes. Implements the contract of the real client, delays excluded.
 */
export class ScriptedCri implements cri.CriClient {
  /** Every call that changed something, in order: `runSandbox web`, `start web/app`. */
  readonly calls: string[] = [];
  /** By container name. */
  readonly behaviours = new Map<string, Behaviour>();
  /** Names of images that are there. */
  readonly images = new Map<string, cri.Image>();
  /** What pulling an image throws. */
  readonly pullErrors = new Map<string, string>();
  /** What a command answers in a container: exit code by container name. */
  readonly execCodes = new Map<string, number>();
  /** What a change of a container's resources throws. */
  updateError: string | undefined;
  readonly #clock: Clock;
  readonly #podNetwork: string;
  readonly #sandboxes = new Map<string, Box>();
  readonly #containers = new Map<string, Running>();
  readonly #listeners = new Set<(event: cri.RuntimeEvent) => void>();
  /** Who waits for a container's end. */
  readonly #waiting: (readonly [string, () => void])[] = [];
  #next = 1;

  /** `podNetwork`: the first three numbers of its Pods' addresses. */
  constructor(clock: Clock, podNetwork = "10.244.0") {
    this.#clock = clock;
    this.#podNetwork = podNetwork;
  }

  /** The stream of events, as containerd's. */
  async *watch(signal: AbortSignal): AsyncGenerator<cri.RuntimeEvent> {
    const queue: cri.RuntimeEvent[] = [];
    let wake: () => void = () => {};
    const listener = (event: cri.RuntimeEvent): void => {
      queue.push(event);
      wake();
    };
    this.#listeners.add(listener);
    signal.addEventListener("abort", () => wake(), { once: true });
    try {
      while (!signal.aborted) {
        const event = queue.shift();
        if (event) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#listeners.delete(listener);
    }
  }

  /** Kills a container from outside of the kubelet. */
  kill(name: string, exitCode: number, reason = "Error"): void {
    for (const container of this.#containers.values())
      if (container.metadata.name === name && container.state === 1)
        this.#end(container, exitCode, reason);
  }

  /** Loses every sandbox and container's life, as a reboot does. */
  reboot(): void {
    for (const container of this.#containers.values())
      if (container.state === 1) this.#end(container, 255, "Unknown");
    for (const sandbox of this.#sandboxes.values()) sandbox.state = 1;
  }

  get running(): readonly string[] {
    return [...this.#containers.values()].filter((c) => c.state === 1).map((c) => c.metadata.name);
  }

  addImage(name: string, image: Partial<cri.Image> = {}): void {
    const id = `sha256:${Buffer.from(name).toString("hex").padEnd(64, "0").slice(0, 64)}`;
    this.images.set(name, {
      id,
      repoTags: [name],
      repoDigests: [],
      size: 1,
      username: "",
      ...image,
    });
  }

  async version(): Promise<cri.RuntimeVersion> {
    return { runtimeName: "scripted", runtimeVersion: "1", runtimeApiVersion: "v1" };
  }

  async status(): Promise<readonly cri.RuntimeCondition[]> {
    const fine = (type: string): cri.RuntimeCondition => ({
      type,
      status: true,
      reason: "",
      message: "",
    });
    return [fine("RuntimeReady"), fine("NetworkReady")];
  }

  async updatePodCidr(): Promise<void> {}

  async runSandbox(config: cri.SandboxConfig): Promise<string> {
    this.calls.push(`runSandbox ${config.metadata.name}`);
    const id = this.#id();
    const { metadata, labels, annotations } = config;
    const isHost = config.linux.securityContext.namespaceOptions.network === 2;
    const network = { ip: this.#freeIp(), additionalIps: [] };
    this.#sandboxes.set(id, {
      id,
      metadata,
      state: 0,
      createdAt: this.#nanos(),
      labels,
      annotations,
      ...(isHost ? {} : { network }),
    });
    return id;
  }

  async stopSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox) return;
    this.calls.push(`stopSandbox ${sandbox.metadata.name}`);
    sandbox.state = 1;
    for (const container of this.#containers.values())
      if (container.sandboxId === id && container.state === 1) this.#end(container, 137, "Error");
  }

  async removeSandbox(id: string): Promise<void> {
    this.#sandboxes.delete(id);
    for (const container of [...this.#containers.values()])
      if (container.sandboxId === id) this.#containers.delete(container.id);
  }

  async sandboxStatus(id: string): Promise<cri.SandboxStatus> {
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox) throw gone("sandbox", id);
    return { ...sandbox };
  }

  async listSandboxes(filter: cri.RuntimeFilter = {}): Promise<readonly cri.Sandbox[]> {
    return [...this.#sandboxes.values()].filter(({ labels }) => matches(labels, filter));
  }

  async createContainer(sandboxId: string, config: cri.ContainerConfig): Promise<string> {
    const { metadata, image, labels, annotations, logPath } = config;
    this.#reserve(sandboxId, metadata);
    const id = this.#id();
    this.calls.push(`create ${metadata.name}#${metadata.attempt}`);
    this.#containers.set(id, {
      id,
      sandboxId,
      config,
      metadata,
      image,
      imageRef: image.image,
      labels,
      annotations,
      logPath,
      state: 0,
      createdAt: this.#nanos(),
      startedAt: 0,
      finishedAt: 0,
      exitCode: 0,
      reason: "",
      message: "",
    });
    return id;
  }

  async startContainer(id: string): Promise<void> {
    const container = this.#container(id);
    const { name } = container.metadata;
    const behaviour = this.behaviours.get(name) ?? {};
    this.calls.push(`start ${name}`);
    if (behaviour.startError !== undefined) {
      this.#end(container, 128, "StartError");
      throw new RpcError("UNKNOWN", behaviour.startError);
    }
    container.state = 1;
    container.startedAt = this.#nanos();
    this.#emit({ id, type: "started" });
    if (behaviour.endsAfterMs === undefined) return;
    const { exitCode = 0, reason = exitCode === 0 ? "Completed" : "Error" } = behaviour;
    this.#clock.after(behaviour.endsAfterMs, () => {
      if (container.state === 1) this.#end(container, exitCode, reason);
    });
  }

  stopContainer(id: string, graceSeconds: number): Promise<void> {
    const container = this.#containers.get(id);
    if (!container || container.state !== 1) return Promise.resolve();
    const { name } = container.metadata;
    this.calls.push(`stop ${name} ${graceSeconds}s`);
    const { stopsAfterMs = 0, exitCode = 143 } = this.behaviours.get(name) ?? {};
    const isKilled = stopsAfterMs > graceSeconds * 1000;
    this.#clock.after(Math.min(stopsAfterMs, graceSeconds * 1000), () => {
      if (container.state === 1) this.#end(container, isKilled ? 137 : exitCode, "Error");
    });
    return new Promise((resolve) => this.#waiting.push([id, resolve]));
  }

  async removeContainer(id: string): Promise<void> {
    this.#containers.delete(id);
  }

  async listContainers(filter: cri.RuntimeFilter = {}): Promise<readonly cri.Container[]> {
    return [...this.#containers.values()].filter(({ labels }) => matches(labels, filter));
  }

  async containerStatus(id: string): Promise<cri.ContainerStatus> {
    return { ...this.#container(id) };
  }

  async updateContainerResources(id: string, resources: cri.LinuxResources): Promise<void> {
    const { name } = this.#container(id).metadata;
    const { cpuShares, cpuQuota, memoryLimitInBytes } = resources;
    this.calls.push(`update ${name} ${cpuShares} ${cpuQuota} ${memoryLimitInBytes}`);
    if (this.updateError !== undefined) throw new RpcError("UNKNOWN", this.updateError);
  }

  async reopenContainerLog(): Promise<void> {}

  async execSync(id: string, command: readonly string[]): Promise<cri.ExecResult> {
    const { name } = this.#container(id).metadata;
    this.calls.push(`exec ${name} ${command.join(" ")}`);
    const exitCode = this.execCodes.get(name) ?? 0;
    return { stdout: Buffer.from(""), stderr: Buffer.from(""), exitCode };
  }

  exec(): Promise<string> {
    return Promise.reject(new RpcError("UNIMPLEMENTED", "a scripted runtime has no streams"));
  }

  attach(): Promise<string> {
    return this.exec();
  }

  portForward(): Promise<string> {
    return this.exec();
  }

  async listContainerStats(): Promise<readonly cri.ContainerStats[]> {
    return [];
  }

  async listImages(): Promise<readonly cri.Image[]> {
    return [...this.images.values()];
  }

  async imageStatus(name: string): Promise<cri.Image | undefined> {
    return this.images.get(name);
  }

  async pullImage(name: string): Promise<string> {
    this.calls.push(`pull ${name}`);
    const error = this.pullErrors.get(name);
    if (error !== undefined) throw new RpcError("NOT_FOUND", error);
    this.addImage(name);
    return name;
  }

  async removeImage(name: string): Promise<void> {
    this.images.delete(name);
  }

  async imageFilesystems(): Promise<readonly cri.FilesystemUsage[]> {
    return [];
  }

  close(): void {}

  /** Names are unique as containerd's are: one container for each attempt of a name in a Pod, as long as it is there. */
  #reserve(sandboxId: string, { name, attempt }: cri.ContainerConfig["metadata"]): void {
    const uidOf = (id: string): string | undefined => this.#sandboxes.get(id)?.metadata.uid;
    for (const { id, sandboxId: own, metadata } of this.#containers.values())
      if (metadata.name === name && metadata.attempt === attempt && uidOf(own) === uidOf(sandboxId))
        throw new RpcError("UNKNOWN", `failed to reserve container name "${name}": it is ${id}'s`);
  }

  #container(id: string): Running {
    const container = this.#containers.get(id);
    if (!container) throw gone("container", id);
    return container;
  }

  #end(container: Running, exitCode: number, reason: string): void {
    container.state = 2;
    container.exitCode = exitCode;
    container.reason = reason;
    container.finishedAt = this.#nanos();
    for (const [id, resolve] of this.#waiting) if (id === container.id) resolve();
    this.#emit({ id: container.id, type: "exited" });
  }

  #emit(event: cri.RuntimeEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Never one that a sandbox still has. */
  #freeIp(): string {
    const taken = new Set([...this.#sandboxes.values()].map(({ network }) => network?.ip));
    for (let number = this.#next; ; number++) {
      const ip = `${this.#podNetwork}.${((number - 1) % IPS_MAX) + 1}`;
      if (!taken.has(ip)) return ip;
    }
  }

  #id(): string {
    return String(this.#next++).padStart(64, "0");
  }

  #nanos(): number {
    return this.#clock.now() * 1e6;
  }
}

function matches(
  labels: Readonly<Record<string, string>>,
  { labelSelector = {} }: cri.RuntimeFilter,
): boolean {
  return Object.entries(labelSelector).every(([key, value]) => labels[key] === value);
}
