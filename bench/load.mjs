// Measures the server under load: `npm run bench:load [-- --reference URL TOKEN] [--only NAME,…] [--pods N] [--profile FOLDER]`. A server
// process of this build, alone, with its controllers and scheduler; with a reference (another API server, nothing scheduled on it),
// what can be asked there is asked there in the same run (memory: of the process that listens at URL, if it is on this machine).
// Appends one line to bench/results.ndjson. Names: lists memory restart fairness watch stalled creates; of the watches:
// [--protocols h1,h2,h1-plain] [--rates 1,100,1000]. Leaves the server's processor profile in FOLDER.
import { execFileSync, fork, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import {
  clientOf,
  Figures,
  inParallel,
  pause,
  processorSeconds,
  quantile,
  residentMb,
  wrk,
} from "./measure.mjs";
import { rawClientOf } from "./raw-client.mjs";

const option = (name) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const pods = Number(option("--pods") ?? 12_000);
const profiles = option("--profile");
/** As `skiff start` starts it. */
const NODE_FLAGS = [
  "--max-semi-space-size=16",
  "--interrupt-budget=200000",
  `--v8-pool-size=${Math.min(Math.max(availableParallelism() - 1, 1), 4)}`,
];
const profiling = profiles ? ["--cpu-prof", `--cpu-prof-dir=${profiles}`] : [];
const only = option("--only")?.split(",");
const isWanted = (name) => !only || only.includes(name);
const home = mkdtempSync(join(tmpdir(), "skiff-load-"));
const data = join(home, "data");
const PORT = 17_443;
const URL_OURS = `https://127.0.0.1:${PORT}`;
const figures = new Figures();
let server;

/** Starts the server. @returns ms until it is ready. */
async function startServer() {
  const begun = performance.now();
  server = spawn(
    process.execPath,
    [
      ...NODE_FLAGS,
      ...profiling,
      "bin/skiff.cjs",
      "server",
      "--data",
      data,
      "--listen",
      `127.0.0.1:${PORT}`,
    ],
    { stdio: "inherit" },
  );
  const probe = clientOf(URL_OURS, {}, 1);
  for (;;) {
    const isReady = await probe.call("GET", "/readyz").then(
      () => true,
      () => false,
    );
    if (server.exitCode !== null) throw new Error("the server ended");
    if (isReady) break;
    await pause(3);
  }
  probe.close();
  return performance.now() - begun;
}

async function stopServer() {
  const ended = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  await ended;
}

/** A cluster administrator's and two plain users' tokens: service accounts, as wrk has no certificates. */
async function tokens() {
  const file = join(data, "admin.kubeconfig");
  while (!existsSync(file)) await pause(10);
  const kubeconfig = readFileSync(file, "utf8");
  const field = (name) => Buffer.from(new RegExp(`${name}: (\\S+)`).exec(kubeconfig)[1], "base64");
  const cert = field("client-certificate-data");
  const admin = clientOf(URL_OURS, { cert, key: field("client-key-data") });
  return tokensOf(admin);
}

async function tokensOf(admin) {
  await admin.call("POST", "/api/v1/namespaces", { metadata: { name: "bench" } });
  const accounts = "/api/v1/namespaces/bench/serviceaccounts";
  const made = [];
  for (const name of ["first", "second"]) {
    await admin.call("POST", accounts, { metadata: { name } });
    await admin.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
      metadata: { name: `bench-${name}` },
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "ClusterRole",
        name: "cluster-admin",
      },
      subjects: [{ kind: "ServiceAccount", name, namespace: "bench" }],
    });
    const { status } = await admin.call("POST", `${accounts}/${name}/token`, { spec: {} });
    made.push(status.token);
  }
  return made;
}

const pod = (name, at) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels: { app: `a${at % 50}`, tier: "web" } },
  spec: {
    schedulerName: "none",
    containers: [
      {
        name: "c",
        image: "nginx:1.25",
        ports: [{ containerPort: 80 }],
        resources: { requests: { cpu: "10m", memory: "16Mi" } },
        env: [{ name: "A", value: "b" }],
      },
    ],
  },
});

const PODS = "/api/v1/namespaces/bench/pods";

async function fill({ call }) {
  await inParallel(pods, 32, (at) => call("POST", PODS, pod(`p-${at}`, at)));
}

/** The process that listens where `url` says, if it is on this machine. */
function listenerAt(url) {
  const { stdout } = spawnSync("ss", ["-ltnpH", `sport = :${new URL(url).port}`], {
    encoding: "utf8",
  });
  return Number(/pid=(\d+)/.exec(stdout ?? "")?.[1]) || undefined;
}

/** Requests per second over 32 connections: writes first, so that GETs find what they read. */
function requests(ours, theirs) {
  const lua = ({ url, token }, kind) => {
    const prefix = `${kind}-${process.pid}`;
    return ["-s", "bench/create.lua", url, "--", kind, "bench", prefix, token];
  };
  for (const [name, kind] of [
    ["ConfigMap", "cm"],
    ["Pod", "pod"],
  ]) {
    const [mine, other] = [ours, theirs].map((who) => who && wrk(32, 5, lua(who, kind)));
    figures.record(`${name} creates/s, 32 connections`, mine, other);
  }
  const header = ({ token }) => `authorization: Bearer ${token}`;
  const target = `${PODS}/pod-${process.pid}-0-5`;
  const get = (who) => who && wrk(32, 4, ["-H", header(who), `${who.url}${target}`]);
  figures.record("GET/s, 32 connections", get(ours), get(theirs));
}

/** Seconds that curl takes for a whole list, median of 7, and its bytes. */
function listTime({ url, token }, target) {
  const args = ["-sk", "-o", "/dev/null", "-w", "%{time_total} %{size_download}"];
  const one = () => {
    const header = `authorization: Bearer ${token}`;
    const out = execFileSync("curl", [...args, "-H", header, `${url}${target}`], {
      encoding: "utf8",
    });
    return out.split(" ").map(Number);
  };
  one();
  const all = Array.from({ length: 7 }, one).sort(([a], [b]) => a - b);
  return { seconds: all[3][0], bytes: all[3][1] };
}

function lists(ours, theirs) {
  const [mine, other] = [ours, theirs].map((who) => who && listTime(who, PODS));
  figures.record(`LIST ${pods} Pods, s`, mine.seconds, other?.seconds);
  figures.record(`LIST ${pods} Pods, MB`, +(mine.bytes / 1e6).toFixed(1));
  const selected = `${PODS}?labelSelector=app%3Da7`;
  const [few, fewOther] = [ours, theirs].map((who) => who && listTime(who, selected));
  figures.record("LIST with a label selector that wants 2 %, s", few.seconds, fewOther?.seconds);
  const page = (who) =>
    who && wrk(8, 5, ["-H", `authorization: Bearer ${who.token}`, `${who.url}${PODS}?limit=500`]);
  figures.record("LIST limit=500 per second, 8 connections", page(ours), page(theirs));
}

/** How long the second user's GETs take while the first one lists without pause on 64 connections. */
async function fairness(ours, theirs, ourTokens, theirTokens) {
  const measure = async (who, [noisy, quiet]) => {
    if (!who) return {};
    const client = clientOf(who.url, { token: quiet }, 1);
    const delays = async (ms) => {
      const found = [];
      for (const end = performance.now() + ms; performance.now() < end;) {
        const begun = performance.now();
        await client.call("GET", `${PODS}/p-1`);
        found.push(performance.now() - begun);
        await pause(5);
      }
      return found.sort((a, b) => a - b);
    };
    const alone = await delays(2000);
    const header = `authorization: Bearer ${noisy}`;
    const noise = spawn("wrk", [
      "-t1",
      "-c64",
      "-d6s",
      "-H",
      header,
      `${who.url}${PODS}?limit=500`,
    ]);
    await pause(1500);
    const beside = await delays(3500);
    await new Promise((resolve) => noise.once("exit", resolve));
    client.close();
    return { alone: quantile(alone, 0.99), beside: quantile(beside, 0.99) };
  };
  const mine = await measure(ours, ourTokens);
  const other = await measure(theirs, theirTokens);
  const ms = (value) => value && +value.toFixed(1);
  figures.record("GET, p99 ms, alone", ms(mine.alone), ms(other.alone));
  figures.record(
    "GET, p99 ms, beside 64 connections of another user's LISTs",
    ms(mine.beside),
    ms(other.beside),
  );
}

const MAPS = "/api/v1/namespaces/bench/configmaps";
const MAP_COUNT = 50;
/** Changes under way at a time. Each has a connection: none waits in the client. */
const CHANGES_MAX = 64;

const nowMs = () => performance.timeOrigin + performance.now();

/** Writes `perSecond` changes of small ConfigMaps for `seconds`. @returns how many, and when each was acknowledged. */
async function change({ call }, perSecond, seconds) {
  const begun = performance.now();
  const acknowledged = [];
  let done = 0;
  const open = new Set();
  for (let at = 0; at < perSecond * seconds; at++) {
    const dueMs = (at / perSecond) * 1000;
    const aheadMs = dueMs - (performance.now() - begun);
    if (aheadMs > 1) await pause(aheadMs);
    const name = `w-${at % MAP_COUNT}`;
    const t = `${nowMs().toFixed(0)}-${String(at).padStart(7, "0")}`;
    const write = call("PUT", `${MAPS}/${name}`, { metadata: { name }, data: { t } })
      .then(() => {
        done++;
        acknowledged[at] = nowMs();
      })
      .finally(() => open.delete(write));
    open.add(write);
    if (open.size >= CHANGES_MAX) await Promise.race(open);
  }
  await Promise.all(open);
  return { done, seconds: (performance.now() - begun) / 1000, acknowledged };
}

function watchersOf(who, count, protocol, version, isStalled) {
  const target = `${MAPS}?watch=1&resourceVersion=${version}`;
  const stalled = isStalled ? ["stalled"] : [];
  const child = fork("bench/watchers.mjs", [
    who.url,
    who.token,
    target,
    String(count),
    protocol,
    ...stalled,
  ]);
  const answer = () => new Promise((resolve) => child.once("message", resolve));
  const ask = (command) => {
    const answered = answer();
    child.send(command);
    return answered;
  };
  return { ready: answer(), ask, end: () => child.kill() };
}

/** 1,000 watchers of one resource, at a rate of changes. */
async function watch(who, protocol, perSecond, pid) {
  const { metadata } = await who.call("GET", `${MAPS}?limit=1`);
  const group = watchersOf(who, 1000, protocol, metadata.resourceVersion);
  await group.ready;
  const writers = await rawClientOf(new URL(who.url), who.token, CHANGES_MAX);
  await pause(500);
  const { cpu: clientBefore } = await group.ask({ mark: true });
  const before = pid && processorSeconds(pid);
  const { done, seconds, acknowledged } = await change(writers, perSecond, 6);
  const used = pid && (processorSeconds(pid) - before) / seconds;
  let counts;
  for (let tries = 0; tries < 100; tries++) {
    counts = await group.ask({ count: true });
    if (counts.least >= done) break;
    await pause(100);
  }
  const report = await group.ask({ report: acknowledged });
  group.end();
  writers.close();
  const clientUsed =
    (report.cpu.user + report.cpu.system - clientBefore.user - clientBefore.system) / 1e6;
  const missing = done - counts.least;
  return { ...report, missing, rate: done / seconds, used, clientUsed: clientUsed / seconds };
}

async function watches(ours, theirs) {
  for (const who of [ours, theirs])
    if (who)
      await inParallel(MAP_COUNT, 8, (at) =>
        who.call("POST", MAPS, { metadata: { name: `w-${at}` }, data: { t: "0" } }),
      );
  const protocols = option("--protocols")?.split(",") ?? ["h1", "h2"];
  const rates = option("--rates")?.split(",").map(Number) ?? [1, 100, 1000];
  for (const protocol of protocols)
    for (const rate of rates) {
      const mine = await watch(ours, protocol, rate, server.pid);
      const other = theirs && (await watch(theirs, protocol, rate));
      const name = `1000 watchers, ${protocol}, ${rate} changes/s`;
      figures.record(`${name}: p50 ms`, mine.p50, other?.p50);
      figures.record(`${name}: p99 ms`, mine.p99, other?.p99);
      const acknowledged = [mine, other].map((who) => who && +who.acknowledged.p99.toFixed(1));
      figures.record(`${name}: p99 ms after the acknowledgement`, ...acknowledged);
      figures.record(`${name}: watchers' own delay, p99 ms`, +mine.late.toFixed(1));
      figures.record(`${name}: events missing`, mine.missing, other?.missing || undefined);
      figures.record(
        `${name}: changes/s reached`,
        Math.round(mine.rate),
        other && Math.round(other.rate),
      );
      figures.record(`${name}: server's processor, % of a core`, Math.round(mine.used * 100));
      figures.record(
        `${name}: watchers' processor, % of a core`,
        Math.round(mine.clientUsed * 100),
      );
    }
}

/** Memory that 500 watchers cost which never read, while 20,000 changes of 2 kB happen. */
async function stalled(ours) {
  const { metadata } = await ours.call("GET", `${MAPS}?limit=1`);
  const before = residentMb(server.pid);
  const group = watchersOf(ours, 500, "h1", metadata.resourceVersion, true);
  await group.ready;
  const filler = "x".repeat(2000);
  await ours.call("POST", MAPS, { metadata: { name: "big" }, data: { filler } });
  await inParallel(20_000, 16, (at) =>
    ours
      .call(
        "PATCH",
        `${MAPS}/big`,
        { data: { at: String(at) } },
        {
          "content-type": "application/merge-patch+json",
        },
      )
      .catch(() => {}),
  );
  figures.record(
    "memory by 500 stalled watchers and 20,000 changes, MB",
    Math.round(residentMb(server.pid) - before),
  );
  group.end();
}

async function main() {
  const url = option("--reference");
  const token = url && process.argv[process.argv.indexOf("--reference") + 2];
  const firstMs = await startServer();
  console.log(`first start: ready after ${firstMs.toFixed(0)} ms`);
  const ourTokens = await tokens();
  const ours = clientOf(URL_OURS, { token: ourTokens[0] });
  const theirs = url && clientOf(url, { token });
  const theirTokens = theirs && (await tokensOf(theirs));
  if (isWanted("lists") || isWanted("memory") || isWanted("restart") || isWanted("fairness"))
    for (const who of [ours, theirs]) if (who) await fill(who);
  await pause(2000);
  if (isWanted("lists")) lists(ours, theirs);
  if (isWanted("memory")) {
    await pause(10_000);
    const other = url && listenerAt(url);
    figures.record(
      `memory of the server with ${pods} Pods, MB`,
      Math.round(residentMb(server.pid)),
      other && Math.round(residentMb(other)),
    );
  }
  if (isWanted("restart")) {
    // Once more first: the code cache is written ten seconds after a start.
    for (const name of [undefined, `restart with ${pods} Pods: ready after, ms`]) {
      ours.close();
      await stopServer();
      const ms = await startServer();
      if (name) figures.record(name, Math.round(ms));
      await pause(name ? 1000 : 11_000);
    }
    await pause(5000);
    figures.record(`memory after that restart, MB`, Math.round(residentMb(server.pid)));
  }
  const again = clientOf(URL_OURS, { token: ourTokens[0] });
  if (isWanted("fairness")) await fairness(again, theirs, ourTokens, theirTokens ?? []);
  if (isWanted("watch")) await watches(again, theirs);
  if (isWanted("stalled")) await stalled(again);
  if (isWanted("creates")) requests(again, theirs);
  await theirs?.call("DELETE", "/api/v1/namespaces/bench");
  for (const name of theirs ? ["first", "second"] : [])
    await theirs.call(
      "DELETE",
      `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/bench-${name}`,
    );
  figures.append("load");
  await stopServer();
}

process.on("exit", () => {
  if (server?.exitCode === null) server.kill("SIGKILL");
  rmSync(home, { recursive: true, force: true });
});
await main();
process.exit(0);
