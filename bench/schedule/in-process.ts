// A whole control plane in this process, on LMDB, without sockets: what the pipeline, the scheduler and the controllers cost.
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../src/base/logger.ts";
import { SystemClock } from "../../src/base/system-clock.ts";
import { SystemRandom } from "../../src/base/system-random.ts";
import { startControlPlane, type ControlPlane } from "../../src/main/compose-server.ts";
import { openLmdbStore } from "../../src/store/lmdb/open-lmdb-store.ts";

/** A plane that may be asked anything. */
export interface BenchPlane {
  readonly plane: ControlPlane;
  /** Through the whole pipeline; `path` may have a query. @throws {Error} the answer was no success. */
  ask(method: string, path: string, body?: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts one in a folder of its own; `runsLoops`: with controllers and scheduler. */
export async function startBenchPlane(runsLoops = true): Promise<BenchPlane> {
  const folder = mkdtempSync(join(tmpdir(), "skiff-bench-"));
  const isVolatile = (key: string): boolean =>
    key.startsWith("/registry/core/events/") || key.startsWith("/registry/coordination.k8s.io/");
  const store = await openLmdbStore({ folder, isVolatile });
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const plane = await startControlPlane({
    store,
    clock: new SystemClock(),
    random: new SystemRandom(),
    logger: silentLogger,
    version: {},
    serviceCidr: "10.96.0.0/16",
    podCidr: "10.0.0.0/8",
    nodePodPrefix: 24,
    clusterDns: "10.96.0.10",
    serviceAccountKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    ca: "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    definitions: () => "{}",
    runsControllers: runsLoops,
    runsScheduler: runsLoops,
  });
  const admin = { name: "admin", groups: ["system:masters", "system:authenticated"] };
  (plane.server.parts as { authenticators: unknown }).authenticators = [
    { authenticate: () => admin },
  ];
  return {
    plane,
    async ask(method, address, body = "") {
      const [path = "", query] = address.split("?");
      const response = await plane.server.pipeline.handle({
        method,
        path,
        query: new URLSearchParams(query),
        headers: { "content-type": "application/json", authorization: "Bearer x" },
        body: () => Promise.resolve(Buffer.from(body)),
        remoteAddress: "127.0.0.1",
        signal: undefined as never,
      });
      if (response.status > 201) throw new Error(`${method} ${path}: ${String(response.body)}`);
    },
    async close() {
      await plane.close();
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}
