import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { sleep, type Clock } from "../../../src/base/clock.ts";
import { ApiConnection, NoAnswer } from "./api-connection.ts";

/** How long a server may take until it answers, in ms: 0.3 s alone, a few seconds on a busy machine. */
const READY_MS_MAX = 30_000;
const POLL_MS = 10;

/** The real server, as `skiff server` of its own process, started and ended again and again on one port and folder. */
export class ServerProcess {
  readonly folder: string;
  readonly port: number;
  readonly #clock: Clock;
  readonly #flags: readonly string[];
  #child: ChildProcess | undefined;
  #errors = "";

  private constructor(folder: string, port: number, clock: Clock, flags: readonly string[]) {
    this.folder = folder;
    this.port = port;
    this.#clock = clock;
    this.#flags = flags;
  }

  static async at(
    folder: string,
    clock: Clock,
    flags: readonly string[] = [],
  ): Promise<ServerProcess> {
    return new ServerProcess(folder, await freePort(), clock, flags);
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** Starts it; {@link ready} says when it answers. */
  spawn(): void {
    const entry = join(process.cwd(), "bin/skiff.cjs");
    const listen = `127.0.0.1:${this.port}`;
    const words = [entry, "server", "--data", this.folder, "--listen", listen, ...this.#flags];
    this.#errors = "";
    this.#child = spawn(process.execPath, words, { stdio: ["ignore", "ignore", "pipe"] });
    this.#child.stderr!.on("data", (part: Buffer) => (this.#errors += part.toString()));
  }

  /** Resolves when /readyz answers ok. @throws {AssertionError} it ended, or took too long. */
  async ready(): Promise<void> {
    const end = this.#clock.monotonic() + READY_MS_MAX;
    while (!(await this.#isReady())) {
      const { exitCode, signalCode } = this.#child!;
      const hasEnded = exitCode !== null || signalCode !== null;
      assert.ok(!hasEnded, `the server ended: ${exitCode} ${signalCode} ${this.#errors}`);
      assert.ok(this.#clock.monotonic() < end, `the server is not ready: ${this.#errors}`);
      await sleep(this.#clock, POLL_MS);
    }
  }

  /** A new connection, as administrator. */
  connect(): ApiConnection {
    const read = (name: string): Buffer => readFileSync(join(this.folder, "pki", name));
    return new ApiConnection(`https://127.0.0.1:${this.port}`, {
      ca: read("ca.crt"),
      cert: read("admin.crt"),
      key: read("admin.key"),
    });
  }

  /** Ends it and waits for that. @returns the exit code; `null`: the signal ended it. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    const child = this.#child!;
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      child.kill(signal);
      await exited;
    }
    return child.exitCode;
  }

  async #isReady(): Promise<boolean> {
    let connection: ApiConnection | undefined;
    try {
      connection = this.connect();
      return (await connection.request("GET", "/readyz")).status === 200;
    } catch (error) {
      const { code } = error as { code?: string };
      if (error instanceof NoAnswer || code === "ENOENT") return false;
      throw error;
    } finally {
      connection?.close();
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
