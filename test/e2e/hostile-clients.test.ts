// A server under attack from another process: other clients are served meanwhile, and its memory stays what it was.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { SystemClock } from "../../src/base/system-clock.ts";
import { UNTAKEN_BYTES_MAX } from "../../src/wire/http/untaken.ts";
import type { ApiConnection } from "../support/crash/api-connection.ts";
import { ServerProcess } from "../support/crash/server-process.ts";
import { ATTACKS, IDLE_CONNECTIONS, type Target } from "../support/hostile/attacks.ts";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const NO_LOAD = ["--no-scheduler", "--no-controllers"];
/** What a list has, so that one that nobody reads holds something: some MB. */
const OBJECTS = 100;
const OBJECT_BYTES = 30_000;
/** Requests of another client while an attack goes on. */
const REQUESTS = 150;
/** Of those: how long half of them, and any of them, may take, in ms, on a machine of two processors that attacker and server share. */
const MEDIAN_MS_MAX = 100;
const MS_MAX = 3000;
/** What an idle connection may cost the server, in bytes: it takes 45 kB. */
const IDLE_BYTES_MAX = 64 * 1024;
/** What the server may grow by besides, in bytes: V8 collects when it likes. */
const GROWTH_BYTES_MAX = 150 * 1024 * 1024;
/** What it may grow by while an attack goes on as it was: between two collections. */
const DRIFT_BYTES_MAX = 150 * 1024 * 1024;
/** Files that the server may open for itself meanwhile. */
const OWN_FILES_MAX = 10;
/** How long the server may take to let go of ten thousand connections that are gone, in ms. */
const LET_GO_MS_MAX = 20_000;

interface Case {
  readonly name: string;
  /** With an administrator's certificate. */
  readonly isKnown: boolean;
  /** What the attack may make the server hold. */
  readonly heldBytes?: number;
}

const CASES: readonly Case[] = [
  { name: "idle connections", isKnown: false, heldBytes: IDLE_CONNECTIONS * IDLE_BYTES_MAX },
  { name: "half-open connections", isKnown: false },
  { name: "slow writers", isKnown: true },
  // Each byte as it is, encrypted, and as what V8 has not collected yet.
  { name: "slow readers", isKnown: true, heldBytes: 5 * UNTAKEN_BYTES_MAX },
  { name: "floods of headers", isKnown: false },
  { name: "huge bodies", isKnown: false },
  { name: "huge bodies", isKnown: true },
  // Each of some thousand lists a second leaves its first piece to be collected.
  { name: "resets of HTTP/2", isKnown: true, heldBytes: 5 * UNTAKEN_BYTES_MAX },
  { name: "bytes that are no protocol", isKnown: false },
];

async function attack(name: string, target: Target): Promise<void> {
  await ATTACKS[name]!(target, () => process.stdout.write("at work\n"));
}

function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
  return Number(kilobytes) * 1024;
}

const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

const mb = (bytes: number): number => Math.round(bytes / 1024 / 1024);

if (process.argv[2] === "attack") {
  await attack(process.argv[3]!, JSON.parse(process.argv[4]!) as Target);
} else {
  describe("skiff server, attacked", () => {
    const clock = new SystemClock();
    let server: ServerProcess;
    let victim: ApiConnection;
    let restBytes: number;
    let restFiles: number;
    let attacker: ChildProcess | undefined;

    // One for each attack: what another one left would hide what this one takes.
    beforeEach(async () => {
      const folder = mkdtempSync(join(tmpdir(), "skiff-hostile-"));
      server = await ServerProcess.at(folder, clock, NO_LOAD);
      server.spawn();
      await server.ready();
      victim = server.connect();
      for (let count = 0; count < OBJECTS; count++)
        await victim.request("POST", CONFIG_MAPS, {
          metadata: { name: `a${count}` },
          data: { text: "x".repeat(OBJECT_BYTES) },
        });
      await served();
      restBytes = residentBytes(server.pid);
      restFiles = openFiles(server.pid);
    });
    afterEach(async () => {
      attacker?.kill("SIGKILL");
      victim?.close();
      await server.end("SIGKILL");
      rmSync(server.folder, { recursive: true });
    });

    /** Reads and writes as any other client. @returns how long each took, in ms, in order. */
    async function served(): Promise<readonly number[]> {
      const took: number[] = [];
      for (let count = 0; count < REQUESTS; count++) {
        const isWrite = count % 10 === 0;
        const body = { metadata: { name: "a0" }, data: { count: String(count) } };
        const startMs = clock.monotonic();
        const { status } = isWrite
          ? await victim.request("PUT", `${CONFIG_MAPS}/a0`, body)
          : await victim.request("GET", `${CONFIG_MAPS}/a0`);
        took.push(clock.monotonic() - startMs);
        assert.equal(status, 200);
      }
      return took.sort((a, b) => a - b);
    }

    async function begin(name: string, isKnown: boolean): Promise<void> {
      const read = (file: string): string => readFileSync(join(server.folder, "pki", file), "utf8");
      const target: Target = {
        port: server.port,
        ...(isKnown && { cert: read("admin.crt"), key: read("admin.key") }),
      };
      const words = ["--enable-source-maps", fileURLToPath(import.meta.url), "attack", name];
      attacker = spawn(process.execPath, [...words, JSON.stringify(target)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const said = await Promise.race([once(attacker.stdout!, "data"), once(attacker, "exit")]);
      assert.equal(String(said[0]), "at work\n");
    }

    /** Ends the attacker; resolves when the server has let go of all its connections. */
    async function end(): Promise<void> {
      const exited = once(attacker!, "exit");
      attacker!.kill("SIGKILL");
      await exited;
      const deadlineMs = clock.monotonic() + LET_GO_MS_MAX;
      while (openFiles(server.pid) > restFiles + OWN_FILES_MAX) {
        assert.ok(clock.monotonic() < deadlineMs, `${openFiles(server.pid)} files are open`);
        await served();
      }
    }

    for (const { name, isKnown, heldBytes = 0 } of CASES)
      it(`serves others through ${name} of ${isKnown ? "a client that it knows" : "nobody"}`, async (context) => {
        const { pid } = server;
        await begin(name, isKnown);
        const took = await served();
        const [median, worst] = [took[REQUESTS / 2]!, took.at(-1)!];
        const [bytes, files] = [residentBytes(pid), openFiles(pid)];
        context.diagnostic(
          `half of the requests took ${median.toFixed(1)} ms, all at most ${worst.toFixed(1)} ms; ` +
            `${mb(restBytes)} MB became ${mb(bytes)} MB; ${files} files`,
        );
        assert.ok(median < MEDIAN_MS_MAX, `half of the requests took ${median} ms`);
        assert.ok(worst < MS_MAX, `a request took ${worst} ms`);
        const bytesMax = restBytes + heldBytes + GROWTH_BYTES_MAX;
        assert.ok(bytes < bytesMax, `${mb(restBytes)} MB became ${mb(bytes)} MB`);
        if (name === "idle connections") assert.ok(files > IDLE_CONNECTIONS, `${files} files`);
        await served();
        const later = residentBytes(pid);
        assert.ok(later < bytes + DRIFT_BYTES_MAX, `${mb(bytes)} MB became ${mb(later)} MB`);
        await end();
        const fresh = server.connect();
        assert.equal((await fresh.request("GET", "/readyz")).status, 200);
        fresh.close();
        assert.equal(await server.end("SIGTERM"), 0);
      });
  });
}
