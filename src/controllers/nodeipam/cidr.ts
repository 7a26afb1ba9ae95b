/** A range of addresses: `bits` is the whole address as a number, its low bits zero. */
export interface Cidr {
  readonly bits: bigint;
  readonly prefix: number;
  /** 32 or 128. */
  readonly width: number;
}

/** `undefined`: not a CIDR. Host bits are dropped. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  const prefix = Number(match[2]);
  const address = match[1]!.includes(":") ? parseV6(match[1]!) : parseV4(match[1]!);
  if (!address || prefix > address.width) return undefined;
  const low = BigInt(address.width - prefix);
  return { bits: (address.bits >> low) << low, prefix, width: address.width };
}

/** The text form. */
export function formatCidr({ bits, prefix, width }: Cidr): string {
  if (width === 32) {
    const parts = [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn);
    return `${parts.join(".")}/${prefix}`;
  }
  const groups = Array.from({ length: 8 }, (_, i) => (bits >> BigInt(112 - 16 * i)) & 0xffffn);
  const text = groups.map((group) => group.toString(16)).join(":");
  // The longest run of zeros is left out, as RFC 5952 has it.
  const runs = [...text.matchAll(/\b0(?::0\b)+/g)].sort((a, b) => b[0].length - a[0].length);
  const [run] = runs;
  if (!run) return `${text}/${prefix}`;
  const before = text.slice(0, run.index).replace(/:$/, "");
  const after = text.slice(run.index + run[0].length).replace(/^:/, "");
  return `${before}::${after}/${prefix}`;
}

/** True when the two share an address. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  if (a.width !== b.width) return false;
  const low = BigInt(a.width - Math.min(a.prefix, b.prefix));
  return a.bits >> low === b.bits >> low;
}

/** The parts of `range` with the given prefix, in order. */
export function* subnets(range: Cidr, prefix: number): Generator<Cidr> {
  const count = 1n << BigInt(prefix - range.prefix);
  const step = 1n << BigInt(range.width - prefix);
  for (let i = 0n; i < count; i++) {
    yield { bits: range.bits + i * step, prefix, width: range.width };
  }
}

function parseV4(text: string): { bits: bigint; width: number } | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || parts.some((part) => !/^(0|[1-9]\d{0,2})$/.test(part)))
    return undefined;
  if (parts.some((part) => Number(part) > 255)) return undefined;
  return { bits: parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n), width: 32 };
}

function parseV6(text: string): { bits: bigint; width: number } | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<string>(Math.max(0, missing)).fill("0"), ...tail];
  if (groups.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  const bits = groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
  return { bits, width: 128 };
}
