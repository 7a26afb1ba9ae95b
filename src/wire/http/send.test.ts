import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import type { ByteSource } from "./byte-source.ts";
import { pump } from "./send.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A source that tests feed. */
class FedSource implements ByteSource {
  readonly pieces: string[] = [];
  isOver = false;
  #notify: () => void = () => {};

  get isWaiting(): boolean {
    return this.pieces.length === 0 && !this.isOver;
  }

  feed(...pieces: string[]): void {
    this.pieces.push(...pieces);
    this.#notify();
  }

  end(): void {
    this.isOver = true;
    this.#notify();
  }

  read(): Buffer | undefined | null {
    if (this.pieces.length === 0) return this.isOver ? null : undefined;
    return Buffer.from(this.pieces.splice(0).join(""));
  }

  onReadable(listener: () => void): void {
    this.#notify = listener;
  }

  close(): void {}
}

/** Takes what it is given, `workMs` each. */
function takingTarget(log: string[], name = "", workMs = 0): Writable {
  return new Writable({
    write(piece: Buffer, _encoding, done) {
      for (const endMs = performance.now() + workMs; performance.now() < endMs;);
      log.push(name + piece.toString());
      done();
    },
    final(done) {
      log.push(`${name}end`);
      done();
    },
  });
}

describe("pump", () => {
  it("a lone event goes out in the next turn; those of one turn go out together", async () => {
    const log: string[] = [];
    const source = new FedSource();
    pump(source, takingTarget(log));
    source.feed("a");
    await turn();
    assert.deepEqual(log, ["a"]);
    source.feed("b");
    source.feed("c");
    await turn();
    assert.deepEqual(log, ["a", "bc"]);
    source.end();
    await turn();
    await turn();
    assert.deepEqual(log, ["a", "bc", "end"]);
  });

  it("after a long round what happens meanwhile goes out together", async () => {
    const log: string[] = [];
    const source = new FedSource();
    pump(source, takingTarget(log, "", 15));
    source.feed("a");
    await turn();
    for (const piece of "bcd") {
      source.feed(piece);
      await turn();
    }
    while (log.length < 2) await turn();
    assert.deepEqual(log, ["a", "bcd"]);
    source.end();
    while (log.length < 3) await turn();
  });

  it("many writers share turns, each once in a round", async () => {
    const log: string[] = [];
    const sources = Array.from({ length: 6 }, () => new FedSource());
    sources.forEach((source, at) => pump(source, takingTarget(log, `${at}`, 2)));
    for (const source of sources) source.feed("x");
    await turn();
    assert.ok(log.length >= 1 && log.length < 6, `${log.length} in the first turn`);
    sources[0]!.feed("y");
    while (log.length < 7) await turn();
    assert.deepEqual(log, ["0x", "1x", "2x", "3x", "4x", "5x", "0y"]);
  });

  it("a long body gives others their turn", async () => {
    const log: string[] = [];
    let left = 50;
    const body: ByteSource = {
      read: () => (left-- > 0 ? Buffer.from("x") : null),
      onReadable: () => {},
      close: () => log.push("closed"),
    };
    pump(body, takingTarget(log, "", 1));
    let turns = 0;
    while (!log.includes("end")) {
      await turn();
      turns++;
    }
    assert.ok(turns > 8, `${turns} turns`);
    assert.equal(log.filter((line) => line === "x").length, 50);
  });
});
