/**
 * The wire format of protobuf: numbers, lengths and tags, without any message.
 *
 * @spec protobuf.dev/programming-guides/encoding
 */
export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
export const WIRE_FIXED32 = 5;

/** The bytes are no message of the expected type. Messages are Go's: clients show them. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
}

/** What stands before every field. */
export interface Tag {
  readonly number: number;
  readonly wireType: number;
}

/** Of a varint: 64 bits, seven in a byte. */
const VARINT_BYTES_MAX = 10;
/** Bytes whose bits surely fit a JavaScript number: the fast path. */
const PLAIN_BYTES_MAX = 7;

/**
 * A cursor over one message's bytes. Never reads outside them.
 *
 * @throws {ProtobufError} truncated or malformed
 */
export class ProtobufReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  tag(): Tag {
    const tag = this.varint();
    const [number, wireType] = [Math.floor(tag / 8), tag & 7];
    if (number <= 0 || number > 2 ** 29 - 1)
      throw new ProtobufError(`proto: illegal tag ${number} (wire type ${wireType})`);
    return { number, wireType };
  }

  /** Signed 64 bits as a number; beyond 2^53 rounded. */
  varint(): number {
    let value = 0;
    let scale = 1;
    const from = this.#at;
    for (let count = 0; count < PLAIN_BYTES_MAX; count++) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    this.#at = from;
    return Number(this.#longVarint());
  }

  #longVarint(): bigint {
    let value = 0n;
    for (let count = 0; count < VARINT_BYTES_MAX; count++) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << BigInt(count * 7);
      if (byte < 128) return BigInt.asIntN(64, value);
    }
    throw new ProtobufError("proto: integer overflow");
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new ProtobufError("unexpected EOF");
    return byte;
  }

  /** A field of bytes: its length, then as many. Shared with the input. */
  bytes(): Buffer {
    const length = this.varint();
    if (length < 0) throw new ProtobufError("proto: negative length found during unmarshaling");
    return this.#take(length);
  }

  double(): number {
    return this.#take(8).readDoubleLE();
  }

  /** Steps over a value that nobody wants. */
  skip(wireType: number): void {
    if (wireType === WIRE_VARINT) this.varint();
    else if (wireType === WIRE_FIXED64) this.#take(8);
    else if (wireType === WIRE_BYTES) this.bytes();
    else if (wireType === WIRE_FIXED32) this.#take(4);
    else throw new ProtobufError(`proto: illegal wireType ${wireType}`);
  }

  #take(length: number): Buffer {
    const from = this.#at;
    if (length > this.#bytes.length - from) throw new ProtobufError("unexpected EOF");
    this.#at += length;
    return this.#bytes.subarray(from, this.#at);
  }
}

/** Collects the fields of one message. */
export class ProtobufWriter {
  readonly #parts: Uint8Array[] = [];

  varint(number: number, value: number): void {
    this.#parts.push(varint(number * 8 + WIRE_VARINT), varint(value));
  }

  bytes(number: number, value: Uint8Array): void {
    this.#parts.push(varint(number * 8 + WIRE_BYTES), varint(value.length), value);
  }

  double(number: number, value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.#parts.push(varint(number * 8 + WIRE_FIXED64), bytes);
  }

  end(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

function varint(value: number): Uint8Array {
  if (value >= 0 && value < 128) return Uint8Array.of(value);
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
