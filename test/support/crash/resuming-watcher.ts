import assert from "node:assert/strict";
import {
  NoAnswer,
  type ApiConnection,
  type StoredObject,
  type WatchLine,
} from "./api-connection.ts";
import { versionOf, type Ledger, type Version } from "./ledger.ts";

/** What a list answers. */
export interface ObjectList {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly StoredObject[];
}

/** Objects of one page. Small, so that a list takes several. */
const PAGE_OBJECTS = 7;

/** All objects at `path`, which has a query already, page by page, at one revision. */
export async function listAll(
  connection: ApiConnection,
  path: string,
): Promise<{ readonly items: readonly StoredObject[]; readonly revision: number }> {
  const items: StoredObject[] = [];
  for (let next = ""; ;) {
    const query = `&limit=${PAGE_OBJECTS}${next && `&continue=${encodeURIComponent(next)}`}`;
    const { status, body } = await connection.request<ObjectList>("GET", path + query);
    assert.equal(status, 200, JSON.stringify(body));
    items.push(...body.items);
    next = body.metadata.continue ?? "";
    if (!next) return { items, revision: Number(body.metadata.resourceVersion) };
  }
}

/**
 * Lists once, then watches from the last revision it was told, over all crashes; lists again only after a 410.
 *
 * Must hold: every event is a step from what it knows (gapless, unique), in rising order, and the same for all watchers.
 */
export class ResumingWatcher {
  readonly #path: string;
  readonly #ledger: Ledger;
  /** How many events it takes before it hangs up and resumes. */
  readonly #patience: () => number;
  readonly #known = new Map<string, Version>();
  /** Last revision it was told. */
  #revision = 0;
  #mustList = true;
  /** Where the current stretch without a list began, and what came since. */
  #since = 0;
  #events: string[] = [];
  #heard: (() => void)[] = [];
  relists = 0;
  resumptions = 0;
  events = 0;

  constructor(path: string, ledger: Ledger, patience: () => number) {
    this.#path = path;
    this.#ledger = ledger;
    this.#patience = patience;
  }

  get revision(): number {
    return this.#revision;
  }

  /** What it believes to be there: name → revision. */
  get known(): ReadonlyMap<string, number> {
    return new Map([...this.#known].map(([name, { revision }]) => [name, revision]));
  }

  /** Watches until the server is gone or `signal` says so. */
  async follow(connection: ApiConnection, signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) await this.#once(connection, signal);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
  }

  /** Resolves when it was told of `revision` or a later one. */
  async reached(revision: number): Promise<void> {
    while (this.#revision < revision)
      await new Promise<void>((resolve) => this.#heard.push(resolve));
  }

  /** Compares what came since the last list with all that anybody was told. @throws {AssertionError} a gap. */
  checkGapless(): void {
    assert.deepEqual(this.#events, this.#ledger.changes(this.#since, this.#revision));
  }

  async #once(connection: ApiConnection, signal: AbortSignal): Promise<void> {
    if (this.#mustList) await this.#list(connection);
    const query = `&watch=1&allowWatchBookmarks=1&resourceVersion=${this.#revision}`;
    let left = this.#patience();
    this.resumptions++;
    for await (const line of connection.watch(this.#path + query, signal)) {
      if (line.type === "ERROR") {
        assert.equal(line.object.code, 410, JSON.stringify(line.object));
        this.#mustList = true;
        return;
      }
      this.#hear(line);
      if (--left <= 0) return;
    }
    // Ended by the other side or by the signal: the next request tells.
  }

  async #list(connection: ApiConnection): Promise<void> {
    const { items, revision } = await listAll(connection, this.#path);
    this.#known.clear();
    for (const item of items) this.#known.set(item.metadata.name, versionOf(item));
    this.#events = [];
    this.#since = this.#revision = revision;
    this.#mustList = false;
    this.relists++;
    this.#wake();
  }

  #hear({ type, object }: WatchLine): void {
    const { name } = object.metadata;
    const version = versionOf(object);
    assert.ok(
      version.revision > this.#revision ||
        (type === "BOOKMARK" && version.revision === this.#revision),
      `${type} ${name} ${version.revision} came after ${this.#revision}`,
    );
    this.#revision = version.revision;
    if (type !== "BOOKMARK") this.#step(type, name, version);
    this.#wake();
  }

  #step(type: string, name: string, version: Version): void {
    const known = this.#known.get(name);
    const kind = type === "DELETED" ? "delete" : "put";
    assert.equal(known !== undefined, type !== "ADDED", `${type} ${name}, known: ${!!known}`);
    this.#ledger.saw(name, version.revision, kind, version.sequence);
    this.#events.push(`${version.revision} ${kind} ${name} ${version.sequence}`);
    this.events++;
    if (kind === "delete") this.#known.delete(name);
    else this.#known.set(name, version);
  }

  #wake(): void {
    const heard = this.#heard;
    this.#heard = [];
    for (const resolve of heard) resolve();
  }
}
