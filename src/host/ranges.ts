/** The address ranges of one cluster, in CIDR form. */
export interface Ranges {
  /** Bridge (first address) and nodes (from the second). */
  readonly nodeCidr: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
}

/** Candidates, in order: the first cluster gets what users of other tools know. Each kind is searched on its own. */
const POD_CIDRS = Array.from({ length: 11 }, (_, i) => `10.${244 + i}.0.0/16`);
const SERVICE_CIDRS = Array.from({ length: 32 }, (_, i) => `10.${96 + i}.0.0/16`);
const NODE_CIDRS = Array.from({ length: 256 }, (_, i) => `10.88.${i}.0/24`);

/** No range is left, or one that was asked for is malformed or taken. Shown to the user as it is. */
export class RangeError extends Error {
  override readonly name = "RangeError";
}

/**
 * Chooses ranges that overlap with nothing in `used` (the machine's routes, other clusters' ranges).
 *
 * @throws {RangeError}
 */
export function chooseRanges(wanted: Partial<Ranges>, used: readonly string[]): Ranges {
  const taken = [...used];
  const choose = (
    flag: keyof typeof BITS_MAX,
    asked: string | undefined,
    candidates: readonly string[],
  ): string => {
    if (asked !== undefined) checkAsked(flag, asked, taken);
    const found = asked ?? candidates.find((cidr) => !taken.some((other) => overlap(cidr, other)));
    if (found === undefined)
      throw new RangeError(
        `no address range is free on this machine: choose one with ${flag} CIDR`,
      );
    taken.push(found);
    return found;
  };
  const nodeCidr = choose("--node-cidr", wanted.nodeCidr, NODE_CIDRS);
  const podCidr = choose("--pod-cidr", wanted.podCidr, POD_CIDRS);
  const serviceCidr = choose("--service-cidr", wanted.serviceCidr, SERVICE_CIDRS);
  return { nodeCidr, podCidr, serviceCidr };
}

/** Prefix length of each node's part of the pod range; the server's default. */
const NODE_POD_BITS = 24;
/** Addresses of a node range that are no node's: network, bridge, broadcast. */
const NODE_CIDR_RESERVED = 3;
/** Smallest ranges: a node's pods; 16 Service addresses, of which DNS has the tenth; bridge and a few nodes. */
const BITS_MAX = { "--pod-cidr": NODE_POD_BITS, "--service-cidr": 28, "--node-cidr": 29 } as const;
/** Largest Service range: upstream's limit, as its allocator keeps a bit for each address. */
const SERVICE_BITS_MIN = 12;

/** @throws {RangeError} the ranges cannot hold so many nodes. */
export function checkCapacity({ nodeCidr, podCidr }: Ranges, nodes: number): void {
  const rows = [
    ["--node-cidr", nodeCidr, 2 ** (32 - prefixLength(nodeCidr)) - NODE_CIDR_RESERVED],
    ["--pod-cidr", podCidr, 2 ** (NODE_POD_BITS - prefixLength(podCidr))],
  ] as const;
  for (const [flag, cidr, most] of rows)
    if (nodes > most)
      throw new RangeError(`${flag} ${cidr} has room for ${most} nodes, not for ${nodes}`);
}

function checkAsked(flag: keyof typeof BITS_MAX, cidr: string, taken: readonly string[]): void {
  const range = parseCidr(cidr);
  if (!range) throw new RangeError(`${flag} ${cidr}: expected an IPv4 range such as 10.244.0.0/16`);
  const least = flag === "--service-cidr" ? SERVICE_BITS_MIN : 1;
  const most = BITS_MAX[flag];
  if (range.bits > most || range.bits < least)
    throw new RangeError(`${flag} ${cidr}: expected a prefix length from ${least} to ${most}`);
  const other = taken.find((used) => overlap(cidr, used));
  if (other) throw new RangeError(`${flag} ${cidr} overlaps with ${other}, which is in use here`);
}

interface Cidr {
  readonly base: number;
  readonly bits: number;
}

/** @returns `undefined` when `text` is no IPv4 range, or its address has bits beyond the prefix. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = "", prefix = "", ...rest] = text.split("/");
  const base = parseIp(address);
  const bits = Number(prefix);
  if (base === undefined || rest.length > 0 || !/^\d{1,2}$/.test(prefix) || bits > 32)
    return undefined;
  return (base & mask(bits)) >>> 0 === base ? { base, bits } : undefined;
}

/** True when two valid ranges share an address. */
export function overlap(left: string, right: string): boolean {
  const a = parseCidr(left);
  const b = parseCidr(right);
  if (!a || !b) return false;
  const shared = mask(Math.min(a.bits, b.bits));
  return (a.base & shared) >>> 0 === (b.base & shared) >>> 0;
}

/** The `index`-th address of a range; 0 is the network address. */
export function addressAt(cidr: string, index: number): string {
  const { base } = parseCidr(cidr)!;
  return formatIp(base + index);
}

/** Bits of a range's prefix. */
export function prefixLength(cidr: string): number {
  return parseCidr(cidr)!.bits;
}

function parseIp(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((p) => /^(0|[1-9]\d{0,2})$/.test(p) && Number(p) < 256))
    return undefined;
  return parts.reduce((value, part) => value * 256 + Number(part), 0);
}

function formatIp(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
}

function mask(bits: number): number {
  return bits === 0 ? 0 : (~0 << (32 - bits)) >>> 0;
}
