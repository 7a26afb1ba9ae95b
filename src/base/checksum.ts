import * as zlib from "node:zlib";

/** CRC-32's polynomial, its coefficients from the highest bit down: x^0 is the highest bit. */
const POLYNOMIAL = 0xedb88320;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = timesX(sum);
  return sum;
});

/** CRC-32 for a Node.js before 20.15, whose zlib has none. @spec ISO/IEC 3309; zlib's crc32 */
export function tableChecksum(bytes: Uint8Array, before: number): number {
  let sum = ~before;
  for (const byte of bytes) sum = TABLE[(sum ^ byte) & 255]! ^ (sum >>> 8);
  return ~sum >>> 0;
}

const { crc32 } = zlib as Partial<Pick<typeof zlib, "crc32">>;

/** CRC-32 of what had the checksum `before` (0: nothing), followed by `bytes`. */
export const checksum: (bytes: Uint8Array, before: number) => number = crc32 ?? tableChecksum;

/**
 * What appending `length` bytes does to the checksum of what stands before them: x^(8·length) modulo the polynomial, for
 * {@link joinedChecksum}. 1 µs.
 */
export function checksumShift(length: number): number {
  let power = 1 << 31;
  let square = 1 << 23; // x^8
  for (let left = length; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = times(power, square);
    square = times(square, square);
  }
  return power;
}

/** CRC-32 of two texts, one after the other, from those of each; `shift` of the second's length. @spec zlib's crc32_combine */
export function joinedChecksum(first: number, second: number, shift: number): number {
  return (times(shift, first) ^ second) >>> 0;
}

/** The product of two polynomials over GF(2), modulo CRC-32's. */
function times(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let rest = a; rest !== 0; rest <<= 1) {
    if (rest < 0) product ^= shifted;
    shifted = timesX(shifted);
  }
  return product;
}

function timesX(value: number): number {
  return value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
}
