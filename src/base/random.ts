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

/** What stands before each byte of a UUID. */
const HYPHENS = ["", "", "", "", "-", "", "-", "", "-", "", "-", "", "", "", "", ""];
/** Each byte as two digits. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** A version 4 UUID. @spec RFC 9562 section 5.4 */
export function uuid(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  let text = "";
  for (let at = 0; at < 16; at++) text += HYPHENS[at]! + HEX[bytes[at]!]!;
  return text;
}
