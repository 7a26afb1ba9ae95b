import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { Writable } from "node:stream";
import { describe, it } from "node:test";
import type { ByteSource } from "./byte-source.ts";
import type { BodyTarget } from "./chunked-target.ts";
import { pump } from "./send.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A source that tests feed. */
class FedSource implements ByteSource {
  readonly pieces: string[] = [];
  isOver = false;
  piecesPerRead = Infinity;
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
    return Buffer.from(this.pieces.splice(0, this.piecesPerRead).join(""));
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

/** Has enough after each piece, until the test says that it has taken it. */
class StallingTarget extends EventEmitter implements BodyTarget {
  readonly destroyed = false;
  readonly writableLength = 1;
  readonly #log: string[];

  constructor(log: string[]) {
    super();
    this.#log = log;
  }

  write(piece: Buffer): boolean {
    this.#log.push(piece.toString());
    return false;
  }

  end(): void {}

  destroy(): void {}
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

  it("news while the target takes a large piece waits for the next round; the rest of what was there does not", () => {
    const tasks = { continuations: [] as (() => void)[], rounds: [] as (() => void)[] };
    const [continuations, rounds] = [tasks.continuations, tasks.rounds].map((queue) => ({
      add: (task: () => void) => void queue.push(task),
    }));
    const planned = (): number[] => [tasks.continuations.length, tasks.rounds.length];
    const log: string[] = [];
    const source = new FedSource();
    const target = new StallingTarget(log);
    pump(source, target, undefined, undefined, {
      continuations: continuations!,
      rounds: rounds!,
    });
    source.feed("a");
    tasks.rounds.shift()!();
    source.feed("b", "c");
    assert.deepEqual(planned(), [0, 0], "nothing while the target has enough");
    target.emit("drain");
    assert.deepEqual(planned(), [0, 1]);
    source.piecesPerRead = 1;
    tasks.rounds.shift()!();
    target.emit("drain");
    assert.deepEqual(planned(), [1, 0]);
    tasks.continuations.shift()!();
    assert.deepEqual(log, ["a", "b", "c"]);
    target.emit("drain");
    assert.deepEqual(planned(), [0, 0]);
  });
});
