import assert from "node:assert/strict";
import type { StoredObject } from "./api-connection.ts";

/** A version of an object: its number in the test, and its revision. `undefined` instead of one: it does not exist. */
export interface Version {
  readonly sequence: number;
  readonly revision: number;
}

/** What a writer wants: the number of the new version; `undefined`: to delete. */
export interface Intent {
  readonly sequence: number | undefined;
}

interface Entry {
  /** The newest version that is surely there. */
  version: Version | undefined;
  /** A write without an answer: it may have happened, once, or not. */
  unknown: Intent | undefined;
}

/** Numbers are in this annotation. */
export const SEQUENCE = "test/sequence";

/** Which version an object is. */
export function versionOf({ metadata }: StoredObject): Version {
  return {
    sequence: Number(metadata.annotations?.[SEQUENCE]),
    revision: Number(metadata.resourceVersion),
  };
}

/**
 * All that one kind's objects may be, from what was acknowledged. Each object has one writer with one write at a time.
 *
 * Must hold: an acknowledged write is there until a later one; nothing that was not asked for is there; one revision
 * means one write, for everybody; revisions of acknowledged writes rise.
 */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  /** revision → what it was, as everybody must see it. */
  readonly #revisions = new Map<number, string>();
  #highest = 0;
  acknowledged = 0;

  version(name: string): Version | undefined {
    return this.#entry(name).version;
  }

  /** Highest revision that anybody was told. */
  get highest(): number {
    return this.#highest;
  }

  /** A write is about to be sent. */
  intend(name: string, intent: Intent): void {
    const entry = this.#entry(name);
    assert.ok(!entry.unknown, `${name} has a write under way`);
    entry.unknown = intent;
  }

  /** It was not carried out: the server said so. */
  refused(name: string): void {
    this.#entry(name).unknown = undefined;
  }

  /** It was: `stored` is the answer's object; `undefined` for a deletion. */
  succeeded(name: string, stored: StoredObject | undefined): void {
    const entry = this.#entry(name);
    const version = stored && versionOf(stored);
    assert.equal(version?.sequence, entry.unknown!.sequence, `${name}: another version came back`);
    if (version) {
      const before = entry.version?.revision ?? 0;
      assert.ok(version.revision > before, `${name}: ${version.revision} is not after ${before}`);
      this.saw(name, version.revision, "put", version.sequence);
    }
    entry.version = version;
    entry.unknown = undefined;
    this.acknowledged++;
  }

  /** Somebody was told that `revision` is this change. */
  saw(name: string, revision: number, kind: "put" | "delete", sequence: number): void {
    const what = `${kind} ${name} ${sequence}`;
    const known = this.#revisions.get(revision);
    assert.ok(!known || known === what, `revision ${revision} is ${known} and ${what}`);
    this.#revisions.set(revision, what);
    this.#highest = Math.max(this.#highest, revision);
  }

  /** All changes after `from` and up to `to` that anybody was told of, by revision. */
  changes(from: number, to: number): readonly string[] {
    return [...this.#revisions]
      .filter(([revision]) => revision > from && revision <= to)
      .sort(([a], [b]) => a - b)
      .map(([revision, what]) => `${revision} ${what}`);
  }

  /**
   * Compares a list with what may be, while nobody writes, and settles what was unknown.
   *
   * @throws {AssertionError} a write is lost, or an object rose from the dead.
   */
  settle(objects: readonly StoredObject[], listed: number): void {
    assert.ok(listed >= this.#highest, `the list is of ${listed}, before ${this.#highest}`);
    const found = new Map(objects.map((object) => [object.metadata.name, versionOf(object)]));
    for (const name of found.keys())
      assert.ok(this.#entries.has(name), `${name} was never asked for`);
    for (const [name, entry] of this.#entries) {
      const version = found.get(name);
      const isKnown = version?.revision === entry.version?.revision;
      const isUnknown = entry.unknown && version?.sequence === entry.unknown.sequence;
      assert.ok(
        isKnown || isUnknown,
        `${name} is ${text(version)}, must be ${text(entry.version)}` +
          (entry.unknown ? ` or number ${entry.unknown.sequence ?? "none"}` : ""),
      );
      if (version) this.saw(name, version.revision, "put", version.sequence);
      entry.version = version;
      entry.unknown = undefined;
    }
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name) ?? { version: undefined, unknown: undefined };
    this.#entries.set(name, entry);
    return entry;
  }
}

function text(version: Version | undefined): string {
  return version ? `number ${version.sequence} at ${version.revision}` : "gone";
}
