import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, closeSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import { sleep, type Clock, type Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import { containerdConfig, type ContainerdSettings } from "./containerd-config.ts";
import { writeAtomically } from "./files.ts";
import { rotateOpenLog } from "./log-file.ts";
import { readLivePid, writePidFile } from "./process-record.ts";

/** Pause between two tries to reach a starting containerd, in ms. It takes 100–300 ms. */
const DIAL_MS = 5;
/** How long containerd may take to listen, in ms, before its log is pointed at. */
const START_MS_MAX = 30_000;
/** How often an adopted containerd (not our child) is looked at, in ms; a child's end is told by the kernel. */
const LOOK_MS = 2_000;
/** How often the size of its log is looked at, in ms: it writes some lines a second at most. */
const LOG_LOOK_MS = 60_000;
/** Pause before a containerd that ended is started again, in ms. */
const RESTART_MS = 200;

/** Files of one node's containerd. */
export interface ContainerdFiles {
  readonly binary: string;
  readonly configFile: string;
  readonly pidFile: string;
  readonly logFile: string;
}

/**
 * Keeps a node's private containerd running.
 *
 * One that outlived its agent is adopted: containers never end because an agent did. It is not ended by `close`.
 */
export class Containerd {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #files: ContainerdFiles;
  readonly #settings: ContainerdSettings;
  #timer: Timer | undefined;
  #logTimer: Timer | undefined;
  #isClosed = false;

  constructor(clock: Clock, logger: Logger, files: ContainerdFiles, settings: ContainerdSettings) {
    this.#clock = clock;
    this.#logger = logger;
    this.#files = files;
    this.#settings = settings;
  }

  /** Resolves when its socket answers. @throws {Error} it does not; names its log. */
  async start(): Promise<void> {
    const { configFile, pidFile } = this.#files;
    const config = containerdConfig(this.#settings);
    const isSame = existsSync(configFile) && readFileSync(configFile, "utf8") === config;
    if (!isSame) writeAtomically(configFile, config);
    const running = readLivePid(pidFile);
    if (running === undefined) this.#spawn();
    else this.#adopt(running);
    this.#watchLog();
    await this.#reached();
  }

  /** Stops watching over it. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#logTimer?.cancel();
  }

  #watchLog(): void {
    rotateOpenLog(this.#files.logFile);
    this.#logTimer = this.#clock.after(LOG_LOOK_MS, () => this.#watchLog());
  }

  #spawn(): void {
    const { binary, configFile, pidFile, logFile } = this.#files;
    for (const folder of [
      this.#settings.root,
      this.#settings.state,
      dirname(this.#settings.socket),
    ])
      mkdirSync(folder, { recursive: true, mode: 0o711 });
    const log = openSync(logFile, "a", 0o600);
    const child = spawn(binary, ["--config", configFile], {
      cwd: "/",
      detached: true,
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    child.on("error", (error) => this.#ended(error.message));
    child.on("exit", (code, signal) => this.#ended(signal ?? `exit status ${code}`));
    if (child.pid !== undefined) writePidFile(pidFile, child.pid);
    child.unref();
  }

  #adopt(pid: number): void {
    const look = (): void => {
      if (readLivePid(this.#files.pidFile) !== pid) return this.#ended("it was gone");
      this.#timer = this.#clock.after(LOOK_MS, look);
    };
    look();
  }

  #ended(how: string): void {
    if (this.#isClosed) return;
    this.#logger.warning("containerd ended; starting it again", { how });
    this.#timer = this.#clock.after(RESTART_MS, () => this.#spawn());
  }

  async #reached(): Promise<void> {
    const until = this.#clock.monotonic() + START_MS_MAX;
    while (!(await answers(this.#settings.socket))) {
      if (this.#clock.monotonic() > until)
        throw new Error(`containerd does not answer: see ${this.#files.logFile}`);
      await sleep(this.#clock, DIAL_MS);
    }
  }
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect({ path: socket });
    connection.on("connect", () => {
      connection.destroy();
      resolve(true);
    });
    connection.on("error", () => resolve(false));
  });
}
