import { createECDH, createPrivateKey } from "node:crypto";
import type { ApiResponse } from "../../../src/apiserver/api-response.ts";
import type { ApiRequest } from "../../../src/apiserver/request.ts";
import type { Clock } from "../../../src/base/clock.ts";
import type { Logger } from "../../../src/base/logger.ts";
import type { Random } from "../../../src/base/random.ts";
import { SeededRandom } from "../../../src/base/seeded-random.ts";
import { startControlPlane, type ControlPlane } from "../../../src/main/compose-server.ts";
import type { Store } from "../../../src/store/store.ts";
import type { SimDisk } from "../faults/sim-disk.ts";
import { openWorldStore, type DiskWitness } from "../store/world-store.ts";
import type { Endpoint } from "./sim-http.ts";
import { SimProcess, type Wall } from "./sim-process.ts";

/** What a server of the world stands on, and who hears of it. */
export interface SimServerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: SimDisk;
  readonly witness: DiskWitness;
  readonly logger: (process: SimProcess) => Logger;
  /** PEM: signs tokens. */
  readonly accountKey: string;
  /** Controllers and scheduler run in the server's process, on its cache; otherwise somewhere else. */
  readonly runsControllers: boolean;
  /** A start has ended with this error, and is tried again. */
  readonly onFailedStart: (error: string) => void;
}

/** Between a start that failed and the next, in ms. */
const RESTART_MS = 1000;

/** The address and authority that a simulated cluster names; nothing listens there. */
const ADDRESS = { address: "192.0.2.1", port: 6443 };
const AUTHORITY = "-----BEGIN CERTIFICATE-----\nsimulated\n-----END CERTIFICATE-----\n";

/**
 * The process `skiff server` of the world: the real control plane on the simulated store. It can be killed at any
 * moment and started again on its disk.
 */
export class SimServer implements Endpoint {
  readonly name = "server";
  readonly wall: Wall = { setMs: 0 };
  readonly #options: SimServerOptions;
  #process: SimProcess | undefined;
  #plane: ControlPlane | undefined;
  #store: Store | undefined;

  constructor(options: SimServerOptions) {
    this.#options = options;
  }

  get running(): Promise<void> | undefined {
    return this.#plane && this.#process?.ended;
  }

  /** The newest revision that is durable; 0 when the server is down. */
  get revision(): number {
    return this.#store?.revision() ?? 0;
  }

  /** Starts it where it does not run, as a supervisor would: again and again until it does. */
  restart(): void {
    this.start().catch((error: unknown) => {
      this.#options.onFailedStart(String(error));
      this.#end();
      this.#options.clock.after(RESTART_MS, () => this.restart());
    });
  }

  /** Forgets all versions but the newest. */
  compact(): void {
    const compacted = this.#store?.compact(this.#store.revision());
    compacted?.catch(() => {});
  }

  /** A start that the process does not survive never ends. @throws what ends it */
  async start(): Promise<void> {
    if (this.#process?.isAlive) return;
    const { clock, random, disk, witness } = this.#options;
    const process = new SimProcess(this.name, clock, this.wall);
    this.#process = process;
    const opened = openWorldStore({
      ...{ disk, folder: "data", clock: process.clock, isVolatile, witness },
      id: Buffer.from(random.bytes(8)).toString("hex"),
    });
    const store = await process.living(opened);
    const plane = await process.living(this.#startPlane(process, store, random.integer(2 ** 32)));
    this.#store = store;
    this.#plane = plane;
  }

  #startPlane(process: SimProcess, store: Store, seed: number): Promise<ControlPlane> {
    const { logger, accountKey, runsControllers } = this.#options;
    return startControlPlane({
      store,
      clock: process.clock,
      random: new SeededRandom(seed),
      logger: logger(process),
      version: { major: "1", minor: "36", gitVersion: "v1.36.0+skiff.sim" },
      serviceCidr: "10.96.0.0/16",
      podCidr: "10.244.0.0/16",
      nodePodPrefix: 24,
      clusterDns: "10.96.0.10",
      serviceAccountKey: accountKey,
      ca: AUTHORITY,
      definitions: () => "",
      advertised: ADDRESS,
      runsControllers,
      runsScheduler: runsControllers,
      issueSecretToken: ({ secret }) => `token of ${secret}`,
    });
  }

  /** The process ends as by `kill -9`; what it wrote stays, synced or not. */
  kill(): void {
    this.#options.disk.endProcess();
    this.#end();
  }

  /** The whole machine loses its power. */
  losePower(): void {
    this.#options.disk.losePower();
    this.#end();
  }

  #end(): void {
    this.#process?.kill();
    this.#plane = undefined;
    this.#store = undefined;
  }

  async handle(request: ApiRequest): Promise<ApiResponse> {
    return this.#plane!.server.pipeline.handle(request);
  }
}

/** Events and Leases, as in a real server. */
function isVolatile(key: string): boolean {
  return (
    key.startsWith("/registry/core/events/") ||
    key.startsWith("/registry/coordination.k8s.io/leases/")
  );
}

/** A P-256 key out of the seed. */
export function accountKey(random: Random): string {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(random.bytes(32));
  const point = ecdh.getPublicKey();
  const text = (bytes: Buffer): string => bytes.toString("base64url");
  const key = {
    kty: "EC",
    crv: "P-256",
    d: text(ecdh.getPrivateKey()),
    x: text(point.subarray(1, 33)),
    y: text(point.subarray(33)),
  };
  return createPrivateKey({ key, format: "jwk" }).export({ type: "sec1", format: "pem" }) as string;
}
