import { createHash } from "node:crypto";
import type { Clock } from "../../../src/base/clock.ts";

/** What happened, line by line with its virtual time, and the hash over all of it. */
export class Trace {
  readonly lines: string[] = [];
  readonly #clock: Clock;
  readonly #hash = createHash("sha256");

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `bytes`: belong to what happened, and are too long to read. */
  add(line: string, bytes?: Uint8Array): void {
    const text = `${(this.#clock.monotonic() / 1000).toFixed(3)} ${line}`;
    this.lines.push(text);
    this.#hash.update(text).update("\n");
    if (bytes) this.#hash.update(bytes);
  }

  /** Of everything so far. */
  get hash(): string {
    return this.#hash.copy().digest("hex");
  }
}
