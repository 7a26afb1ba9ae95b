/** Changes that are remembered. Who has not looked for longer looks at everything anew; doubling costs 16 kB. */
const CHANGES_MAX = 4096;

/** Which slots changed, in order: everyone who follows remembers a position and reads on from there. */
export class ChangeLog {
  readonly #slots = new Int32Array(CHANGES_MAX);
  #end = 0;

  /** The oldest position that can be read. */
  get begin(): number {
    return Math.max(0, this.#end - CHANGES_MAX);
  }

  /** Behind the newest. */
  get end(): number {
    return this.#end;
  }

  at(position: number): number {
    return this.#slots[position % CHANGES_MAX]!;
  }

  push(slot: number): void {
    this.#slots[this.#end++ % CHANGES_MAX] = slot;
  }
}
