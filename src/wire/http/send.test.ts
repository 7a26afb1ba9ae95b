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

function takingTarget(log: string[]): Writable {
  return new Writable({
    write(piece: Buffer, _encoding, done) {
      log.push(piece.toString());
      done();
    },
    final(done) {
      log.push("end");
      done();
    },
  });
}

describe("pump", () => {
  it("what happens in one turn goes out together", async () => {
    const log: string[] = [];
    const source = new FedSource();
    pump(source, takingTarget(log));
    source.feed("a");
    while (log.length < 1) await turn();
    source.feed("b");
    source.feed("c");
    while (log.length < 2) await turn();
    assert.deepEqual(log, ["a", "bc"]);
    source.end();
    while (log.length < 3) await turn();
    assert.deepEqual(log, ["a", "bc", "end"]);
  });
});
