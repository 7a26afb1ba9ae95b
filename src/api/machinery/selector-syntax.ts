/**
 * The grammar of label selectors in text: `a=b, c!=d, e in (x,y), f notin (), g, !h, i>3`.
 *
 * Grammar only; whether keys and values are valid is the business of `label-selector.ts`.
 * @spec k8s@1.36 apimachinery labels/selector.go Lexer, Parser
 */

export type Operator = "=" | "==" | "!=" | "in" | "notin" | "exists" | "!" | ">" | "<";

/** One condition of a selector; all must hold. `values` sorted and without repeats. */
export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** The text breaks the grammar; the message is upstream's. The writer of the selector must mend it. */
export class SelectorSyntaxError extends Error {
  override readonly name = "SelectorSyntaxError";
}

/** Sees each key as soon as it is read, and each requirement when complete; throws `SelectorSyntaxError` to refuse. */
export interface RequirementChecks {
  key(key: string): void;
  requirement(requirement: Requirement): void;
}

/**
 * The requirements of `text`, in its order.
 *
 * @throws {SelectorSyntaxError}
 */
export function parseRequirements(text: string, checks: RequirementChecks): Requirement[] {
  return new Parser(text, checks).parse();
}

const BINARY: readonly Operator[] = ["=", "==", "!=", "in", "notin", ">", "<"];
/** As upstream lists them when none is found. */
const BINARY_TEXT = "in, notin, =, ==, !=, gt, lt";

/** A symbol, or a run of anything else; blanks between. A NUL ends the text, as it does upstream. */
const TOKEN = /[ \t\r\n]*(==|!=|[=!(),><]|[^=!(),>< \t\r\n\0]+)/y;
const END = "";

class Parser {
  readonly #tokens: readonly string[];
  readonly #checks: RequirementChecks;
  #at = 0;

  constructor(text: string, checks: RequirementChecks) {
    const tokens: string[] = [];
    TOKEN.lastIndex = 0;
    for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) tokens.push(match[1]!);
    this.#tokens = tokens;
    this.#checks = checks;
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token === END) return requirements;
      if (!isIdentifier(token) && token !== "!")
        throw found(token, ", expected: !, identifier, or 'end of string'");
      requirements.push(this.#namedRequirement());
      const next = this.#take();
      if (next === END) return requirements;
      if (next !== ",") throw found(next, ", expected: ',' or 'end of string'");
      const after = this.#peek();
      if (!isIdentifier(after) && after !== "!")
        throw found(after, ", expected: identifier after ','");
    }
  }

  /** Upstream says `unable to parse requirement:` only of what stands inside a requirement. */
  #namedRequirement(): Requirement {
    try {
      return this.#requirement();
    } catch (error) {
      if (!(error instanceof SelectorSyntaxError)) throw error;
      throw new SelectorSyntaxError(`unable to parse requirement: ${error.message}`);
    }
  }

  #requirement(): Requirement {
    const isNegated = this.#peek() === "!";
    if (isNegated) this.#at++;
    const key = this.#take();
    if (!isIdentifier(key)) throw found(key, ", expected: identifier");
    this.#checks.key(key);
    const requirement = this.#restrict(key, isNegated);
    this.#checks.requirement(requirement);
    return requirement;
  }

  #restrict(key: string, isNegated: boolean): Requirement {
    if (isNegated) return { key, operator: "!", values: [] };
    const next = this.#peek();
    if (next === END || next === ",") return { key, operator: "exists", values: [] };
    const operator = this.#take() as Operator;
    if (!BINARY.includes(operator)) throw found(operator, `, expected: ${BINARY_TEXT}`);
    const isSet = operator === "in" || operator === "notin";
    return { key, operator, values: isSet ? this.#valueSet() : [this.#exactValue()] };
  }

  #exactValue(): string {
    const next = this.#peek();
    if (next === END || next === ",") return "";
    const value = this.#take();
    if (!isIdentifier(value)) throw found(value, ", expected: identifier");
    return value;
  }

  /** `(x,y)`, with nothing between commas meaning the empty value. */
  #valueSet(): string[] {
    const open = this.#take();
    if (open !== "(") throw found(open, " expected: '('");
    const first = this.#peek();
    if (first !== ")" && first !== "," && !isIdentifier(first))
      throw found(first, ", expected: ',', ')' or identifier");
    const values = new Set<string>();
    if (first === ")") values.add("");
    while (this.#peek() !== ")") this.#addValue(values);
    this.#at++;
    return [...values].sort();
  }

  #addValue(values: Set<string>): void {
    const token = this.#take();
    if (isIdentifier(token)) {
      values.add(token);
      const next = this.#peek();
      if (next !== "," && next !== ")") throw found(next, ", expected: ',' or ')'");
      return;
    }
    if (token !== ",") throw found(token, ", expected: ',', or identifier");
    const next = this.#peek();
    if (values.size === 0 || next === ")" || next === ",") values.add("");
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? END;
  }

  #take(): string {
    return this.#tokens[this.#at++] ?? END;
  }
}

function isIdentifier(token: string): boolean {
  return token !== END && !"=!(),><".includes(token[0]!);
}

function found(token: string, expectation: string): SelectorSyntaxError {
  return new SelectorSyntaxError(`found '${token}'${expectation}`);
}
