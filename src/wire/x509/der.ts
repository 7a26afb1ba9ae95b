/**
 * The little of ASN.1's DER that certificates need.
 *
 * @spec X.690 (2021) sections 8 and 10
 */

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** The bytes are not the DER that was expected. Normal for input; the caller words it for its user. */
export class BadDer extends Error {
  override readonly name = "BadDer";
}

/** One element: tag, length, then `parts` as content. */
export function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthBytes(content.length), content]);
}

/** SEQUENCE of `parts`. */
export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(TAG.sequence, ...parts);
}

/** Context tag `number`, constructed: `[0] EXPLICIT`. */
export function explicit(number: number, ...parts: readonly Uint8Array[]): Buffer {
  return element(0xa0 | number, ...parts);
}

/** INTEGER from big-endian magnitude bytes; never negative. */
export function unsignedInteger(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const magnitude = bytes.subarray(start);
  const needsZero = (magnitude[0] ?? 0) >= 0x80;
  return element(TAG.integer, ...(needsZero ? [Buffer.from([0])] : []), magnitude);
}

/** OBJECT IDENTIFIER from `1.2.840…`. */
export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap(base128);
  return element(TAG.oid, Buffer.from(bytes));
}

/** BIT STRING without unused bits. */
export function bitString(bytes: Uint8Array): Buffer {
  return element(TAG.bitString, Buffer.from([0]), bytes);
}

/** UTCTime until 2049, GeneralizedTime after. @spec RFC 5280 section 4.1.2.5 */
export function time(instant: number): Buffer {
  const text = new Date(instant).toISOString().replace(/[-:T]/g, "").slice(0, 14);
  return Number(text.slice(0, 4)) < 2050
    ? element(TAG.utcTime, Buffer.from(`${text.slice(2)}Z`))
    : element(TAG.generalizedTime, Buffer.from(`${text}Z`));
}

function lengthBytes(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest & 0xff);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}

/** An element as read: `content` without and `whole` with its head. */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  readonly whole: Buffer;
}

/** Longest length field read: 2^24 bytes is far beyond any certificate, so four would only admit nonsense. */
const LENGTH_BYTES_MAX = 3;

/** All elements of `bytes`, one after another. @throws {BadDer} */
export function readAll(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const next = readAt(bytes, at);
    elements.push(next);
    at += next.whole.length;
  }
  return elements;
}

/** The one element that fills `bytes`, of the given tag. @throws {BadDer} */
export function readOne(bytes: Buffer, tag: number): Element {
  const first = readAt(bytes, 0);
  if (first.tag !== tag || first.whole.length !== bytes.length)
    throw new BadDer(`expected one element of tag ${tag}, found tag ${first.tag}`);
  return first;
}

/** The parts of a constructed element. @throws {BadDer} */
export function children(parent: Element | undefined, tag: number = TAG.sequence): Element[] {
  return readAll(expectTag(parent, tag).content);
}

/** `found`, when it has the given tag. @throws {BadDer} */
export function expectTag(found: Element | undefined, tag: number): Element {
  if (found?.tag !== tag) throw new BadDer(`expected tag ${tag}, found ${found?.tag ?? "nothing"}`);
  return found;
}

function readAt(bytes: Buffer, at: number): Element {
  const tag = bytes[at];
  const short = bytes[at + 1];
  if (tag === undefined || short === undefined) throw new BadDer("truncated");
  const lengthBytesCount = short < 0x80 ? 0 : short & 0x7f;
  if (short === 0x80 || lengthBytesCount > LENGTH_BYTES_MAX) throw new BadDer("bad length");
  const from = at + 2 + lengthBytesCount;
  if (from > bytes.length) throw new BadDer("truncated");
  const length = lengthBytesCount === 0 ? short : bytes.readUIntBE(at + 2, lengthBytesCount);
  const to = from + length;
  if (to > bytes.length) throw new BadDer("truncated");
  return { tag, content: bytes.subarray(from, to), whole: bytes.subarray(at, to) };
}

/** `1.2.840…` of an OBJECT IDENTIFIER. @throws {BadDer} */
export function readOid(found: Element | undefined): string {
  const { content } = expectTag(found, TAG.oid);
  const numbers: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    numbers.push(value);
    value = 0;
  }
  const first = Math.min(2, Math.floor((numbers[0] ?? 0) / 40));
  return [first, (numbers[0] ?? 0) - first * 40, ...numbers.slice(1)].join(".");
}

/** The bytes of a BIT STRING that has no unused bits. @throws {BadDer} */
export function readBits(found: Element | undefined): Buffer {
  const { content } = expectTag(found, TAG.bitString);
  if (content[0] !== 0) throw new BadDer("bit string with unused bits");
  return content.subarray(1);
}

/** Milliseconds of a UTCTime or GeneralizedTime. @throws {BadDer} */
export function readTime(found: Element | undefined): number {
  const text = found?.content.toString("latin1") ?? "";
  const full =
    found?.tag === TAG.utcTime ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full);
  if (!parts) throw new BadDer("bad time");
  const [, year, month, day, hour, minute, second] = parts;
  const instant = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(instant)) throw new BadDer("bad time");
  return instant;
}
