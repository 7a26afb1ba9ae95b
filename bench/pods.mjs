// Measures Pods on a fresh cluster of this build, and containerd alone beside them: `npm run bench:pods [-- --rounds N] [--only NAME,…]
// [--profile FOLDER]`. Names: single burst delete floor. Each figure comes with the processor time of every part, in ms. Leaves processor profiles
// of server and agent, one pair for each figure, in FOLDER. Appends one line to bench/results.ndjson.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { testImageArchive } from "../tools/make-test-images.mjs";
import { clientOf, Figures, pause, quantile } from "./measure.mjs";
import {
  deleteNamespace,
  namespaceDeletion,
  newNamespace,
  podsAtOnce,
  singlePod,
} from "./pod-life.mjs";

const NAME = "bench-pods";
const option = (name) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const rounds = Number(option("--rounds") ?? 3);
const profiles = option("--profile");
const only = option("--only")?.split(",");
const isWanted = (name) => !only || only.includes(name);
const home = mkdtempSync(join(tmpdir(), "skiff-pods-"));
const kubeconfig = join(home, "kubeconfig");
const plain = { ...process.env, SKIFF_HOME: join(home, "state"), KUBECONFIG: kubeconfig };
const profiled = {
  ...plain,
  NODE_OPTIONS: `--require=${resolve("bench/profile-on-signal.cjs")}`,
  SKIFF_PROFILES: profiles && resolve(profiles),
};
const run = (env, ...words) => execFileSync(words[0], words.slice(1), { env, encoding: "utf8" });
const skiff = (env, ...words) =>
  run(env, process.execPath, "bin/skiff.cjs", ...words, "--name", NAME);

/** Processor time of a process, and of its children that have ended, ms. */
function timesOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const sum = (first) => 10 * (Number(fields[first]) + Number(fields[first + 1]));
  return { own: sum(11), children: sum(13) };
}

/** Processor time so far by part, ms; `of`: the cluster's processes by role. Shims and containers that ended since are missing. */
function usage(of) {
  const found = {};
  const add = (name, ms) => (found[name] = (found[name] ?? 0) + ms);
  const [user, nice, system, idle, wait] = readFileSync("/proc/stat", "utf8")
    .split("\n")[0]
    .split(/\s+/)
    .slice(1)
    .map((ticks) => 10 * Number(ticks));
  add("machine", user + nice + system);
  add("idle", idle + wait);
  const roles = Object.entries(of);
  const home = mountsOf(of.containerd);
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const role = roles.find(([, known]) => known === Number(pid))?.[0];
      const isShim = readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("containerd-shim");
      if (!role && (!isShim || mountsOf(pid) !== home)) continue;
      const { own, children } = timesOf(pid);
      add(role ?? "shims", own);
      add(isShim ? "runc" : `${role}'s children`, children);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

const mountsOf = (pid) => readFileSync(`/proc/${pid}/mountinfo`, "utf8").split("\n")[0];

const values = {};

/** Does `work`, and notes its figure. */
async function measured(name, of, work) {
  toggleProfiles(of);
  const before = usage(of);
  const value = await work();
  const used = Object.entries(usage(of))
    .map(([part, ms]) => [part, ms - (before[part] ?? 0)])
    .filter(([, ms]) => ms > 0);
  toggleProfiles(of);
  (values[name] ??= []).push(value);
  console.log(`${name.padEnd(34)} ${String(value).padStart(6)}  ${used.flat().join(" ")}`);
  return value;
}

/** Begins the profiles of server and agent, or ends them. */
function toggleProfiles(of) {
  if (!profiles) return;
  for (const [role, pid] of Object.entries(of))
    if (role === "server" || role.startsWith("agent")) process.kill(pid, "SIGUSR2");
}

/** Runs `build/runtime-floor.mjs`. @returns its figures by phase, as one iterator. */
function floor(of, count) {
  const socket = `/proc/${of.containerd}/root/run/containerd/containerd.sock`;
  const program = spawn(process.execPath, ["build/runtime-floor.mjs", socket, count, count], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return createInterface(program.stdout)[Symbol.asyncIterator]();
}

async function measureFloor(of, count) {
  const phases = floor(of, String(count));
  for (const phase of ["started", "stopped", "removed"])
    await measured(`floor: ${count} ${phase}, ms`, of, async () =>
      Number((await phases.next()).value),
    );
  await pause(1000);
}

async function round(server, of, number) {
  const namespace = `round-${number}`;
  const burst = `${namespace}-burst`;
  await newNamespace(server, namespace);
  await newNamespace(server, burst);
  if (isWanted("single"))
    await measured("Pod create to Ready, ms", of, () => singlePod(server, namespace, 10));
  await pause(1500);
  if (isWanted("burst"))
    await measured("30 Pods at once, ms", of, () => podsAtOnce(server, burst, 30));
  await pause(1500);
  await Promise.all([deleteNamespace(server, namespace), deleteNamespace(server, burst)]);
  await pause(3000);
  if (isWanted("delete")) {
    const name = "namespace of 40 Pods deleted, ms";
    await namespaceDeletion(server, `${namespace}-doomed`, 40, (work) => measured(name, of, work));
    await pause(2000);
  }
  if (isWanted("floor")) for (const count of [1, 30, 40]) await measureFloor(of, count);
}

async function main() {
  if (profiles) mkdirSync(profiles, { recursive: true });
  skiff(profiles ? profiled : plain, "start", "--kubeconfig", kubeconfig);
  skiff(plain, "image", "load", await testImageArchive("busybox"));
  const role = ["--clusterrole=cluster-admin", "--serviceaccount=default:default"];
  run(plain, "kubectl", "create", "clusterrolebinding", "bench", ...role);
  const token = run(plain, "kubectl", "create", "token", "default", "--duration=1h").trim();
  const field = "jsonpath={.clusters[0].cluster.server}";
  const server = clientOf(run(plain, "kubectl", "config", "view", "-o", field).trim(), { token });
  const { processes } = JSON.parse(skiff(plain, "status", "-o", "json"));
  const record = join(home, "state", NAME, "run", `containerd-${NAME}-1.pid`);
  const of = { ...processes, containerd: JSON.parse(readFileSync(record, "utf8")).pid };
  // Start-up is over by then: the code cache is written 10 s after it.
  await pause(12_000);
  for (let number = 0; number < rounds; number++) await round(server, of, number);
  const figures = new Figures();
  for (const [name, all] of Object.entries(values))
    figures.record(
      name,
      quantile(
        [...all].sort((a, b) => a - b),
        0.5,
      ),
    );
  if (!only && !profiles) figures.append("pods");
}

try {
  await main();
} finally {
  skiff(plain, "delete", "--kubeconfig", kubeconfig);
  rmSync(home, { recursive: true, force: true });
}
