import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { FETCHED_VERSIONS, testKubectl } from "../../tools/test-kubectl.mjs";
import { readLivePid } from "../../src/host/process-record.ts";
import { StateFolder } from "../../src/host/state-folder.ts";
import { testImageArchive } from "../../tools/make-test-images.mjs";

/** Everything of every test cluster lies below; a folder's name says which process it belongs to. */
const PARENT = "/tmp/skiff-e2e";
/** A command that takes longer has hung. Twice as much only delays the failure. */
const COMMAND_MS_MAX = 60_000;
/** How long `until` waits unless told: several times what the slowest healthy case takes. */
const UNTIL_MS_MAX = 20_000;
/** Between two looks of `until`: short against what is waited for, long against a kubectl's start. */
const LOOK_EVERY_MS = 100;

/** What a finished command left. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command runs. */
export interface CommandOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** One of `otherKubectls()`, as in `1.29`; the plain `kubectl` without. */
  readonly version?: string;
}

/** A command that still runs. `output` grows; `end` stops it and waits. */
export interface Running {
  readonly child: ChildProcess;
  output(): string;
  /** Resolves when it ended by itself, or was ended. */
  readonly ended: Promise<Finished>;
  end(signal?: NodeJS.Signals): Promise<Finished>;
}

/** A real cluster of one test file, driven as a user drives it: by the built command and by kubectl. */
export class TestCluster {
  readonly name: string;
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;

  /** Names only; `startCluster` makes it. */
  constructor(name: string, home: string) {
    this.name = name;
    this.home = home;
    const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
    this.env = {
      ...inherited,
      SKIFF_HOME: home,
      KUBECONFIG: this.kubeconfig,
      // kubectl keeps what it discovered below HOME: two test files must not share it
      HOME: home,
    };
  }

  get kubeconfig(): string {
    return join(this.home, "kubeconfig");
  }

  /** Runs `skiff --name NAME WORDS`. */
  skiff(...words: readonly string[]): Promise<Finished> {
    const named = ["--name", this.name, ...words];
    return finish(process.execPath, ["bin/skiff.cjs", ...named], this.env);
  }

  /** Starts `skiff --name NAME WORDS` that goes on, or reads what it is given. */
  startSkiff(words: readonly string[], options: CommandOptions = {}): Running {
    const line = ["bin/skiff.cjs", "--name", this.name, ...words];
    return start(process.execPath, line, this.env, options);
  }

  /** Runs `skiff kubectl --name NAME WORDS`. */
  skiffKubectl(...words: readonly string[]): Promise<Finished> {
    const line = ["bin/skiff.cjs", "kubectl", "--name", this.name, ...words];
    return finish(process.execPath, line, this.env);
  }

  /** Runs kubectl, whatever its exit status. `line` is split at blanks; an array is taken as it is. */
  tryKubectl(line: string | readonly string[], options: CommandOptions = {}): Promise<Finished> {
    return finish(kubectlPath(options.version), wordsOf(line), this.env, options);
  }

  /** Runs kubectl, which must exit with 0. @returns its standard output. */
  async kubectl(line: string | readonly string[], options: CommandOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.tryKubectl(line, options);
    assert.equal(code, 0, `kubectl ${wordsOf(line).join(" ")}: ${stderr}${stdout}`);
    return stdout;
  }

  /** An object, or a list, as the API has it. */
  async read<T>(line: string): Promise<T> {
    return JSON.parse(await this.kubectl(`get ${line} -o json`)) as T;
  }

  /** Applies manifests: objects, or YAML text. */
  apply(manifests: string | readonly object[]): Promise<string> {
    const stdin =
      typeof manifests === "string"
        ? manifests
        : JSON.stringify({ apiVersion: "v1", kind: "List", items: manifests });
    return this.kubectl("apply -f -", { stdin });
  }

  /** Starts a kubectl that goes on: `-w`, `port-forward`, `logs -f`. */
  startKubectl(line: string | readonly string[], options: CommandOptions = {}): Running {
    return start(kubectlPath(options.version), wordsOf(line), this.env, options);
  }

  /** Starts any program with the cluster's environment. */
  startProgram(file: string, words: readonly string[], options: CommandOptions = {}): Running {
    return start(file, words, this.env, options);
  }

  /** Sends a signal to a process of the cluster (`server`, `agent-NODE`): to the very one that its pid file means. */
  signal(role: string, signal: NodeJS.Signals): number {
    const pid = readLivePid(new StateFolder(this.home, this.name).pidFile(role));
    assert.ok(pid !== undefined, `${role} does not run`);
    process.kill(pid, signal);
    return pid;
  }

  /** Address of the first node, where node ports answer. */
  async nodeIp(): Promise<string> {
    return (await this.skiff("ip")).stdout.trim();
  }

  /** Removes the cluster and its folder. */
  async close(): Promise<void> {
    const { code, stderr } = await this.skiff("delete");
    assert.equal(code, 0, stderr);
    rmSync(this.home, { recursive: true, force: true });
  }
}

/**
 * Starts a cluster for this test file, with images loaded, after removing those that killed runs left.
 * @bounds one per process: its name holds the process's ID.
 */
export async function startCluster(
  images: readonly ("busybox" | "nginx")[] = ["busybox", "nginx"],
  ...flags: readonly string[]
): Promise<TestCluster> {
  reapOrphans();
  const cluster = newCluster();
  const started = await cluster.skiff("start", "--kubeconfig", cluster.kubeconfig, ...flags);
  if (started.code !== 0) {
    const logs = (await cluster.skiff("logs")).stdout;
    await cluster.close();
    assert.fail(`skiff start: exit ${started.code}\n${started.stderr}${started.stdout}${logs}`);
  }
  for (const image of images) {
    const loaded = await cluster.skiff("image", "load", testImageArchive(image));
    assert.equal(loaded.code, 0, loaded.stderr);
  }
  return cluster;
}

/** A place for a cluster of this process that is not started. */
export function newCluster(): TestCluster {
  const home = join(PARENT, `${process.pid}-${startTicks(process.pid)}`);
  mkdirSync(home, { recursive: true });
  return new TestCluster(`e2e-${process.pid}`, home);
}

/** Deletes the clusters whose test process is gone. */
function reapOrphans(): void {
  if (!existsSync(PARENT)) return;
  for (const folder of readdirSync(PARENT)) {
    const [pid, ticks] = folder.split("-");
    if (startTicks(Number(pid)) === ticks) continue;
    const home = join(PARENT, folder);
    const words = ["bin/skiff.cjs", "delete", "--name", `e2e-${pid}`];
    spawnSync(process.execPath, words, { env: { ...process.env, SKIFF_HOME: home } });
    rmSync(home, { recursive: true, force: true });
  }
}

/** When a process started, in ticks: with its ID, what no later process has. Empty when it is gone. */
function startTicks(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

/** Polls `check` until it returns something true; then that is the result. Says `what` never came. */
export async function until<T>(
  what: string,
  check: () => Promise<T> | T,
  withinMs: number = UNTIL_MS_MAX,
): Promise<Exclude<T, false | "" | null | undefined>> {
  const deadline = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const result = await check();
      if (result) return result as Exclude<T, false | "" | null | undefined>;
      last = result;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline)
      throw new Error(`never within ${withinMs} ms: ${what}`, { cause: last });
    await delay(LOOK_EVERY_MS);
  }
}

/** Versions of all kubectls besides the plain one: those beside it (`kubectl.1.29`), oldest first, and those the set-up fetches. */
export function otherKubectls(): readonly string[] {
  return [...numberedKubectls(), ...FETCHED_VERSIONS];
}

function numberedKubectls(): readonly string[] {
  const found = spawnSync("sh", ["-c", 'readlink -f "$(command -v kubectl)"'], {
    encoding: "utf8",
  });
  const folder = join(found.stdout.trim(), "..");
  return readdirSync(folder)
    .flatMap((file) => /^kubectl\.(1\.\d+)$/.exec(file)?.[1] ?? [])
    .sort();
}

/** Where the kubectl of a version is; `undefined`: the plain one. */
export function kubectlPath(version: string | undefined): string {
  if (version === undefined) return "kubectl";
  if (FETCHED_VERSIONS.includes(version)) return testKubectl();
  const found = spawnSync("sh", ["-c", 'readlink -f "$(command -v kubectl)"'], {
    encoding: "utf8",
  });
  return `${found.stdout.trim()}.${version}`;
}

function wordsOf(line: string | readonly string[]): readonly string[] {
  return typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line;
}

function start(
  command: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  options: CommandOptions,
): Running {
  const child = spawn(command, words, { env: { ...env, ...options.env } });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin ?? "");
  const ended = new Promise<Finished>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const how = signal === null ? "" : `\n(ended by ${signal})\n`;
      resolve({ code: code ?? 128, stdout, stderr: stderr + how });
    });
  });
  const end = (signal: NodeJS.Signals = "SIGTERM"): Promise<Finished> => {
    child.kill(signal);
    return ended;
  };
  return { child, output: () => stdout + stderr, end, ended };
}

async function finish(
  command: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  options: CommandOptions = {},
): Promise<Finished> {
  const { child, ended } = start(command, words, env, options);
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, COMMAND_MS_MAX);
  const finished = await ended;
  clearTimeout(late);
  if (!isLate) return finished;
  const why = `\n(ended by the test: it took longer than ${COMMAND_MS_MAX / 1000} s)\n`;
  return { ...finished, stderr: finished.stderr + why };
}
