import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { constants, gunzipSync } from "node:zlib";
import { SeededRandom } from "../../base/seeded-random.ts";
import type { ByteSource } from "./byte-source.ts";
import { GzipBlocks } from "./gzip-blocks.ts";

const random = new SeededRandom(3);
const EVENT = '{"type":"MODIFIED","object":{"kind":"ConfigMap","metadata":{"name":"';
const eventsOf = (count: number): Buffer =>
  Buffer.from(Array.from({ length: count }, (_, at) => `${EVENT}c-${at}"}}}\n`).join(""));
const noise = (length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => random.integer(256)));

const PIECES: readonly Buffer[] = [
  eventsOf(1),
  eventsOf(500),
  Buffer.alloc(0),
  noise(3000),
  eventsOf(2),
  Buffer.alloc(65_535, "a"),
  Buffer.alloc(65_536, "b"),
  eventsOf(5000),
  noise(200_000),
];

function gzipOf(pieces: readonly Buffer[], compression: "whole" | "pieces" = "pieces"): ByteSource {
  let at = 0;
  const source = {
    isWaiting: false,
    read: () => pieces[at++] ?? null,
    onReadable: () => {},
    close: () => {},
  };
  return new GzipBlocks(source, compression);
}

/** What each read gave, until the end. */
function readAll(source: ByteSource): Buffer[] {
  const all: Buffer[] = [];
  for (let bytes = source.read(); bytes !== null; bytes = source.read())
    if (bytes!.length > 0) all.push(bytes!);
  return all;
}

describe("GzipBlocks", () => {
  it("is one gzip file of all pieces, for the first reader and for later ones", () => {
    const whole = Buffer.concat(PIECES);
    for (let reader = 0; reader < 3; reader++) {
      const read = Buffer.concat(readAll(gzipOf(PIECES)));
      assert.ok(gunzipSync(read).equals(whole), `reader ${reader}`);
    }
  });

  it("what is compressed as a whole is deflated for its first reader, too", () => {
    const whole = Buffer.concat(PIECES);
    const read = Buffer.concat(readAll(gzipOf(PIECES, "whole")));
    assert.ok(gunzipSync(read).equals(whole));
    const events = Buffer.concat(readAll(gzipOf([PIECES[1]!], "whole")));
    assert.ok(events.length < PIECES[1]!.length / 10);
  });

  it("readers that come to one piece with different pasts keep sums of their own", () => {
    const [first, second, last] = [eventsOf(3), eventsOf(4), eventsOf(700)];
    const bodies = [[first, last], [last], [second, last], [first, last], [last, last]];
    // In turn, piece by piece.
    const sources = bodies.map((pieces) => gzipOf(pieces));
    const reads = bodies.map((): Buffer[] => []);
    for (let turn = 0; turn < 3; turn++)
      sources.forEach((source, by) => reads[by]!.push(source.read() ?? Buffer.alloc(0)));
    for (const [by, read] of reads.entries())
      assert.ok(gunzipSync(Buffer.concat(read)).equals(Buffer.concat(bodies[by]!)), `reader ${by}`);
  });

  it("a source without bytes is an empty file", () => {
    assert.equal(gunzipSync(Buffer.concat(readAll(gzipOf([])))).length, 0);
  });

  it("each piece can be inflated when it has come, and ends with the mark that makes Go hand it on", () => {
    const options = { finishFlush: constants.Z_SYNC_FLUSH };
    const present = PIECES.filter(({ length }) => length > 0);
    for (let reader = 0; reader < 2; reader++) {
      const reads = readAll(gzipOf(present));
      assert.equal(reads.length, present.length + 1);
      for (let count = 1; count <= present.length; count++) {
        const text = gunzipSync(Buffer.concat(reads.slice(0, count)), options);
        assert.ok(text.equals(Buffer.concat(present.slice(0, count))), `${count} pieces`);
        assert.equal(reads[count - 1]!.subarray(-5).toString("hex").slice(2), "0000ffff");
      }
    }
  });

  it("what several read is deflated once for all of them; what one reads, or is short, not at all", () => {
    const pieces = [eventsOf(1), eventsOf(500), noise(3000)];
    const [alone, second, third] = [gzipOf(pieces), gzipOf(pieces), gzipOf(pieces)].map(readAll);
    assert.ok(alone![1]!.length > pieces[1]!.length);
    assert.ok(second![1]!.length < pieces[1]!.length / 10);
    assert.equal(third![1], second![1]);
    for (const at of [1, 2]) assert.ok(second![at]!.length <= pieces[at]!.length + 10);
    assert.equal(second![2], alone![2]);
  });

  it("waits and ends as its source does", () => {
    let isClosed = false;
    const source = {
      isWaiting: true,
      read: (): Buffer | undefined | null => (source.isWaiting ? undefined : null),
      onReadable: () => {},
      close: () => void (isClosed = true),
    };
    const gzip = new GzipBlocks(source, "pieces");
    assert.equal(gzip.isWaiting, true);
    assert.equal(gzip.read(), undefined);
    source.isWaiting = false;
    const end = gzip.read()!;
    source.isWaiting = true;
    assert.equal(gzip.isWaiting, false, "the end is still to be read");
    assert.equal(gunzipSync(end).length, 0);
    assert.equal(gzip.read(), null);
    gzip.close();
    assert.ok(isClosed);
  });
});
