import { sleep } from "../../../src/base/clock.ts";
import type { Kind } from "../../../src/api/machinery/kind.ts";
import type { KubeObject } from "../../../src/api/machinery/object.ts";
import { isStatusError } from "../../../src/api/machinery/status-error.ts";
import type { Random } from "../../../src/base/random.ts";
import type { Client, ListOptions } from "../../../src/client/client.ts";
import type { WatchRecord, WatchRun } from "./history.ts";
import type { SimProcess } from "./sim-process.ts";

/** Part of one kind, and the same as a predicate of the test's own. */
export interface WatchedPart {
  readonly name: string;
  readonly kind: Kind;
  /** As in {@link WatchRun}. */
  readonly resource: string;
  readonly options: Pick<ListOptions, "namespace" | "labelSelector" | "fieldSelector">;
  readonly selects: (object: KubeObject) => boolean;
}

/** Between attempts that failed, in ms. */
const RETRY_MS = 300;
/** A watch is broken off by its own client after so long, in ms. */
const BREAK_MS_MAX = 40_000;

/** Follows one part by list and watch, breaks off and resumes by chance, and writes down all that it is told. */
export class SimWatcher {
  readonly #part: WatchedPart;
  readonly #client: Client;
  readonly #process: SimProcess;
  readonly #random: Random;
  readonly #runs: WatchRun[];
  readonly #note: (line: string) => void;

  constructor(
    part: WatchedPart,
    client: Client,
    process: SimProcess,
    random: Random,
    runs: WatchRun[],
    note: (line: string) => void,
  ) {
    this.#part = part;
    this.#client = client;
    this.#process = process;
    this.#random = random;
    this.#runs = runs;
    this.#note = note;
  }

  /** Goes on until the process ends. */
  async run(): Promise<void> {
    const { clock } = this.#process;
    for (;;) {
      const run = await this.#list().catch(() => undefined);
      if (run) await this.#follow(run);
      await sleep(clock, RETRY_MS);
    }
  }

  async #list(): Promise<WatchRun & { readonly events: WatchRecord[] }> {
    const { name, kind, resource, options, selects } = this.#part;
    const items: KubeObject[] = [];
    const limit = this.#random.integer(2) === 0 ? {} : { limit: 1 + this.#random.integer(4) };
    let page = await this.#client.list(kind, { ...options, ...limit });
    items.push(...page.items);
    while (page.continue !== undefined) {
      page = await this.#client.list(kind, { ...options, ...limit, continue: page.continue });
      items.push(...page.items);
    }
    const listRevision = Number(page.resourceVersion);
    this.#note(`${name} list ${listRevision} ${items.length}`);
    const events: WatchRecord[] = [];
    const run = { watcher: name, resource, selects, listRevision, items, events, isOver: false };
    this.#runs.push(run);
    return run;
  }

  /** Watches from where it stands until the server has forgotten that. */
  async #follow(run: WatchRun & { readonly events: WatchRecord[] }): Promise<void> {
    let from = run.listRevision;
    const seen = (record: WatchRecord): void => {
      run.events.push(record);
      from = Math.max(from, record.revision);
    };
    while (!run.isOver) {
      try {
        await this.#watch(String(from), seen);
      } catch (error) {
        if (isStatusError(error, "Expired") || isStatusError(error, "Gone")) run.isOver = true;
      }
      await sleep(this.#process.clock, RETRY_MS);
    }
    this.#note(`${this.#part.name} expired at ${from}`);
  }

  async #watch(resourceVersion: string, seen: (record: WatchRecord) => void): Promise<void> {
    const { name, kind, options } = this.#part;
    const stop = new AbortController();
    const lateMs = 1 + this.#random.integer(BREAK_MS_MAX);
    const timer = this.#process.clock.after(lateMs, () => stop.abort(new Error("enough")));
    const bookmarks = this.#random.integer(2) === 0;
    try {
      const watching = { ...options, resourceVersion, bookmarks, signal: stop.signal };
      for await (const event of this.#client.watch(kind, watching)) {
        const { type } = event;
        if (type === "BOOKMARK") seen({ type, revision: Number(event.resourceVersion) });
        else {
          const { object } = event;
          const revision = Number(object.metadata?.resourceVersion);
          seen({ type, revision, object });
          this.#note(`${name} ${type} ${object.metadata?.name} ${revision}`);
        }
      }
    } finally {
      timer.cancel();
    }
  }
}
