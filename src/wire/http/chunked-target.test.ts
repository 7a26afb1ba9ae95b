import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import type { IncomingMessage } from "node:http";
import { after, describe, it } from "node:test";
import { connect } from "node:tls";
import { certificateFor } from "../../../test/support/connected-server.ts";
import type { ByteSource } from "./byte-source.ts";
import { serveHttp, type HttpServer } from "./server.ts";

const HOST = "127.0.0.1";

/** Pieces that are there at once. The same buffers for every answer, as for watchers of one resource. */
const PIECES = [
  Buffer.from("first "),
  Buffer.alloc(3 * 1024 * 1024, "long "),
  Buffer.alloc(0),
  Buffer.from("second "),
  Buffer.alloc(100 * 1024, "middle "),
  Buffer.from("last"),
];
const TEXT = Buffer.concat(PIECES).toString();

function sourceOf(pieces: readonly Buffer[]): ByteSource {
  let at = 0;
  return { read: () => pieces[at++] ?? null, onReadable: () => {}, close: () => {} };
}

describe("a body over HTTP/1.1", () => {
  const open: HttpServer[] = [];
  after(() => Promise.all(open.map((server) => server.close(0))));

  async function start(pieces = PIECES): Promise<number> {
    const server = await serveHttp({
      listen: [{ host: HOST, port: 0 }],
      ...certificateFor("server"),
      handler: () => ({ status: 200, headers: {}, body: sourceOf(pieces) }),
      bodyBytesMax: 1,
    });
    open.push(server);
    return server.addresses[0]!.port;
  }

  it("arrives whole, answer after answer on one connection", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
    const options: RequestOptions = { host: HOST, port: await start(), agent };
    const sockets = new Set<unknown>();
    for (let round = 0; round < 3; round++) {
      const text = await new Promise<string>((resolve, reject) => {
        const request = httpsRequest(options, (message: IncomingMessage) => {
          sockets.add(message.socket);
          let all = "";
          message.on("data", (piece: Buffer) => (all += piece.toString()));
          message.on("end", () => resolve(all));
        });
        request.on("error", reject).end();
      });
      assert.equal(text.length, TEXT.length);
      assert.ok(text === TEXT, "other bytes");
    }
    assert.equal(sockets.size, 1);
    agent.destroy();
  });

  it("keeps the order of requests that come together", async () => {
    const port = await start([Buffer.from("one "), Buffer.from("two")]);
    const socket = connect({ host: HOST, port, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const ask = "GET / HTTP/1.1\r\nhost: test\r\n";
    socket.write(`${ask}\r\n${ask}\r\n${ask}connection: close\r\n\r\n`);
    let text = "";
    socket.on("data", (piece: Buffer) => (text += piece.toString()));
    await once(socket, "close");
    const bodies = text.split("HTTP/1.1 200 OK").map((answer) => answer.split("\r\n\r\n")[1]);
    assert.deepEqual(bodies.slice(1), Array(3).fill("4\r\none \r\n3\r\ntwo\r\n0"));
  });
});
