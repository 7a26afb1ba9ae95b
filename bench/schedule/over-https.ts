// The whole way over HTTPS: Pods are posted, and counted when a watch shows them bound.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuTimeOf } from "./cpu-time.ts";
import { DEMANDS, inParallel, nodeText, podText } from "./objects.ts";
import { RawConnection, type Target } from "./raw-connection.ts";

const CONNECTIONS = 32;
const PORT = 17_643;
/** Without progress for so long, something is wrong. */
const WAIT_MS = 120_000;

/** Pods a second from the first POST to the last binding seen. */
export interface Throughput {
  readonly podsPerSecond: number;
  /** µs of the server for each Pod: main thread, and all threads. */
  readonly mainUs?: number;
  readonly allUs?: number;
}

/** A server process of its own, in a folder of its own. */
export async function benchOverHttps(
  nodes: number,
  pods: number,
  demand?: string,
): Promise<Throughput> {
  const folder = mkdtempSync(join(tmpdir(), "skiff-bench-"));
  const words = ["server", "--data", folder, "--listen", `127.0.0.1:${PORT}`];
  const flags = ["--pod-cidr", "10.0.0.0/8"];
  const server = spawn(process.execPath, ["bin/skiff.cjs", ...words, ...flags], {
    stdio: "inherit",
  });
  try {
    const target = await ready(folder);
    return await benchTarget(target, nodes, pods, server.pid, demand);
  } finally {
    server.kill();
    await once(server, "exit");
    rmSync(folder, { recursive: true });
  }
}

/** Any server; `pid`: whose processor time counts. What was made stays there. */
export async function benchTarget(
  target: Target,
  nodes: number,
  pods: number,
  pid?: number,
  demand?: string,
): Promise<Throughput> {
  const lanes = Array.from({ length: CONNECTIONS }, () => new RawConnection(target));
  const post = async (lane: number, path: string, body: string): Promise<void> => {
    const status = await lanes[lane]!.ask("POST", path, body);
    if (status > 201) throw new Error(`POST ${path}: ${status}`);
  };
  const namespace = `bench-${process.pid}-${Math.floor(performance.now())}`;
  await post(0, "/api/v1/namespaces", JSON.stringify({ metadata: { name: namespace } }));
  await inParallel(nodes, CONNECTIONS, (index, lane) =>
    post(lane, "/api/v1/nodes", nodeText(`${namespace}-${index}`, index)),
  );
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const { all } = await watchBound(target, path, pods);
  const before = pid === undefined ? undefined : cpuTimeOf(pid);
  const begin = performance.now();
  await inParallel(pods, CONNECTIONS, (index, lane) =>
    post(lane, path, podText(`p${index}`, index, undefined, DEMANDS[demand ?? ""])),
  );
  await all;
  const seconds = (performance.now() - begin) / 1000;
  const after = pid === undefined ? undefined : cpuTimeOf(pid);
  for (const lane of lanes) lane.close();
  return {
    podsPerSecond: Math.round(pods / seconds),
    ...(before && { mainUs: Math.round((after!.main - before.main) / pods) }),
    ...(before && { allUs: Math.round((after!.all - before.all) / pods) }),
  };
}

/** A watch that has begun; `all` resolves when it has shown so many Pods with a node. Nothing else changes them here. */
async function watchBound(
  { url, tls, token }: Target,
  path: string,
  pods: number,
): Promise<{ readonly all: Promise<void> }> {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const request = https.get(new URL(`${path}?watch=1&resourceVersion=0`, url), {
    ...tls,
    headers,
    rejectUnauthorized: false,
  });
  const [answer] = (await once(request, "response")) as [NodeJS.ReadableStream];
  let left = pods;
  let rest = "";
  const all = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${left} Pods have no node`)), WAIT_MS);
    answer.on("data", (bytes: Buffer) => {
      const lines = (rest + bytes.toString("latin1")).split("\n");
      rest = lines.pop()!;
      for (const line of lines) if (line.includes('"nodeName":"')) left--;
      if (left > 0) return;
      clearTimeout(late);
      request.destroy();
      resolve();
    });
    answer.on("error", () => {});
  });
  return { all };
}

async function ready(folder: string): Promise<Target> {
  const url = new URL(`https://127.0.0.1:${PORT}`);
  const read = (name: string): string => readFileSync(join(folder, "pki", name), "utf8");
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (!existsSync(join(folder, "pki/admin.key"))) continue;
    const target = { url, tls: { cert: read("admin.crt"), key: read("admin.key") } };
    const connection = new RawConnection(target);
    const status = await connection.ask("GET", "/readyz").catch(() => 0);
    connection.close();
    if (status === 200) return target;
  }
}
