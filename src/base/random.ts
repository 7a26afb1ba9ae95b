/**
 * The only source of randomness. The machine's in a process, seeded in tests and in the simulation.
 */
export interface Random {
  /** `count` bytes; from the machine's source fit for keys. */
  bytes(count: number): Uint8Array;
  /** Uniform in 0 ≤ n < `below`; `below` in 1..2^32. */
  integer(below: number): number;
}

/** Letters of generated names: no vowels and no look-alikes, so that no word arises. @spec apimachinery util/rand */
const NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** `length` characters for the end of a generated name. @spec apimachinery util/rand String */
export function nameSuffix(random: Random, length: number): string {
  let text = "";
  for (let i = 0; i < length; i++) text += NAME_ALPHABET[random.integer(NAME_ALPHABET.length)];
  return text;
}

/** A version 4 UUID. @spec RFC 9562 section 5.4 */
export function uuid(random: Random): string {
  const bytes = Buffer.from(random.bytes(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  const at = (from: number, to: number): string => hex.slice(from, to);
  return `${at(0, 8)}-${at(8, 12)}-${at(12, 16)}-${at(16, 20)}-${at(20, 32)}`;
}
