import type { V1Node } from "../gen/types.ts";
import { Node } from "../api/core/node.ts";
import type { Clock, Timer } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Cache } from "../client/cache.ts";
import { runCommand } from "./command.ts";

/** A failed change is tried again after this many ms. */
const RETRY_MS = 1_000;

/** The way to one node's pods. */
export type Route = `${string} via ${string}` | `blackhole ${string}`;

/**
 * The routes that lead to the pods of all nodes. `self`: this node, whose own range ends here: what no pod has is dropped
 * instead of being sent out and back for ever. Absent: not a node (the server's machine).
 */
export function planRoutes(nodes: readonly V1Node[], self: string | undefined): ReadonlySet<Route> {
  const routes = nodes.flatMap((node): readonly Route[] => {
    const range = node.spec?.podCIDR;
    if (!range) return [];
    if (node.metadata?.name === self) return [`blackhole ${range}`];
    const ip = node.status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
    return ip ? [`${range} via ${ip}`] : [];
  });
  return new Set(routes);
}

/** Keeps the routes of this network namespace in step with the nodes. */
export class NodeRoutes {
  readonly #cache: Cache;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #self: string | undefined;
  #applied: ReadonlySet<Route> = new Set();
  #isBusy = false;
  #isStale = false;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(cache: Cache, clock: Clock, logger: Logger, self?: string) {
    this.#cache = cache;
    this.#clock = clock;
    this.#logger = logger;
    this.#self = self;
  }

  /** Resolves when the routes of all nodes known at the start are there. */
  async start(): Promise<void> {
    this.#cache.onChange(Node, () => void this.#run());
    await this.#cache.sync(Node);
    await this.#run();
  }

  /** Leaves the routes as they are: traffic goes on while a process is replaced. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  async #run(): Promise<void> {
    this.#isStale = true;
    if (this.#isBusy || this.#isClosed) return;
    this.#isBusy = true;
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false;
      await this.#apply(planRoutes(this.#cache.list(Node), this.#self));
    }
    this.#isBusy = false;
  }

  async #apply(wanted: ReadonlySet<Route>): Promise<void> {
    const gone = [...this.#applied].filter((route) => !wanted.has(route));
    const fresh = [...wanted].filter((route) => !this.#applied.has(route));
    if (gone.length + fresh.length === 0) return;
    const lines = [
      ...gone.map((route) => `route del ${route}`),
      ...fresh.map((route) => `route replace ${route}`),
      "",
    ];
    try {
      await runCommand(["ip", "-force", "-batch", "-"], lines.join("\n"));
      this.#applied = wanted;
    } catch (error) {
      this.#logger.warning("routes to nodes failed", { error: String(error) });
      this.#applied = new Set();
      this.#timer?.cancel();
      this.#timer = this.#clock.after(RETRY_MS, () => void this.#run());
    }
  }
}
