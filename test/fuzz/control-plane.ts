import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Logger } from "../../src/base/logger.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { SeededRandom } from "../../src/base/seeded-random.ts";
import { VirtualClock } from "../../src/base/virtual-clock.ts";
import { startControlPlane, type ControlPlane } from "../../src/main/compose-server.ts";
import type { Store } from "../../src/store/store.ts";
import { certificateFor } from "../support/connected-server.ts";
import { SimDisk } from "../sim/faults/sim-disk.ts";
import { openSimStore } from "../sim/store/sim-backend.ts";

/** Everything that `skiff server` puts before its store, in this process and without sockets. */
export interface FuzzedPlane {
  readonly plane: ControlPlane;
  readonly store: Store;
  readonly clock: VirtualClock;
  /** What was logged as an error: a request that ended as nobody meant it to. */
  readonly errors: string[];
  close(): Promise<void>;
}

export async function startFuzzedPlane(): Promise<FuzzedPlane> {
  const random = new SeededRandom(1);
  const clock = new VirtualClock();
  const store = await openSimStore(new SimDisk(random), "data");
  const errors: string[] = [];
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const plane = await startControlPlane({
    store,
    clock,
    random,
    logger: collecting(errors),
    version: { major: "1", minor: "36" },
    serviceCidr: "10.96.0.0/16",
    podCidr: "10.244.0.0/16",
    nodePodPrefix: 24,
    clusterDns: "10.96.0.10",
    serviceAccountKey: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    ca: certificateFor("any").cert,
    kubeletClient: certificateFor("apiserver"),
    definitions: () => readFileSync("dist/openapi/definitions.tsv", "utf8"),
    runsControllers: false,
    runsScheduler: false,
  });
  const close = async (): Promise<void> => {
    await plane.close();
    await store.close();
  };
  return { plane, store, clock, errors, close };
}

function collecting(errors: string[]): Logger {
  const logger: Logger = {
    ...silentLogger,
    error: (message, fields) => errors.push(`${message} ${JSON.stringify(fields)}`),
    with: () => logger,
  };
  return logger;
}
