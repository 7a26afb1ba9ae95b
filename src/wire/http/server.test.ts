import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import { after, describe, it } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { certificateFor } from "../../../test/support/connected-server.ts";
import {
  CODE,
  END_HEADERS,
  END_STREAM,
  FRAME,
  RawHttp2,
  frame,
  headerBlock,
  word,
} from "../../../test/support/raw-http2.ts";
import type { HttpHandler, HttpResponse } from "./exchange.ts";
import { HTTP_TIMES } from "./limits.ts";
import { serveHttp, type HttpServer } from "./server.ts";

const HOST = "127.0.0.1";
/** So short that a test may wait for it, in ms. */
const SHORT_MS = 50;
const BODY_BYTES_MAX = 1024;

const GET = { ":method": "GET", ":scheme": "https", ":path": "/", ":authority": "test" };
const POST = { ...GET, ":method": "POST" };

const answer = (text: string) => ({ status: 200, headers: {}, body: Buffer.from(text) });
const refusal = (error: unknown) => ({ ...answer((error as Error).name), status: 400 });
const echo: HttpHandler = (request) =>
  request.path === "/unread" ? answer("unread") : request.body().then(ok, refusal);
const ok = (body: Buffer) => answer(`${body.length} bytes`);

describe("a server of HTTP", () => {
  const open: HttpServer[] = [];
  after(() => Promise.all(open.map((server) => server.close(0))));

  async function start(
    times: Partial<typeof HTTP_TIMES> = {},
    handler = echo,
    connectionsMax?: number,
  ): Promise<number> {
    const server = await serveHttp({
      ...(connectionsMax !== undefined && { connectionsMax }),
      listen: [{ host: HOST, port: 0 }],
      ...certificateFor("server"),
      handler,
      bodyBytesMax: BODY_BYTES_MAX,
      times: { ...HTTP_TIMES, ...times },
    });
    open.push(server);
    return server.addresses[0]!.port;
  }

  const open1 = async (port: number): Promise<TLSSocket> => {
    const socket = connect({ host: HOST, port, rejectUnauthorized: false });
    socket.on("error", () => {});
    await once(socket, "secureConnect");
    return socket;
  };

  /** Everything a connection sends until it ends. */
  const allOf = async (socket: NodeJS.ReadableStream): Promise<string> => {
    let text = "";
    socket.on("data", (piece: Buffer) => (text += piece.toString()));
    await once(socket, "close");
    return text;
  };

  const request = (stream: number, headers: object, flags = END_HEADERS | END_STREAM) =>
    frame(FRAME.headers, flags, stream, headerBlock(headers as Record<string, string>));

  it("refuses CONNECT, which has no path", async () => {
    const client = await RawHttp2.open(await start());
    client.send(request(1, { ":method": "CONNECT", ":authority": "elsewhere:443" }));
    await client.next(FRAME.headers, 1);
    client.send(request(3, GET));
    assert.equal(String((await client.next(FRAME.data, 3)).payload), "0 bytes");
    client.close();
  });

  describe("lets go of", () => {
    it("a connection that never begins TLS", async () => {
      const socket = connectPlain(await start({ handshakeMs: SHORT_MS }), HOST);
      assert.equal(await allOf(socket), "");
    });

    it("headers that do not end, HTTP/1.1", async () => {
      const socket = await open1(await start({ headersMs: SHORT_MS }));
      socket.write("GET / HTTP/1.1\r\nHost: test\r\nX-A: ");
      assert.match(await allOf(socket), /^HTTP\/1.1 (408|400) /);
    });

    it("a connection without a first request, HTTP/1.1", async () => {
      const socket = await open1(await start({ headersMs: SHORT_MS }));
      assert.match(await allOf(socket), /^(HTTP\/1.1 408 .*)?$/s);
    });

    it("a connection without requests, HTTP/2", async () => {
      const client = await RawHttp2.open(await start({ idleMs: SHORT_MS }));
      await client.closed;
    });

    it("a body that does not end, HTTP/1.1, after saying so", async () => {
      const socket = await open1(await start({ bodyMs: SHORT_MS }));
      socket.write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nab");
      const text = await allOf(socket);
      assert.match(text, /^HTTP\/1.1 400 .*BodyTooSlow$/s);
    });

    it("a body that does not end and that nobody reads, HTTP/1.1", async () => {
      const socket = await open1(await start({ bodyMs: SHORT_MS }));
      socket.write("POST /unread HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nab");
      assert.match(await allOf(socket), /^HTTP\/1.1 200 .*unread$/s);
    });

    it("a body that does not end, HTTP/2, after saying so", async () => {
      const client = await RawHttp2.open(await start({ bodyMs: SHORT_MS }));
      client.send(request(1, POST, END_HEADERS));
      assert.equal(String((await client.next(FRAME.data, 1)).payload), "BodyTooSlow");
      assert.equal((await client.next(FRAME.reset, 1)).payload.readUInt32BE(), CODE.none);
      client.close();
    });

    it("streams whose request goes on after the answer", async () => {
      const client = await RawHttp2.open(await start());
      for (const [stream, headers] of [
        [1, GET],
        [3, { ...POST, ":path": "/unread" }],
      ] as const) {
        client.send(request(stream, headers, END_HEADERS));
        assert.equal((await client.next(FRAME.reset, stream)).payload.readUInt32BE(), CODE.none);
        assert.ok(client.received.some((one) => one.type === FRAME.data && one.stream === stream));
      }
      client.close();
    });

    it("an answer that nobody takes", async () => {
      const big = (): ReturnType<typeof answer> => answer("x".repeat(100_000));
      const client = await RawHttp2.open(await start({ answerMs: SHORT_MS }, big), [[4, 0]]);
      client.send(request(1, GET));
      assert.equal((await client.next(FRAME.reset, 1)).payload.readUInt32BE(), CODE.cancel);
      client.close();
    });
  });

  it("answers 413 to a body over the limit, chunked and without a length", async () => {
    const socket = await open1(await start());
    const chunk = `400\r\n${"x".repeat(1024)}\r\n`;
    socket.write("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    socket.write(`${chunk}${chunk}0\r\n\r\n`);
    const [piece] = (await once(socket, "data")) as [Buffer];
    assert.match(piece.toString(), /BodyTooLarge$/);
    socket.destroy();
  });

  it("begins a request on HTTP/1.1 when the one before it is answered", async () => {
    const begun: string[] = [];
    let answerFirst: (response: HttpResponse) => void = () => {};
    const port = await start({}, ({ path }) => {
      begun.push(path);
      return path === "/1" ? new Promise((resolve) => (answerFirst = resolve)) : answer(path);
    });
    const socket = await open1(port);
    const asked = (path: string, connection: string) =>
      `GET ${path} HTTP/1.1\r\nHost: test\r\nConnection: ${connection}\r\n\r\n`;
    socket.write(asked("/1", "keep-alive") + asked("/2", "keep-alive") + asked("/3", "close"));
    // Another connection is served meanwhile, so the three have come.
    const other = await open1(port);
    other.write(asked("/other", "close"));
    await allOf(other);
    assert.deepEqual(begun, ["/1", "/other"]);
    answerFirst(answer("/1"));
    assert.match(await allOf(socket), /\/1.*\/2.*\/3/s);
    assert.deepEqual(begun, ["/1", "/other", "/2", "/3"]);
  });

  it("ends a connection on which ever more requests wait", async () => {
    const port = await start({}, () => new Promise(() => {}));
    const socket = await open1(port);
    const one = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
    for (let count = 0; count < 20; count++) socket.write(one.repeat(50));
    await allOf(socket);
  });

  it("has room for a client however many others do nothing with their connections", async () => {
    let asked = 0;
    let wake = (): void => {};
    const areAsked = new Promise<void>((resolve) => (wake = resolve));
    const waiting: HttpHandler = (request) => {
      if (request.path !== "/waits") return answer("here");
      if (++asked === 2) wake();
      return new Promise(() => {});
    };
    const port = await start({}, waiting, 20);
    const busy = await RawHttp2.open(port);
    busy.send(request(1, { ...GET, ":path": "/waits" }));
    const old = await open1(port);
    old.write("GET /waits HTTP/1.1\r\nHost: test\r\n\r\n");
    await areAsked;
    const idle = await Promise.all(Array.from({ length: 60 }, () => open1(port)));
    const client = await RawHttp2.open(port);
    client.send(request(1, GET));
    assert.equal(String((await client.next(FRAME.data, 1)).payload), "here");
    assert.ok(!busy.socket.closed && !old.closed, "those with requests stay");
    client.close();
    busy.close();
    for (const socket of [old, ...idle]) socket.destroy();
  });

  it("ends at once while connections are half open", async () => {
    const port = await start();
    const half = connectPlain(port, HOST);
    await once(half, "connect");
    const begun = connectPlain(port, HOST);
    begun.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
    await open1(port);
    half.on("error", () => {});
    begun.on("error", () => {});
    const closed = Promise.all([once(half, "close"), once(begun, "close")]);
    await open.at(-1)!.close(0);
    await closed;
  });

  describe("ends a connection of", () => {
    const floods: readonly (readonly [string, (index: number) => Buffer])[] = [
      [
        "rapid resets",
        (at) =>
          Buffer.concat([
            request(at * 2 + 1, POST, END_HEADERS),
            frame(FRAME.reset, 0, at * 2 + 1, word(CODE.cancel)),
          ]),
      ],
      [
        "resets that it provokes",
        (at) =>
          Buffer.concat([
            request(at * 2 + 1, POST, END_HEADERS),
            frame(FRAME.windowUpdate, 0, at * 2 + 1, word(0)),
          ]),
      ],
      ["pings", () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))],
      ["settings", () => frame(FRAME.settings, 0, 0, Buffer.from([0, 4, 0, 1, 0, 0]))],
    ];
    for (const [name, make] of floods)
      it(name, async () => {
        const client = await RawHttp2.open(await start());
        await client.flood(100_000, make, 50);
        await client.closed;
      });

    it("headers that go on for ever", async () => {
      const client = await RawHttp2.open(await start());
      client.send(request(1, GET, 0));
      const filler = headerBlock({ "x-filler": "x".repeat(16_000) });
      await client.flood(10_000, () => frame(FRAME.continuation, 0, 1, filler), 5);
      await client.closed;
    });
  });
});
