// Measures a fresh cluster of this build: `npm run bench [-- --reference URL TOKEN]`. With a reference (another API server,
// nothing scheduled on it), the API's figures are taken there in the same run, and the ratio is printed. Every run appends
// one line to bench/results.ndjson.
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testImageArchive } from "../tools/make-test-images.mjs";
import { namespaceDeletion, podsAtOnce, singlePod } from "./pod-life.mjs";

const home = mkdtempSync(join(tmpdir(), "skiff-bench-"));
const kubeconfig = join(home, "kubeconfig");
const env = { ...process.env, SKIFF_HOME: join(home, "state"), KUBECONFIG: kubeconfig };
const skiff = (...args) =>
  execFileSync(process.execPath, ["bin/skiff.cjs", ...args, "--name", "bench"], {
    env,
    encoding: "utf8",
  });
const kubectl = (...args) => execFileSync("kubectl", args, { env, encoding: "utf8" });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const flag = process.argv.indexOf("--reference");
const reference =
  flag < 0 ? undefined : { url: process.argv[flag + 1], token: process.argv[flag + 2] };
const figures = {};

function record(name, ours, theirs) {
  figures[name] =
    theirs === undefined
      ? { ours }
      : { ours, reference: theirs, ratio: +(ours / theirs).toFixed(2) };
  const beside =
    theirs === undefined ? "" : `   reference ${theirs}   ratio ${(ours / theirs).toFixed(2)}`;
  console.log(`${name.padEnd(44)} ${String(ours).padStart(9)}${beside}`);
}

/** Requests per second that wrk measured. */
function wrk(connections, seconds, args) {
  const all = ["-t1", `-c${connections}`, `-d${seconds}s`, ...args];
  const { stdout } = spawnSync("wrk", all, { encoding: "utf8" });
  return Math.round(Number(/Requests\/sec:\s*([\d.]+)/.exec(stdout)?.[1] ?? 0));
}

function client({ url, token }) {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 32 });
  const call = (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const request = https.request(
        new URL(path, url),
        { method, agent, headers, rejectUnauthorized: false },
        (answer) => {
          let text = "";
          answer.on("data", (part) => (text += part));
          answer.on("end", () =>
            answer.statusCode < 300
              ? resolve(JSON.parse(text))
              : reject(new Error(`${answer.statusCode} ${text}`)),
          );
        },
      );
      request.on("error", reject);
      request.end(body && JSON.stringify(body));
    });
  return { call, url, token };
}

function throughput(server, namespace) {
  const lua = (kind, prefix) => [
    "-s",
    "bench/create.lua",
    server.url,
    "--",
    kind,
    namespace,
    prefix,
    server.token,
  ];
  const found = {};
  found["Pod creates/s, 1 connection"] = wrk(1, 5, lua("pod", "a"));
  found["Pod creates/s, 32 connections"] = wrk(32, 5, lua("pod", "b"));
  found["ConfigMap creates/s, 32 connections"] = wrk(32, 5, lua("cm", "c"));
  const one = `${server.url}/api/v1/namespaces/${namespace}/pods/b-0-5`;
  found["GET/s, 32 connections"] = wrk(32, 4, ["-H", `authorization: Bearer ${server.token}`, one]);
  return found;
}

/** Memory in MB and CPU ticks of the cluster's own processes; containerd and its shims not counted. */
function usage() {
  const { processes } = JSON.parse(
    spawnSync(process.execPath, ["bin/skiff.cjs", "status", "-o", "json", "--name", "bench"], {
      env,
      encoding: "utf8",
    }).stdout,
  );
  let megabytes = 0;
  let ticks = 0;
  for (const pid of Object.values(processes)) {
    megabytes +=
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return { megabytes, ticks };
}

async function main() {
  const cold = JSON.parse(skiff("start", "--output", "json", "--kubeconfig", kubeconfig));
  record("cold start: API ready, ms", cold.apiReadyMs);
  record("cold start: node Ready and DNS, ms", cold.clusterReadyMs);
  // Start-up is over by then: the code cache is written 10 s after the start, and V8 has collected what that left.
  await pause(30_000);
  const before = usage();
  await pause(30_000);
  const after = usage();
  record("idle memory, MB", Math.round(after.megabytes));
  record("idle CPU, % of a core", +(((after.ticks - before.ticks) / 100 / 30) * 100).toFixed(2));
  skiff("image", "load", await testImageArchive("busybox"));
  kubectl(
    "create",
    "clusterrolebinding",
    "bench",
    "--clusterrole=cluster-admin",
    "--serviceaccount=default:default",
  );
  kubectl("create", "namespace", "bench");
  const token = kubectl("create", "token", "default", "--duration=1h").trim();
  const url = kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}").trim();
  const ours = client({ url, token });
  record("Pod create to Ready, ms, median of 10", await singlePod(ours, "default", 10));
  record("30 Pods at once, ms", await podsAtOnce(ours, "default", 30));
  record("namespace of 40 Pods deleted, ms", await namespaceDeletion(ours, "doomed", 40));
  const theirs = reference && client(reference);
  await theirs?.call("POST", "/api/v1/namespaces", { metadata: { name: `bench-${process.pid}` } });
  await pause(1000);
  const found = throughput(ours, "bench");
  const beside = theirs ? throughput(theirs, `bench-${process.pid}`) : {};
  for (const [name, number] of Object.entries(found)) record(name, number, beside[name]);
  record("memory after the load, MB", Math.round(usage().megabytes));
  skiff("stop");
  const warm = JSON.parse(skiff("start", "--output", "json", "--kubeconfig", kubeconfig));
  record("restart with this state: API ready, ms", warm.apiReadyMs);
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const line = { at: new Date().toISOString().slice(0, 10), commit, figures };
  appendFileSync("bench/results.ndjson", `${JSON.stringify(line)}\n`);
}

try {
  await main();
} finally {
  skiff("delete", "--kubeconfig", kubeconfig);
  rmSync(home, { recursive: true, force: true });
}
