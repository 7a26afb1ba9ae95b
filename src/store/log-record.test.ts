import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LogEntry } from "./backend.ts";
import { findRecords, missingBatches, recordBytes, writeRecord } from "./log-record.ts";

const ID = "0123456789abcdef";
const id = Buffer.from(ID, "hex");
const STATE = { schema: 2, highWater: 100, isClean: false, compacted: 3, swept: 2 };

function entryOf(revision: number, text: string): LogEntry {
  const position = { revision, sub: revision % 3 };
  const [key, value] = text.split("=");
  if (value === undefined)
    return { kind: "delete", key: key!, position, previous: position, createRevision: 2 };
  return { kind: "put", key: key!, position, createRevision: revision, value: Buffer.from(value) };
}

function record(sequence: number, stateText: string, ...texts: string[]): Buffer {
  const entries = texts.map((text) => entryOf(sequence * 2 ** 10, text));
  const bytes = Buffer.alloc(recordBytes(entries, stateText), 0xff);
  writeRecord(bytes, id, sequence, entries, stateText);
  return bytes;
}

const sequences = (bytes: Buffer): readonly number[] =>
  [...findRecords(bytes, id)].map(({ sequence }) => sequence);

describe("log record", () => {
  it("comes back as it was written", () => {
    const bytes = record(2 ** 40, JSON.stringify(STATE), "/a=1", "/ä", "/b=");
    const [found] = [...findRecords(bytes, id)];
    assert.equal(found!.sequence, 2 ** 40);
    assert.deepEqual(found!.batch, {
      isVolatile: false,
      removals: [],
      entries: ["/a=1", "/ä", "/b="].map((text) => entryOf(2 ** 50, text)),
      state: STATE,
    });
  });

  it("is none when any byte is another one, or missing", () => {
    const bytes = record(7, "", "/a=some value", "/b");
    const end = bytes.length - 8;
    for (let at = 0; at < end; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1 << (at % 8);
      assert.deepEqual(sequences(damaged), [], `byte ${at}`);
      assert.deepEqual(sequences(bytes.subarray(0, at)), [], `cut at ${at}`);
    }
  });

  it("is found among what earlier uses of the segment left, and inside nothing", () => {
    const inner = record(9, "", "/a=1").toString("latin1");
    const later = record(3, "", "/c=1");
    const other = record(8, "", "/x=1");
    Buffer.from("fedcba9876543210", "hex").copy(other);
    const bytes = Buffer.concat([record(2, "", "/a=1"), Buffer.alloc(40, 7), other, later]);
    assert.deepEqual(sequences(bytes), [2, 3]);
    assert.deepEqual(sequences(record(2, "", `/a=${inner}`)), [2]);
  });
});

describe("missingBatches", () => {
  const segments = (...sets: readonly (readonly number[])[]) =>
    sets.map((set, index) => ({
      name: `${index}.log`,
      bytes: Buffer.concat(set.map((sequence) => record(sequence, "", `/${sequence}=1`))),
    }));
  const missing = (after: number, ...sets: readonly (readonly number[])[]): string =>
    missingBatches(segments(...sets), { id: ID, sequence: after })
      .map(({ entries }) => entries[0]!.key.slice(1))
      .join(" ");

  it("takes what follows the mark, from whichever segment", () => {
    assert.equal(missing(0, [], []), "");
    assert.equal(missing(0, [1, 2], []), "1 2");
    assert.equal(missing(2, [1, 2], []), "");
    assert.equal(missing(3, [7, 8], [3, 4, 5, 6]), "4 5 6 7 8");
    assert.equal(missing(6, [7, 8, 3, 4], [5, 6]), "7 8");
  });

  it("names the segment where a record is missing before a good one", () => {
    assert.throws(() => missing(2, [2, 4], []), { name: "LogDamaged", segment: "0.log" });
    assert.throws(() => missing(0, [1, 2], [4]), { name: "LogDamaged", segment: "1.log" });
    assert.throws(() => missing(0, [1], [4, 3]), { name: "LogDamaged" });
  });
});
