import type { Clock } from "../../../src/base/clock.ts";
import type { Logger } from "../../../src/base/logger.ts";
import type { Random } from "../../../src/base/random.ts";
import { SeededRandom } from "../../../src/base/seeded-random.ts";
import { ListWatchCache } from "../../../src/client/list-watch-cache.ts";
import type { UserInfo } from "../../../src/apiserver/request.ts";
import {
  controllerUser,
  runControllers,
  runScheduler,
  schedulerUser,
  type LoopOptions,
} from "../../../src/main/compose-server.ts";
import { LoopCalls } from "./loop-calls.ts";
import { SimHttp, type Endpoint, type StreamNetwork } from "./sim-http.ts";
import { SimProcess, type Wall } from "./sim-process.ts";
import { SOUND_WATCHES, UnsteadyWatches, type WatchFaults } from "./unsteady-watches.ts";

/** The processes of control loops, where they run apart. */
export const CONTROLLERS = "controllers";
export const SCHEDULER = "scheduler";

/** What control loops apart from the server stand on. */
export interface SimLoopsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly network: StreamNetwork;
  readonly server: Endpoint;
  readonly calls: LoopCalls;
  readonly logger: (process: SimProcess) => Logger;
  readonly ca: string;
}

/**
 * Controllers and scheduler in processes of their own, each on caches that follow the server over the network: how they
 * run beside a second server, and where every staleness is possible.
 */
export class SimLoops {
  readonly wall: Wall = { setMs: 0 };
  readonly watchFaults: WatchFaults = { ...SOUND_WATCHES };
  readonly #options: SimLoopsOptions;
  readonly #processes = new Map<string, SimProcess>();

  constructor(options: SimLoopsOptions) {
    this.#options = options;
  }

  /** Starts what does not run. */
  start(): void {
    this.#start(CONTROLLERS, controllerUser, (options, client, cache) => {
      runControllers(options, client, cache);
    });
    this.#start(SCHEDULER, schedulerUser, (options, client, cache) => {
      void runScheduler(options, client, cache);
    });
  }

  get calls(): LoopCalls {
    return this.#options.calls;
  }

  kill(): void {
    for (const process of this.#processes.values()) process.kill();
  }

  #start(
    name: string,
    user: UserInfo,
    run: (options: LoopOptions, client: UnsteadyWatches, cache: ListWatchCache) => void,
  ): void {
    if (this.#processes.get(name)?.isAlive) return;
    const { clock: base, random, network, server, calls, ca } = this.#options;
    const process = new SimProcess(name, base, this.wall);
    this.#processes.set(name, process);
    const own = new SeededRandom(random.integer(2 ** 32));
    const logger = this.#options.logger(process);
    const { clock } = process;
    const identity = { commonName: user.name, organizations: user.groups };
    const http = calls.of(process, new SimHttp(process, name, network, server, identity));
    const chance = new SeededRandom(random.integer(2 ** 32));
    const client = new UnsteadyWatches(http, name, clock, chance, this.watchFaults);
    const cache = new ListWatchCache(client, clock, own, logger, { freezes: true });
    const options: LoopOptions = {
      ...{ clock, random: own, logger, ca, podCidr: "10.244.0.0/16", nodePodPrefix: 24 },
      // A signature would be another one in each run.
      issueSecretToken: ({ secret }) => `token of ${secret}`,
    };
    run(options, client, cache);
  }
}
