import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";

/** Types of frames. @spec RFC 9113 section 6 */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const END_STREAM = 1;
export const END_HEADERS = 4;
export const ACK = 1;

/** Error codes. @spec RFC 9113 section 7 */
export const CODE = { none: 0, protocol: 1, flowControl: 3, cancel: 8, calm: 11 } as const;

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const HEAD_BYTES = 9;

/** One frame as bytes. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A field of four bytes, as RST_STREAM and WINDOW_UPDATE have it. */
export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Headers without compression or table. @spec RFC 7541 section 6.2.2 */
export function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, "latin1");
    return Buffer.concat([lengthOf(bytes.length), bytes]);
  };
  return Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]),
  );
}

/** An integer of HPACK with a prefix of 7 bits. */
function lengthOf(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

export interface Received {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A client of HTTP/2 that sends what it is told to, right or wrong, and notes what comes back. */
export class RawHttp2 {
  readonly socket: TLSSocket;
  readonly received: Received[] = [];
  readonly closed: Promise<unknown>;
  #bytes: Buffer = Buffer.alloc(0);

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on("data", (piece: Buffer) => this.#read(piece));
    // A reset is an end, too.
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => socket.on("close", resolve));
  }

  /** `settings`: pairs of identifier and value. */
  static async open(port: number, settings: readonly [number, number][] = []): Promise<RawHttp2> {
    const options = { host: "127.0.0.1", port, ALPNProtocols: ["h2"], rejectUnauthorized: false };
    const socket = connect(options);
    await once(socket, "secureConnect");
    const client = new RawHttp2(socket);
    const payload = Buffer.concat(
      settings.map(([id, value]) => Buffer.concat([Buffer.from([id >> 8, id & 255]), word(value)])),
    );
    client.send(PREFACE, frame(FRAME.settings, 0, 0, payload));
    return client;
  }

  send(...bytes: readonly Buffer[]): boolean {
    return this.socket.writable && this.socket.write(Buffer.concat(bytes));
  }

  /** Sends `bytes` `count` times, no faster than the server takes them, until it closes. */
  async flood(count: number, make: (index: number) => Buffer, atOnce = 100): Promise<void> {
    for (let sent = 0; sent < count && this.socket.writable; sent += atOnce) {
      const part = Array.from({ length: Math.min(atOnce, count - sent) }, (_, at) =>
        make(sent + at),
      );
      if (!this.send(...part))
        await Promise.race([once(this.socket, "drain").catch(() => {}), this.closed]);
    }
  }

  /** The codes of GOAWAY frames so far. */
  get goAways(): readonly number[] {
    return this.received
      .filter(({ type }) => type === FRAME.goAway)
      .map(({ payload }) => payload.readUInt32BE(4));
  }

  /** Resolves when a frame of this type has come; for a stream, if one is named. */
  async next(type: number, stream?: number): Promise<Received> {
    for (;;) {
      const found = this.received.find(
        (one) => one.type === type && (stream === undefined || one.stream === stream),
      );
      if (found) return found;
      if (this.socket.closed) throw new Error(`closed before a frame of type ${type}`);
      await Promise.race([once(this.socket, "data"), this.closed]);
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #read(piece: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, piece]);
    while (this.#bytes.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < end) return;
      this.received.push({
        type: this.#bytes[3]!,
        flags: this.#bytes[4]!,
        stream: this.#bytes.readUInt32BE(5),
        payload: Buffer.from(this.#bytes.subarray(HEAD_BYTES, end)),
      });
      this.#bytes = this.#bytes.subarray(end);
    }
  }
}
