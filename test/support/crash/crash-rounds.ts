import assert from "node:assert/strict";
import { sleep, type Clock } from "../../../src/base/clock.ts";
import { SeededRandom } from "../../../src/base/seeded-random.ts";
import type { ApiConnection } from "./api-connection.ts";
import { Ledger } from "./ledger.ts";
import { LABEL, LOAD_KINDS, LoadWriter, type LoadKind } from "./load-writer.ts";
import { listAll, ResumingWatcher } from "./resuming-watcher.ts";
import type { ServerProcess } from "./server-process.ts";
import { SharedCounter } from "./shared-counter.ts";

const WRITERS_PER_KIND = 2;
const NAMES_PER_WRITER = 8;
const WATCHERS_PER_KIND = 2;
/** Acknowledged writes of a round before the server is killed. */
const WRITES_MAX = 250;
/** One round in so many kills while the server starts, at most so late; one in so many ends it orderly. */
const EARLY_KILL = { every: 8, afterMsMax: 600 };
const CLEAN_END_EVERY = 10;
/** Events after which a watcher hangs up and resumes. */
const PATIENCE_EVENTS_MAX = 120;

/** What the rounds came to. */
export interface CrashReport {
  readonly rounds: number;
  readonly kills: number;
  readonly killsDuringStart: number;
  readonly cleanEnds: number;
  /** Starts after which watchers may have to list again. */
  readonly uncleanStarts: number;
  readonly acknowledged: number;
  readonly increments: number;
  readonly watchers: number;
  readonly watchEvents: number;
  readonly resumptions: number;
  readonly relists: number;
}

interface Watched {
  readonly kind: LoadKind;
  readonly path: string;
  readonly ledger: Ledger;
  readonly writers: readonly LoadWriter[];
  readonly watchers: readonly ResumingWatcher[];
}

/**
 * A server under load from many connections, ended again and again, and the proof after each end that nothing of what
 * it said was untrue.
 */
export class CrashRounds {
  readonly #server: ServerProcess;
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #counter = new SharedCounter();
  readonly #kinds: readonly Watched[];
  #sequence = 0;
  #counts = { kills: 0, killsDuringStart: 0, cleanEnds: 0, uncleanStarts: 0 };

  constructor(server: ServerProcess, clock: Clock, seed: number) {
    this.#server = server;
    this.#clock = clock;
    this.#random = new SeededRandom(seed);
    this.#kinds = LOAD_KINDS.map((kind) => this.#watched(kind));
  }

  /** @throws {AssertionError} what it says was untrue. */
  async run(rounds: number, tell: (text: string) => void): Promise<CrashReport> {
    this.#server.spawn();
    await this.#server.ready();
    await this.#prepare();
    for (let round = 1; round <= rounds; round++) {
      const isClean = round % CLEAN_END_EVERY === 0;
      await this.#round(isClean);
      await this.#restart(isClean, round % EARLY_KILL.every === 0);
      await this.#settle();
      tell(`round ${round}: ${this.#kinds.map(({ ledger }) => ledger.acknowledged).join(" ")}`);
    }
    await this.#quiet();
    assert.equal(await this.#server.end("SIGTERM"), 0);
    return this.#report(rounds);
  }

  async #prepare(): Promise<void> {
    const connection = this.#server.connect();
    const created = await connection.request("POST", "/api/v1/namespaces", {
      metadata: { name: "load" },
    });
    assert.equal(created.status, 201);
    await this.#counter.create(connection);
    // Pods are let in when their service account is there; the controller may be first.
    await connection.request("POST", "/api/v1/namespaces/load/serviceaccounts", {
      metadata: { name: "default" },
    });
    connection.close();
  }

  /** Load until some writes are acknowledged, then the end, in the middle of others. */
  async #round(isClean: boolean): Promise<void> {
    let left = 1 + this.#random.integer(WRITES_MAX);
    const connections: ApiConnection[] = [];
    const connect = (): ApiConnection => {
      connections.push(this.#server.connect());
      return connections.at(-1)!;
    };
    const over = new AbortController();
    const enough = new Promise<void>((resolve) => {
      over.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    const onWritten = (): void => {
      if (--left === 0) over.abort();
    };
    // A clean end waits for what is under way: only then must watchers be able to resume.
    const isOver = (): boolean => isClean && over.signal.aborted;
    const untilEnd = async (writing: Promise<void>): Promise<void> => {
      await writing;
      assert.ok(over.signal.aborted, "a connection was lost while the server ran");
    };
    const writing = this.#kinds.flatMap(({ writers }) =>
      writers.map((writer) => untilEnd(writer.write(connect(), isOver, onWritten))),
    );
    writing.push(...[0, 1].map(() => untilEnd(this.#counter.increment(connect(), isOver))));
    const ended = new AbortController();
    const watching = this.#kinds.flatMap(({ watchers }) =>
      watchers.map((watcher) => watcher.follow(connect(), ended.signal)),
    );
    const failed = Promise.all([...writing, ...watching]);
    await Promise.race([enough, failed]);
    if (isClean) await Promise.all(writing);
    await this.#end(isClean);
    ended.abort();
    await failed;
    for (const connection of connections) connection.close();
    for (const { watchers } of this.#kinds) for (const watcher of watchers) watcher.checkGapless();
  }

  async #end(isClean: boolean): Promise<void> {
    const status = await this.#server.end(isClean ? "SIGTERM" : "SIGKILL");
    assert.equal(status, isClean ? 0 : null);
    if (isClean) this.#counts.cleanEnds++;
    else this.#counts.kills++;
  }

  async #restart(isClean: boolean, isKilledEarly: boolean): Promise<void> {
    this.#server.spawn();
    if (!isClean || isKilledEarly) this.#counts.uncleanStarts++;
    if (isKilledEarly) {
      await sleep(this.#clock, this.#random.integer(EARLY_KILL.afterMsMax));
      await this.#server.end("SIGKILL");
      this.#counts.killsDuringStart++;
      this.#server.spawn();
    }
    await this.#server.ready();
  }

  /** Nobody writes: what is there must be what was said. */
  async #settle(): Promise<void> {
    const connection = this.#server.connect();
    for (const { path, ledger } of this.#kinds) {
      const { items, revision } = await listAll(connection, path);
      ledger.settle(items, revision);
    }
    await this.#counter.settle(connection);
    connection.close();
  }

  /** Every watcher catches up, and then believes what a list says. */
  async #quiet(): Promise<void> {
    const connection = this.#server.connect();
    for (const { path, ledger, writers, watchers } of this.#kinds) {
      const over = new AbortController();
      const following = watchers.map((watcher) =>
        watcher.follow(this.#server.connect(), over.signal),
      );
      let isWritten = false;
      await writers[0]!.write(
        connection,
        () => isWritten,
        () => (isWritten = true),
      );
      const { items, revision } = await listAll(connection, path);
      ledger.settle(items, revision);
      await Promise.all(watchers.map((watcher) => watcher.reached(revision)));
      const listed = items.map(({ metadata }) => [metadata.name, Number(metadata.resourceVersion)]);
      for (const watcher of watchers) {
        watcher.checkGapless();
        assert.deepEqual([...watcher.known].sort(), listed.sort());
      }
      over.abort();
      await Promise.all(following);
    }
    connection.close();
  }

  #watched(kind: LoadKind): Watched {
    const ledger = new Ledger();
    const path = `${kind.path}?labelSelector=${LABEL}`;
    const next = (): number => ++this.#sequence;
    const patience = (): number => 1 + this.#random.integer(PATIENCE_EVENTS_MAX);
    return {
      kind,
      path,
      ledger,
      writers: Array.from({ length: WRITERS_PER_KIND }, (_, i) => {
        const names = Array.from({ length: NAMES_PER_WRITER }, (__, j) => `w${i}-${j}`);
        return new LoadWriter(kind, ledger, names, this.#random, next);
      }),
      watchers: Array.from(
        { length: WATCHERS_PER_KIND },
        () => new ResumingWatcher(path, ledger, patience),
      ),
    };
  }

  #report(rounds: number): CrashReport {
    const watchers = this.#kinds.flatMap((kind) => kind.watchers);
    const sum = (count: (watcher: ResumingWatcher) => number): number =>
      watchers.reduce((total, watcher) => total + count(watcher), 0);
    return {
      rounds,
      ...this.#counts,
      acknowledged: this.#kinds.reduce((total, { ledger }) => total + ledger.acknowledged, 0),
      increments: this.#counter.acknowledged,
      watchers: watchers.length,
      watchEvents: sum(({ events }) => events),
      resumptions: sum(({ resumptions }) => resumptions),
      relists: sum(({ relists }) => relists),
    };
  }
}
