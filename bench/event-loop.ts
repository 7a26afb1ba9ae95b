// How long single tasks hold the event loop of a server with many objects: `npm run bench:stalls [-- OBJECTS [--why]]`. No sockets: the
// pipeline is called as the transport calls it, on LMDB, with RBAC, controllers and scheduler, and bodies are read as a socket would.
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import type { ApiRequest } from "../src/apiserver/request.ts";
import { silentLogger } from "../src/base/logger.ts";
import { SystemClock } from "../src/base/system-clock.ts";
import { SystemRandom } from "../src/base/system-random.ts";
import { startControlPlane, type ControlPlane } from "../src/main/compose-server.ts";
import { openLmdbStore } from "../src/store/lmdb/open-lmdb-store.ts";
import type { Store } from "../src/store/store.ts";
import { isByteSource } from "../src/wire/http/byte-source.ts";
import { TurnProfile } from "./turn-profile.ts";

const words = process.argv.slice(2);
/** `--only=PART,PART`: of the phases after the start, those whose names have one of these parts. */
const only = words
  .find((word) => word.startsWith("--only="))
  ?.slice("--only=".length)
  .split(",");
const objects = Number(words.find((word) => /^\d+$/.test(word)) ?? 150_000);
/** `--why`: what filled the longest turns; the profiler makes them longer. */
const why = words.includes("--why") ? new TurnProfile() : undefined;
const folder = mkdtempSync(join(tmpdir(), "skiff-stalls-"));
const serviceAccountKey = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ type: "pkcs8", format: "pem" })
  .toString();
const admin = { name: "admin", groups: ["system:masters", "system:authenticated"] };

let store: Store;
let plane: ControlPlane;

async function open(): Promise<void> {
  store = await openLmdbStore({ folder });
  plane = await startControlPlane({
    store,
    clock: new SystemClock(),
    random: new SystemRandom(),
    logger: silentLogger,
    version: {},
    serviceCidr: "10.96.0.0/16",
    podCidr: "10.244.0.0/16",
    nodePodPrefix: 24,
    clusterDns: "10.96.0.10",
    serviceAccountKey,
    ca: "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    definitions: () => readFileSync("dist/openapi/definitions.tsv", "utf8"),
    runsControllers: true,
    runsScheduler: true,
  });
  (plane.server.parts as { authenticators: unknown }).authenticators = [
    { authenticate: () => admin },
  ];
}

async function close(): Promise<void> {
  await plane.close();
  await store.close();
}

function requestOf(method: string, target: string, accept?: string, body?: Buffer): ApiRequest {
  const [path, query] = target.split("?") as [string, string | undefined];
  return {
    method,
    path,
    query: new URLSearchParams(query),
    headers: { "content-type": "application/json", ...(accept && { accept }) },
    body: () => Promise.resolve(body ?? Buffer.alloc(0)),
    remoteAddress: "127.0.0.1",
    signal: new AbortController().signal,
  };
}

/** Calls the server and reads all of the answer, with a turn of the loop between two pieces. @returns its bytes */
async function call(
  method: string,
  target: string,
  accept?: string,
  body?: Buffer,
): Promise<number> {
  const response = await plane.server.pipeline.handle(requestOf(method, target, accept, body));
  if (response.status > 299) throw new Error(`${target}: ${String(response.body)}`);
  if (!isByteSource(response.body)) return response.body.length;
  const source = response.body;
  let wake: () => void = () => {};
  source.onReadable(() => wake());
  for (let bytes = 0; ;) {
    const readable = new Promise<void>((resolve) => (wake = resolve));
    const piece = source.read();
    if (piece === null) return bytes;
    if (piece === undefined) await readable;
    else bytes += piece.length;
    await turn();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let gcMs = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) gcMs = Math.max(gcMs, duration);
}).observe({ entryTypes: ["gc"] });

const delays = monitorEventLoopDelay({ resolution: 1 });
delays.enable();

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

async function phase(name: string, run: () => Promise<unknown>): Promise<void> {
  const isNeeded = name === "create" || name === "start";
  if (only && !isNeeded && !only.some((part) => name.includes(part))) return;
  for (let at = 0; at < 20; at++) await turn();
  why?.start();
  await new Promise((resolve) => setTimeout(resolve, 50));
  delays.reset();
  // Its first tick after a reset does not count.
  await new Promise((resolve) => setTimeout(resolve, 5));
  gcMs = 0;
  const begun = performance.now();
  await run();
  const seconds = (performance.now() - begun) / 1000;
  await new Promise((resolve) => setTimeout(resolve, 20));
  const ms = (ns: number): string => (ns / 1e6).toFixed(1).padStart(8);
  const cells = [
    `longest ${ms(delays.max)} ms`,
    `p99 ${ms(delays.percentile(99))} ms`,
    `longest collection ${gcMs.toFixed(1).padStart(6)} ms`,
    `${seconds.toFixed(2)} s, heap ${megabytes(process.memoryUsage().heapUsed)}, all ${megabytes(process.memoryUsage.rss())}`,
  ];
  console.log(`${name.padEnd(40)} ${cells.join(", ")}`);
  for (const line of (await why?.stop()) ?? []) console.log(line);
}

const pod = (name: string, at: number): Buffer =>
  Buffer.from(
    JSON.stringify({
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
          },
        ],
      },
    }),
  );

async function inParallel(count: number, work: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      await work(next++);
      if (next % 64 === 0) await turn();
    }
  };
  await Promise.all(Array.from({ length: 64 }, worker));
}

const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const PARTIAL = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
const PODS = "/api/v1/namespaces/big/pods";

async function main(): Promise<void> {
  await open();
  await call(
    "POST",
    "/api/v1/namespaces",
    undefined,
    Buffer.from('{"metadata":{"name":"big"},"kind":"Namespace","apiVersion":"v1"}'),
  );
  await phase("create", () =>
    inParallel(objects, (at) => call("POST", PODS, undefined, pod(`p-${at}`, at))),
  );
  await close();
  await phase("start", open);
  await phase("after the start", () => new Promise((resolve) => setTimeout(resolve, 3000)));
  await phase("LIST", () => call("GET", PODS));
  await phase("LIST, label selector", () => call("GET", `${PODS}?labelSelector=app%3Da7`));
  await phase("LIST, label selector again", () => call("GET", `${PODS}?labelSelector=app%3Da8`));
  await phase("LIST, field selector", () => call("GET", `${PODS}?fieldSelector=spec.nodeName%3Dn`));
  await phase("LIST, selector, limit=500", () =>
    call("GET", `${PODS}?limit=500&fieldSelector=spec.nodeName%3Dn`),
  );
  await phase("LIST, Table", () => call("GET", PODS, TABLE));
  await phase("LIST, PartialObjectMetadata", () => call("GET", PODS, PARTIAL));
  await phase("LIST, YAML, limit=5000", () =>
    call("GET", `${PODS}?limit=5000`, "application/yaml"),
  );
  await phase("LIST, pretty, limit=20000", () => call("GET", `${PODS}?limit=20000&pretty=true`));
  await phase("LIST, limit=500, 100 pages", async () => {
    for (let at = 0; at < 100; at++) await call("GET", `${PODS}?limit=500`);
  });
  await phase("16 LISTs at once", () =>
    Promise.all(Array.from({ length: 16 }, () => call("GET", PODS))),
  );
  await phase("WATCH from the beginning", () => call("GET", `${PODS}?watch=1&timeoutSeconds=2`));
  await phase("OpenAPI v2", () => call("GET", "/openapi/v2"));
  await phase("compaction", async () => {
    await store.compact(store.revision());
  });
  await phase("deletecollection, label selector", () =>
    call("DELETE", `${PODS}?labelSelector=app%3Da7&gracePeriodSeconds=0`),
  );
  await phase("deletecollection of a third", () =>
    call(
      "DELETE",
      `${PODS}?labelSelector=${encodeURIComponent(`app in (${Array.from({ length: 17 }, (_, at) => `a${at}`).join(",")})`)}&gracePeriodSeconds=0`,
    ),
  );
  await phase("namespace deletion", async () => {
    await call("DELETE", "/api/v1/namespaces/big");
    while (
      (await plane.server.pipeline.handle(requestOf("GET", "/api/v1/namespaces/big"))).status ===
      200
    )
      await new Promise((resolve) => setTimeout(resolve, 50));
  });
  await close();
}

await main();
rmSync(folder, { recursive: true });
