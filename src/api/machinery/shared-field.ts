import { Recent } from "../../base/recent.ts";

/**
 * Characters of a value that is shared. Templates have some thousands; doubling it doubles the memory that a client can pin.
 */
const TEXT_CHARACTERS_MAX = 32 * 1024;

/**
 * Values of one field as they came (JSON) and what they became, for kinds whose objects come in numbers from templates.
 *
 * Why: a thousand pods of one template then have one spec in memory, and what was found out of it holds for all of them.
 * @bounds `entriesMax` to twice as many values, each of at most 32 Ki characters.
 */
export class SharedField {
  /** Of the field, at the top level. */
  readonly name: string;
  readonly #values: Recent<string, object>;

  constructor(name: string, entriesMax: number) {
    this.name = name;
    this.#values = new Recent(entriesMax);
  }

  find(text: string): object | undefined {
    return text.length > TEXT_CHARACTERS_MAX ? undefined : this.#values.get(text);
  }

  /** `value`: never changed from now on. What comes in again as it went out is found, too. */
  keep(text: string, value: object): void {
    if (text.length > TEXT_CHARACTERS_MAX) return;
    this.#values.set(text, value);
  }
}
