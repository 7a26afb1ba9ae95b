import { SeededRandom } from "../../src/base/seeded-random.ts";

/** Everything that a generator decides, out of one seed. */
export class Draw {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  /** 0 ≤ n < `below` */
  integer(below: number): number {
    return this.#random.integer(below);
  }

  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean {
    return this.integer(100) < percent;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.integer(choices.length)]!;
  }

  /** Small more often than large. */
  size(below: number): number {
    return this.integer(this.integer(below) + 1);
  }

  times<T>(count: number, make: (index: number) => T): T[] {
    return Array.from({ length: count }, (_, index) => make(index));
  }

  bytes(count: number): Buffer {
    return Buffer.from(this.#random.bytes(count));
  }

  /** A number of a kind that breaks things. */
  number(): number {
    const power = 2 ** this.integer(70);
    return this.pick([
      ...[
        0,
        -0,
        1,
        -1,
        0.5,
        1e21,
        1e-7,
        1e308,
        5e-324,
        2 ** 31,
        -(2 ** 31) - 1,
        2 ** 53,
        2 ** 53 + 2,
      ],
      ...[
        this.integer(1000),
        -this.integer(1000),
        power,
        -power,
        power + 1,
        this.integer(1e6) / 1e3,
      ],
    ]);
  }

  /** A text: from a list of troublemakers, or of drawn characters. */
  text(lengthMax = 12): string {
    if (this.chance(50)) return this.pick(TROUBLE);
    const alphabet = this.pick(ALPHABETS);
    return this.times(this.size(lengthMax), () => this.pick(alphabet)).join("");
  }

  /** A key: often one that means something, to JavaScript or to Kubernetes. */
  key(): string {
    return this.chance(70) ? this.pick(KEYS) : this.text();
  }
}

const KEYS = [
  ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "length", "0", "-1"],
  ...[
    "a",
    "b",
    "name",
    "metadata",
    "labels",
    "annotations",
    "spec",
    "status",
    "kind",
    "apiVersion",
  ],
  ...[
    "$patch",
    "$retainKeys",
    "$setElementOrder/containers",
    "$deleteFromPrimitiveList/finalizers",
  ],
  ...["data", "containers", "ports", "items", "resourceVersion", "uid", "namespace", "finalizers"],
] as const;

const TROUBLE = [
  ...["", " ", "a", "-", ".", "..", "../..", "/", "//", "%2f", "%2e%2e", "%", "%zz", "\0", "a\0b"],
  ...[
    "\n",
    "\r\n",
    "\t",
    '"',
    "'",
    "\\",
    "\\\\",
    "\u2028",
    "\ufeff",
    "\ud800",
    "\udfff\ud800",
    "é",
    "𝄞",
  ],
  ...[
    "null",
    "true",
    "~",
    "yes",
    "0x10",
    "0644",
    "1e3",
    ".inf",
    ".nan",
    "1_000",
    "22:22",
    "2001-01-01",
  ],
  ...[
    "9007199254740993",
    "18446744073709551616",
    "-9223372036854775809",
    "1e1000",
    "-0",
    "00",
    "1.",
  ],
  ...[
    "=",
    "==",
    "!=",
    "in",
    "notin",
    "(",
    ")",
    "!",
    ",",
    ">",
    "<",
    "a=b",
    "a in (b,c)",
    "x notin ()",
  ],
  ...[
    "delete",
    "replace",
    "merge",
    "&a",
    "*a",
    "<<",
    "!!binary",
    "---",
    "...",
    "#",
    "- ",
    ": ",
    "{",
    "[",
  ],
  ...[
    "f:a",
    'k:{"name":"a"}',
    "v:1",
    "i:0",
    "k:[",
    "127.0.0.1",
    "169.254.169.254",
    "::1",
    "example.com/a",
  ],
] as const;

const ALPHABETS = [
  [..."abcdefghijklmnopqrstuvwxyz-."],
  [..."abcXYZ019_-./"],
  [..."aA0 =!(),><\\\"'"],
  [..."0123456789eE+-.mkKMGTPinu"],
  [..."\0\n\t\u007f\u0080\uffff\ud800\udc00é𝄞"],
  [..."{}[]:,\"\\-&*!|>'%@`#? \n"],
] as const;

/** Without the halves of characters, which no URL can hold. */
export function wellFormed(text: string): string {
  return text.replace(/[\ud800-\udfff]/g, "");
}

/** `bytes` with a few of them changed, left out, doubled or moved. */
export function mutated(draw: Draw, bytes: Buffer): Buffer {
  let out = bytes;
  for (let left = 1 + draw.size(4); left > 0; left--) out = mutatedOnce(draw, out);
  return out;
}

function mutatedOnce(draw: Draw, bytes: Buffer): Buffer {
  const at = draw.integer(bytes.length + 1);
  const to = Math.min(bytes.length, at + draw.size(16));
  const [head, part, tail] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
  switch (draw.integer(7)) {
    case 0:
      return Buffer.concat([head, draw.bytes(part.length), tail]);
    case 1:
      return Buffer.concat([head, tail]);
    case 2:
      return Buffer.concat([head, part, part, part, tail]);
    case 3:
      return Buffer.concat([tail, part, head]);
    case 4:
      return Buffer.concat([head, Buffer.from(draw.text()), tail]);
    case 5:
      return head;
    default: {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) copy[at % copy.length]! ^= 1 << draw.integer(8);
      return copy;
    }
  }
}
