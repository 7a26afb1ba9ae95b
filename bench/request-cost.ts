// What one request costs the main thread, in µs of CPU time: `npm run bench:requests [-- ROUNDS]`. No sockets: the pipeline is
// called as the transport calls it, on LMDB, with all default admission, RBAC and controllers; noise of other processes does not count.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { generateKeyPairSync } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../src/base/logger.ts";
import { SystemClock } from "../src/base/system-clock.ts";
import { SystemRandom } from "../src/base/system-random.ts";
import { startControlPlane } from "../src/main/compose-server.ts";
import { openLmdbStore } from "../src/store/lmdb/open-lmdb-store.ts";
import type { ApiRequest } from "../src/apiserver/request.ts";

const rounds = Number(process.argv[2] ?? 6);
const PER_ROUND = 4000;
const IN_FLIGHT = 32;

const cpuNs = (): number =>
  Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[0]);

const folder = mkdtempSync(join(tmpdir(), "skiff-cost-"));
const store = await openLmdbStore({ folder });
const plane = await startControlPlane({
  store,
  clock: new SystemClock(),
  random: new SystemRandom(),
  logger: silentLogger,
  version: {},
  serviceCidr: "10.96.0.0/16",
  podCidr: "10.244.0.0/16",
  nodePodPrefix: 24,
  clusterDns: "10.96.0.10",
  serviceAccountKey: generateKeyPairSync("ec", { namedCurve: "P-256" })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString(),
  ca: "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
  definitions: () => "{}",
  runsControllers: true,
  runsScheduler: true,
});
const admin = { name: "admin", groups: ["system:masters", "system:authenticated"] };
(plane.server.parts as { authenticators: unknown }).authenticators = [
  { authenticate: () => admin },
];

function requestOf(method: string, path: string, body?: Buffer): ApiRequest {
  return {
    method,
    path,
    query: new URLSearchParams(),
    headers: { "content-type": "application/json", authorization: "Bearer x" },
    body: () => Promise.resolve(body ?? Buffer.alloc(0)),
    remoteAddress: "127.0.0.1",
    signal: undefined as never,
  };
}

const podSpec = {
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
};
const pod = (name: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, labels: { app: "bench", tier: "web" } },
      spec: podSpec,
    }),
  );
const map = (name: string): Buffer =>
  Buffer.from(
    `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}"},"data":{"a":"1","b":"2"}}`,
  );

async function round(name: string, ask: (index: number) => ApiRequest): Promise<number> {
  let next = 0;
  const before = cpuNs();
  const worker = async (): Promise<void> => {
    while (next < PER_ROUND) {
      const response = await plane.server.pipeline.handle(ask(next++));
      if (response.status > 201) throw new Error(`${name}: ${String(response.body)}`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return (cpuNs() - before) / PER_ROUND / 1000;
}

const NS = "/api/v1/namespaces/default";
await new Promise((resolve) => setTimeout(resolve, 1500));
for (let i = 0; i < rounds; i++) {
  const pods = await round("pod", (at) => requestOf("POST", `${NS}/pods`, pod(`p-${i}-${at}`)));
  const maps = await round("map", (at) =>
    requestOf("POST", `${NS}/configmaps`, map(`m-${i}-${at}`)),
  );
  const gets = await round("get", () => requestOf("GET", `${NS}/pods/p-${i}-5`));
  console.log(
    `round ${i}: Pod create ${pods.toFixed(0)}, ConfigMap create ${maps.toFixed(0)}, GET ${gets.toFixed(0)} µs`,
  );
}
await plane.close();
await store.close();
rmSync(folder, { recursive: true });
