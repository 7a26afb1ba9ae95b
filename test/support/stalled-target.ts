import { Writable } from "node:stream";

/** A socket whose other side does not read until `flow` is called; counts what it had to take. */
export class StalledTarget extends Writable {
  /** Bytes written so far, whether they could go on or not. */
  written = 0;
  readonly pieces: Buffer[] = [];
  #isFlowing = false;
  #waiting: (() => void) | undefined;

  /** The other side reads on. */
  flow(): void {
    this.#isFlowing = true;
    this.#waiting?.();
  }

  override write(piece: Buffer): boolean {
    this.written += piece.length;
    return super.write(piece);
  }

  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.pieces.push(piece);
    if (this.#isFlowing) setImmediate(done);
    else this.#waiting = done;
  }
}
