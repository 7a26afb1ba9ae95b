import type { ApiRequest } from "../../../src/apiserver/request.ts";
import type { ApiResponse } from "../../../src/apiserver/api-response.ts";
import { createLogger, type Logger } from "../../../src/base/logger.ts";
import { SeededRandom } from "../../../src/base/seeded-random.ts";
import { VirtualClock } from "../../../src/base/virtual-clock.ts";
import type { Client } from "../../../src/client/client.ts";
import { HttpTransport } from "../../../src/client/http-transport.ts";
import { SimDisk } from "../faults/sim-disk.ts";
import { SimNetwork } from "../faults/sim-network.ts";
import { ChangeLog, type History, type RuntimeMoment, type WatchRun } from "./history.ts";
import { LoopCalls } from "./loop-calls.ts";
import { SimHttp, type Endpoint } from "./sim-http.ts";
import { CONTROLLERS, SCHEDULER, SimLoops } from "./sim-loops.ts";
import { SimNode } from "./sim-node.ts";
import { SimProcess } from "./sim-process.ts";
import { SimServer, accountKey } from "./sim-server.ts";
import { SimWatcher, type WatchedPart } from "./sim-watcher.ts";
import { BEHAVIOURS, PROGRAM, SHORT } from "../workload/pod-shape.ts";
import { Trace } from "./trace.ts";
import { UserCalls } from "./user-calls.ts";

/** Most nodes of a world: small ones find what large ones find, and cheaper. */
const NODES_MAX = 3;
/** In one world of so many Pods must push each other aside to have room. */
const TIGHT_ONE_OF = 3;
/** The first start of one world of so many is cut off. */
const COLD_ONE_OF = 8;
/** Operations of the disk that such a start still gets through: about what a whole one needs. */
const COLD_OPERATIONS_MAX = 60;
/** A server that does not run by then, in ms of virtual time, never will. */
const START_MS_MAX = 60_000;
/** How late control loops may act that run in the server, in ms: what a call and its commit take. */
const STALE_MS = 1000;
/** The same where they follow over the network: a link that was cut, the pause before the next attempt, what was held back. */
const STALE_APART_MS = 240_000;
/** Images that no world can pull. */
const MISSING_IMAGES = ["missing:1"];

/** A whole cluster in one process: all of its time, chance, disk and network come from one seed. */
export class World {
  readonly clock = new VirtualClock();
  readonly trace = new Trace(this.clock);
  readonly network: SimNetwork;
  readonly disk: SimDisk;
  readonly log: ChangeLog;
  readonly server: SimServer;
  readonly nodes: readonly SimNode[];
  /** Users have deleted everything that was theirs, and made nothing since. */
  isCleared = false;
  /** Somebody's wall clock has shown another time than the others'. */
  clocksWereSet = false;
  /** Absent: controllers and scheduler run in the server. */
  readonly loops: SimLoops | undefined;
  readonly #random: SeededRandom;
  readonly #endpoint: Endpoint;
  readonly #calls: UserCalls;
  readonly #loopCalls = new LoopCalls();
  readonly #watches: WatchRun[] = [];
  readonly #runtimes: RuntimeMoment[] = [];
  readonly #errors: string[] = [];
  #healedAtMs: number | undefined;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const { clock } = this;
    this.log = new ChangeLog(clock, ({ revision, resource, key, object, old }, value) => {
      const what = object ? (old ? "put" : "new") : "del";
      this.trace.add(`${what} ${resource} ${key} ${revision}`, value);
    });
    this.network = new SimNetwork(clock, this.fork());
    this.disk = new SimDisk(this.fork());
    const isApart = this.#random.integer(2) === 0;
    const logger = (process: SimProcess): Logger => this.#logger(process);
    this.server = new SimServer({
      clock,
      random: this.fork(),
      disk: this.disk,
      witness: this.log,
      logger,
      accountKey: accountKey(this.fork()),
      runsControllers: !isApart,
      onFailedStart: (error) => this.trace.add(`the server did not start: ${error}`),
    });
    this.#calls = new UserCalls(clock, this.server, (line) => this.trace.add(line));
    this.#endpoint = this.#edge();
    const { network } = this;
    const server = this.#endpoint;
    const shared = { clock, network, server, logger };
    this.loops = isApart
      ? new SimLoops({ ...shared, random: this.fork(), calls: this.#loopCalls, ca: "" })
      : undefined;
    const isTight = this.#random.integer(TIGHT_ONE_OF) === 0;
    this.nodes = Array.from({ length: 1 + this.#random.integer(NODES_MAX) }, (_, index) => {
      const cpus = (isTight ? 1 : 2) + this.#random.integer(isTight ? 2 : 3);
      return new SimNode({
        ...shared,
        name: `node-${index + 1}`,
        number: index + 1,
        cpus,
        memoryBytes: cpus * 1024 ** 3,
        random: this.fork(),
        onCall: (node, method, outcome) => {
          this.trace.add(`cri ${node.name} ${method} ${outcome}`);
          if (method === "startContainer") void this.#noteRuntimes();
        },
      });
    });
  }

  /** A sequence of its own, so that one part's appetite for chance does not change another's. */
  fork(): SeededRandom {
    return new SeededRandom(this.#random.integer(2 ** 32));
  }

  /** Starts everything; resolves when the nodes are registered. */
  async start(): Promise<void> {
    for (const { runtime } of this.nodes) {
      for (const [name, behaviour] of Object.entries(BEHAVIOURS))
        runtime.behaviours.set(name, behaviour);
      for (const image of MISSING_IMAGES) runtime.pullErrors.set(image, "not found");
    }
    if (this.#random.integer(COLD_ONE_OF) === 0) this.#troubleFirstStart();
    this.server.restart();
    await this.until(() => this.server.running !== undefined, START_MS_MAX);
    this.loops?.start();
    for (const node of this.nodes) node.start();
    const isReady = (): boolean => this.log.present("nodes").length === this.nodes.length;
    await this.until(isReady, 60_000);
  }

  /** The first start of all is cut off somewhere, once or twice. */
  #troubleFirstStart(): void {
    const { disk, server, clock } = this;
    const random = this.fork();
    let cuts = 1 + random.integer(2);
    const cut = (): void => void (disk.faults.operationsLeft = random.integer(COLD_OPERATIONS_MAX));
    disk.onPowerFailure = () => {
      this.trace.add("fault: the first start is cut off");
      if (random.integer(2) === 0) server.kill();
      else server.losePower();
      if (--cuts > 0) cut();
      clock.after(1, () => server.restart());
    };
    cut();
  }

  /** What a user of the cluster calls it through; `number` from 1. */
  user(number: number): Client {
    const party = `user-${number}`;
    return this.#client(new SimProcess(party, this.clock, { setMs: 0 }), party);
  }

  /** Begins to follow `part`, for ever. */
  watch(part: WatchedPart): void {
    const process = new SimProcess(part.name, this.clock, { setMs: 0 });
    const note = (line: string): void => this.trace.add(`watch ${line}`);
    const client = this.#client(process, part.name);
    const watcher = new SimWatcher(part, client, process, this.fork(), this.#watches, note);
    void watcher.run();
  }

  /** Everything runs and is fine from now on; what containers do they do for ever. */
  heal(): void {
    this.#healedAtMs = this.clock.monotonic();
    Object.assign(this.disk.faults, { operationsLeft: Infinity, capacityBytes: Infinity });
    this.server.restart();
    this.loops?.start();
    for (const { runtime } of this.nodes)
      for (const name of Object.keys(BEHAVIOURS))
        if (name !== SHORT && name !== PROGRAM) runtime.behaviours.delete(name);
    for (const node of this.nodes) node.start();
  }

  /** Everybody who talks to the server over the network. */
  get parties(): readonly string[] {
    const loops = this.loops ? [CONTROLLERS, SCHEDULER] : [];
    return [...this.nodes.map(({ name }) => name), ...loops];
  }

  /** Moves time until `promise` is settled. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = promise.finally(() => (isSettled = true));
    settled.catch(() => {});
    await this.clock.advance(0);
    while (!isSettled) if (!(await this.clock.step())) throw new Error("the world stands still");
    return settled;
  }

  /** Moves time until `isTrue`, `limitMs` at most. @returns whether it became true. */
  async until(isTrue: () => boolean, limitMs: number): Promise<boolean> {
    const end = this.clock.monotonic() + limitMs;
    await this.clock.advance(0);
    while (!isTrue()) {
      if (this.clock.monotonic() >= end) return false;
      await this.clock.step();
    }
    return true;
  }

  /** Everything so far, for checkers. */
  async history(): Promise<History> {
    await this.#noteRuntimes();
    const { changes, lost } = this.log;
    const isApart = this.loops !== undefined;
    return {
      changes,
      lost,
      writes: this.#calls.writes,
      reads: this.#calls.reads,
      watches: this.#watches,
      runtimes: this.#runtimes,
      errors: this.#errors,
      ...(isApart && { heard: this.#loopCalls.heard }),
      facts: {
        staleMs: isApart ? STALE_APART_MS : STALE_MS,
        missingImages: MISSING_IMAGES,
        isCleared: this.isCleared,
        clocksWereSet: this.clocksWereSet,
        ...(this.#healedAtMs !== undefined && { healedAtMs: this.#healedAtMs }),
      },
    };
  }

  #client(process: SimProcess, party: string): Client {
    const identity = { commonName: party, organizations: ["system:masters"] };
    return new HttpTransport(
      new SimHttp(process, party, this.network, this.#endpoint, identity),
      party,
    );
  }

  /** The server as the network sees it, with what users ask it written down. */
  #edge(): Endpoint {
    const { server } = this;
    const calls = this.#calls;
    return {
      name: server.name,
      get running() {
        return server.running;
      },
      handle: (request: ApiRequest, party: string): Promise<ApiResponse> =>
        party.startsWith("user-") ? calls.handle(request, party) : server.handle(request),
    };
  }

  async #noteRuntimes(): Promise<void> {
    const running = (await Promise.all(this.nodes.map((node) => node.running()))).flat();
    const sandboxes = (await Promise.all(this.nodes.map((node) => node.sandboxes()))).flat();
    const { revision } = this.log;
    this.#runtimes.push({ atMs: this.clock.monotonic(), revision, running, sandboxes });
  }

  #logger(process: SimProcess): Logger {
    const sink = (line: string): void => {
      if (!process.isAlive) return;
      const [, ...words] = line.split(" ");
      const text = `log ${process.name} ${words.join(" ")}`;
      this.trace.add(text);
      if (words[0] === "error") this.#errors.push(text);
    };
    return createLogger(process.clock, sink, "info");
  }
}
