import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import type { Random } from "../../../src/base/random.ts";
import { SeededRandom } from "../../../src/base/seeded-random.ts";
import { openLmdbStore } from "../../../src/store/lmdb/open-lmdb-store.ts";
import type { Store } from "../../../src/store/store.ts";
import { isVolatileKey, valueOf, type Acknowledged } from "./power-load.ts";
import { FATES, PowerLossDisk, type Fate } from "./power-loss-disk.ts";
import { isTable, type TracedCall } from "./traced-calls.ts";

/** key → sequence of its newest version. */
type State = ReadonlyMap<string, number>;

/** One moment at which the power goes, and what that leaves. */
interface Cut {
  readonly line: number;
  readonly fate: Fate;
  readonly files: ReadonlyMap<string, Buffer>;
  /** Commits that were acknowledged before. */
  readonly acknowledged: number;
}

/** What was tried. */
export interface Verified {
  readonly calls: number;
  readonly cuts: number;
  /** Cuts that left the durable file ahead of what was acknowledged. */
  readonly ahead: number;
}

/** Lines of stale lock files that one cut in so many finds. */
const LOCK_FILES = ["none", "empty", "stale"] as const;

/**
 * Cuts the power after the begin and the return of each traced call, and checks what the store makes of what is left.
 *
 * Must hold: it opens; durable keys are as after one commit that is not before the last acknowledged one; volatile keys
 * are as after some commit; values are right; revisions go on above every acknowledged one; it takes a commit.
 */
export class PowerVerifier {
  readonly #calls: readonly TracedCall[];
  readonly #commits: readonly Acknowledged[];
  readonly #durable: History;
  readonly #volatile: History;
  readonly #random: Random;
  readonly #place: string;
  readonly #note: (text: string) => void;
  /** Where copies of lock files lie, as a name before `.durable-lock`. */
  readonly #stale: string;

  constructor(
    calls: readonly TracedCall[],
    where: { readonly place: string; readonly stale: string; readonly seed: number },
    note: (text: string) => void,
  ) {
    this.#calls = calls;
    this.#commits = calls.flatMap((call) =>
      call.kind === "mark" ? [JSON.parse(call.text) as Acknowledged] : [],
    );
    this.#durable = new History(this.#commits, (key) => !isVolatileKey(key));
    this.#volatile = new History(this.#commits, isVolatileKey);
    this.#random = new SeededRandom(where.seed);
    this.#place = where.place;
    this.#stale = where.stale;
    this.#note = note;
  }

  /** Tries `most` cuts, evenly drawn by the seed; all of them: Infinity. @throws {AssertionError} naming the cut. */
  async run(most: number): Promise<Verified> {
    const all = [...this.#moments()].length * FATES.length;
    let [cuts, ahead] = [0, 0];
    for (const moment of this.#moments())
      for (const fate of FATES) {
        if (this.#random.integer(all) >= most) continue;
        const files = moment.disk.after(fate, this.#random);
        if (await this.#check({ ...moment, fate, files })) ahead++;
        cuts++;
      }
    return { calls: this.#calls.length, cuts, ahead };
  }

  /** The disk after each line of the trace that touches it; one object that moves on. */
  *#moments(): Generator<{ line: number; acknowledged: number; disk: PowerLossDisk }> {
    const disk = new PowerLossDisk();
    const ends = new Map(this.#calls.map((call) => [call.begin, call.end]));
    const events = this.#calls
      .flatMap((call) => [
        { line: call.begin, isEnd: false, call },
        { line: call.end, isEnd: true, call },
      ])
      .sort((a, b) => a.line - b.line || Number(a.isEnd) - Number(b.isEnd));
    let acknowledged = 0;
    for (const { line, isEnd, call } of events) {
      if (isEnd) disk.end(call, (write) => ends.get(write)!);
      else disk.begin(call);
      if (call.kind === "mark" && !isEnd) acknowledged++;
      yield { line, acknowledged, disk };
    }
  }

  /** @returns whether more than what was acknowledged is there. */
  async #check(cut: Cut): Promise<boolean> {
    const name = `power lost after line ${cut.line}, unsynced writes: ${cut.fate}`;
    const folder = `${this.#place}/cut/new/store`;
    this.#note(name);
    this.#lay(cut, folder);
    try {
      return await this.#checkFolder(cut, folder);
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.stack : String(error)}`, {
        cause: error,
      });
    } finally {
      rmSync(`${this.#place}/cut`, { recursive: true, force: true });
    }
  }

  #lay({ files }: Cut, folder: string): void {
    mkdirSync(folder, { recursive: true });
    const locks = LOCK_FILES[this.#random.integer(LOCK_FILES.length)]!;
    for (const [path, bytes] of files) {
      if (!isTable(path)) continue;
      const file = `${folder}/${basename(path)}`;
      writeFileSync(file, bytes);
      if (path.endsWith(".log")) continue;
      if (locks === "empty") writeFileSync(`${file}-lock`, "");
      const stale = `${this.#stale}.${basename(path).split(".")[0]}-lock`;
      if (locks === "stale") copyFileSync(stale, `${file}-lock`);
    }
    if (locks !== "none") writeFileSync(`${folder}/lock`, "");
  }

  async #checkFolder({ acknowledged }: Cut, folder: string): Promise<boolean> {
    const store = await openLmdbStore({ folder, isVolatile: isVolatileKey });
    const at = this.#commits[acknowledged - 1]?.revision ?? 0;
    assert.ok(store.revision() >= at, `revision ${store.revision()} was issued before`);
    const durable = await stateOf(store, "/durable/", "/durable0");
    const found = this.#durable.match(durable, at);
    await this.#volatileOf(store);
    const key = "/durable/after";
    const { revision } = await store.commit([{ kind: "put", key, value: Buffer.from("1") }]);
    assert.ok(revision > at);
    await store.close();
    return found > at;
  }

  async #volatileOf(store: Store): Promise<void> {
    this.#volatile.match(await stateOf(store, "/volatile/", "/volatile0"), 0);
  }
}

/** All states that some keys went through. */
class History {
  readonly #states: readonly { readonly revision: number; readonly state: State }[];

  constructor(commits: readonly Acknowledged[], isMine: (key: string) => boolean) {
    const sorted = [...commits].sort((a, b) => a.revision - b.revision);
    let state: State = new Map();
    this.#states = [
      { revision: 0, state },
      ...sorted.flatMap(({ revision, writes }) => {
        const mine = writes.filter(([key]) => isMine(key));
        if (mine.length === 0) return [];
        const next = new Map(state);
        for (const [key, sequence] of mine)
          if (sequence === null) next.delete(key);
          else next.set(key, sequence);
        state = next;
        return [{ revision, state }];
      }),
    ];
  }

  /** @returns the revision at which `state` was, the newest one not after `from` or a later one. */
  match(state: State, from: number): number {
    const first = Math.max(
      0,
      this.#states.findLastIndex(({ revision }) => revision <= from),
    );
    // From 0 on: any state will do, and the newest that fits is as good as the first.
    const fitting = this.#states.slice(first).find((candidate) => isSame(candidate.state, state));
    if (fitting) return fitting.revision;
    const older = this.#states.find((candidate) => isSame(candidate.state, state));
    assert.fail(
      older
        ? `commits after ${older.revision} are lost, up to ${from} they were acknowledged`
        : `this state never was: ${JSON.stringify([...state])}`,
    );
  }
}

/** @throws {AssertionError} a value is of no version of its key. */
async function stateOf(store: Store, from: string, to: string): Promise<State> {
  const { records } = await store.range({ from, to });
  return new Map(
    records.map(({ key, value }) => {
      const text = /^([^#]+)#(\d+);/.exec(value.subarray(0, 100).toString());
      assert.equal(text?.[1], key, "the value of another key");
      const sequence = Number(text[2]);
      assert.ok(value.equals(valueOf(key, sequence)), `the value of ${key} is damaged`);
      return [key, sequence];
    }),
  );
}

function isSame(a: State, b: State): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (b.get(key) !== value) return false;
  return true;
}
