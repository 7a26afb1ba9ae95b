import { createWriteStream } from "node:fs";
import * as fs from "node:fs/promises";
import { basename, dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { CriClient } from "../../wire/cri/cri-client.ts";
import {
  COMPRESSED,
  planRotation,
  rotationSuffix,
  UNFINISHED,
  type LogLimits,
  type RotationPlan,
} from "../plan/log-rotation.ts";
import { openLog } from "./open-log.ts";

/** The log of one running container. */
export interface RunningLog {
  readonly containerId: string;
  readonly path: string;
}

/** Keeps the logs of running containers within their limits; who follows one goes on reading the new file. */
export class LogRotator {
  readonly #cri: CriClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limits: LogLimits;

  constructor(cri: CriClient, clock: Clock, logger: Logger, limits: LogLimits) {
    this.#cri = cri;
    this.#clock = clock;
    this.#logger = logger;
    this.#limits = limits;
  }

  /** Looks at each log once. One that cannot be rotated stays, and is looked at again next time. */
  async rotate(logs: readonly RunningLog[]): Promise<void> {
    for (const log of logs)
      await this.#look(log).catch((error: unknown) =>
        this.#logger.warning("log was not rotated", { path: log.path, error: String(error) }),
      );
  }

  async #look(log: RunningLog): Promise<void> {
    const { size } = (await fs.stat(log.path).catch(() => undefined)) ?? {};
    // An earlier rotation was cut off between rename and reopening: the runtime still writes to the old file.
    if (size === undefined) return this.#cri.reopenContainerLog(log.containerId);
    if (size < this.#limits.bytesMax) return;
    const folder = dirname(log.path);
    const prefix = `${basename(log.path)}.`;
    const names = (await fs.readdir(folder)).filter((name) => name.startsWith(prefix));
    const rotated = `${log.path}.${rotationSuffix(this.#clock.now())}`;
    // Within a second of the last rotation the name is taken: next time.
    if (names.some((name) => `${folder}/${name}`.startsWith(rotated))) return;
    const plan = planRotation(size, names, this.#limits);
    if (plan) await this.#apply(log, folder, rotated, plan);
  }

  async #apply(
    log: RunningLog,
    folder: string,
    rotated: string,
    plan: RotationPlan,
  ): Promise<void> {
    for (const name of plan.remove) await fs.rm(`${folder}/${name}`, { force: true });
    for (const name of plan.compress) await compress(`${folder}/${name}`);
    await fs.rename(log.path, rotated);
    try {
      await this.#cri.reopenContainerLog(log.containerId);
    } catch (error) {
      await fs.rename(rotated, log.path);
      throw error;
    }
  }
}

async function compress(path: string): Promise<void> {
  const unfinished = path + UNFINISHED;
  await fs.rm(unfinished, { force: true });
  const log = await openLog(path);
  const packed = createWriteStream(unfinished, { flags: "wx" });
  await pipeline(log.createReadStream(), createGzip(), packed);
  await fs.rename(unfinished, path + COMPRESSED);
  await fs.rm(path);
}
