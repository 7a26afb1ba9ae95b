import type { Clock, Instant, Timer } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { V1Pod } from "../../gen/types.ts";
import type { ImageCleaner } from "../executor/image-cleaner.ts";
import type { RunningLog } from "../executor/log-rotator.ts";
import {
  crossed,
  evictionMessage,
  pressuresAt,
  SIGNALS,
  victimOf,
  type NodeSupply,
  type Pressure,
  type PodUse,
  type Threshold,
} from "../plan/eviction.ts";
import { hasStorageLimits, storageProblem, type StorageUse } from "../plan/storage-limits.ts";
import type { PodWorker } from "../pod-worker.ts";
import { logPathOf } from "../runtime/container-config.ts";
import { logFolderOf } from "../runtime/sandbox-config.ts";

/** Between two looks, in ms. @spec k8s@1.36 monitoringInterval of the eviction manager; containerLogMonitorInterval */
const LOOK_MS = 10_000;
/** Between two looks at images, in ms. @spec k8s@1.36 pkg/kubelet ImageGCPeriod */
const IMAGES_MS = 300_000;

/** What the housekeeper acts through. */
export interface HousekeeperTools {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly rotator: LogRotation;
  readonly images: ImageCleaner;
  readonly meter: PodMeasure;
  readonly readSupply: () => Promise<NodeSupply>;
  readonly workers: () => readonly PodWorker[];
  readonly logRoot: string;
  readonly thresholds: readonly Threshold[];
}

/** Keeps logs within their limits; the real one is `executor/log-rotator.ts`. */
export interface LogRotation {
  rotate(logs: readonly RunningLog[]): Promise<void>;
}

/** Measures Pods; the real one is `executor/pod-meter.ts`. */
export interface PodMeasure {
  storage(pods: readonly V1Pod[]): Promise<readonly StorageUse[]>;
  uses(pods: readonly V1Pod[]): Promise<readonly PodUse[]>;
}

/**
 * Looks after what runs out: rotates logs, ends Pods that write more than they may, removes unused images, and ends one
 * Pod after the other while the node is short of memory, disk or processes.
 *
 * @spec k8s@1.36 pkg/kubelet/eviction/eviction_manager.go synchronize
 */
export class Housekeeper {
  readonly #tools: HousekeeperTools;
  readonly #seenAt = new Map<Pressure, Instant>();
  #pressures: ReadonlySet<Pressure> = new Set();
  #imagesAt: Instant;
  #timer: Timer | undefined;
  #isClosed = false;
  /** Called when the node's pressures change. */
  onPressures: () => void = () => {};

  constructor(tools: HousekeeperTools) {
    this.#tools = tools;
    this.#imagesAt = tools.clock.now() + IMAGES_MS;
  }

  /** What the node is short of. */
  get pressures(): ReadonlySet<Pressure> {
    return this.#pressures;
  }

  start(): void {
    this.#timer = this.#tools.clock.after(LOOK_MS, () => {
      void this.look().finally(() => {
        if (!this.#isClosed) this.start();
      });
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** One look at everything. Never throws. */
  async look(): Promise<void> {
    await this.#try("logs", () => this.#tools.rotator.rotate(this.#runningLogs()));
    await this.#try("storage limits", () => this.#enforceStorage());
    await this.#try("pressure", () => this.#relieve());
  }

  async #try(what: string, job: () => Promise<void>): Promise<void> {
    await job().catch((error: unknown) =>
      this.#tools.logger.warning("housekeeping failed", { what, error: String(error) }),
    );
  }

  #runningLogs(): RunningLog[] {
    const { logRoot } = this.#tools;
    return this.#tools.workers().flatMap(({ pod, runtime }) =>
      runtime.containers
        .filter(({ state }) => state === "running")
        .map(({ id, name, restartCount }) => ({
          containerId: id,
          path: `${logFolderOf(pod, logRoot)}/${logPathOf(name, restartCount)}`,
        })),
    );
  }

  #active(): readonly PodWorker[] {
    return this.#tools.workers().filter(({ isActive }) => isActive);
  }

  async #enforceStorage(): Promise<void> {
    const limited = this.#active().filter(({ pod }) => hasStorageLimits(pod));
    if (limited.length === 0) return;
    const uses = await this.#tools.meter.storage(limited.map(({ pod }) => pod));
    for (const [index, worker] of limited.entries()) {
      const message = storageProblem(worker.pod, uses[index]!);
      if (message !== undefined) worker.evict({ message, graceSeconds: 0 });
    }
  }

  async #relieve(): Promise<void> {
    const { clock, readSupply, images, thresholds } = this.#tools;
    let supply = await readSupply();
    let short = crossed(supply, thresholds);
    this.#learn(short);
    const isDiskShort = short.some(({ signal }) => SIGNALS[signal].pressure === "DiskPressure");
    if (supply.disk && (isDiskShort || clock.now() >= this.#imagesAt)) {
      this.#imagesAt = clock.now() + IMAGES_MS;
      const removed = await images.clean(supply.disk, isDiskShort);
      if (removed > 0) {
        supply = await readSupply();
        short = crossed(supply, thresholds);
      }
    }
    if (short[0]) await this.#evictOne(short[0], supply);
  }

  #learn(short: readonly Threshold[]): void {
    const now = this.#tools.clock.now();
    for (const { signal } of short) this.#seenAt.set(SIGNALS[signal].pressure, now);
    const next = pressuresAt(this.#seenAt, now);
    const isSame =
      next.size === this.#pressures.size && [...next].every((p) => this.#pressures.has(p));
    if (isSame) return;
    this.#pressures = next;
    this.onPressures();
  }

  async #evictOne(threshold: Threshold, supply: NodeSupply): Promise<void> {
    const active = this.#active();
    const uses = await this.#tools.meter.uses(active.map(({ pod }) => pod));
    const victim = victimOf(threshold.signal, uses);
    const worker = active.find(({ pod }) => pod === victim?.pod);
    const available = supply[SIGNALS[threshold.signal].supply]?.available ?? 0;
    this.#tools.logger.warning("node is short", {
      signal: threshold.signal,
      available,
      evicted: worker ? `${worker.pod.metadata?.namespace}/${worker.pod.metadata?.name}` : "none",
    });
    worker?.evict({ message: evictionMessage(threshold, available), graceSeconds: 0 });
  }
}
