import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { after, before, describe, it } from "node:test";
import { SystemClock } from "../../base/system-clock.ts";
import { joinRuntime } from "./runtime-stream.ts";

const HOST = "127.0.0.1";
const SWITCH =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n";
/** A request for another stream, which a caller sends behind its own. */
const SMUGGLED = "GET /exec/other HTTP/1.1\r\nHost: x\r\n\r\n";

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

describe("joinRuntime", () => {
  const open = new Set<Duplex>();
  let runtime: Server;
  let kubelet: Server;
  let answer = SWITCH;
  /** What the runtime saw: heads of requests, then everything behind them. */
  let heads: string[] = [];
  let behind = "";
  let runtimeClosed: Promise<unknown> | undefined;

  before(async () => {
    runtime = createServer().on("upgrade", (request, socket: Duplex, head: Buffer) => {
      open.add(socket);
      heads.push(
        `${request.url} ${request.rawHeaders.filter((_, at) => request.rawHeaders[at - 1] === "x-stream-protocol-version").join("|")}`,
      );
      behind += head.toString();
      runtimeClosed = once(socket, "close");
      socket.on("error", () => {});
      socket.on("end", () => socket.end());
      socket.on("data", (piece: Buffer) => {
        behind += piece.toString();
        if (answer === SWITCH) socket.write(`echo ${piece.toString()}`);
      });
      socket.write(answer);
    });
    kubelet = createServer().on("upgrade", (request, socket: Duplex, head: Buffer) => {
      open.add(socket);
      const target = new URL(`http://${HOST}:${portOf(runtime)}/exec/token`);
      void joinRuntime({ request, socket, head }, target, new SystemClock()).then((refusal) => {
        if (refusal) socket.end(`refused ${refusal.code} ${refusal.message}`);
      });
    });
    for (const server of [runtime, kubelet]) {
      server.listen(0, HOST);
      await once(server, "listening");
    }
  });
  after(() => {
    for (const socket of open) socket.destroy();
    runtime.close();
    kubelet.close();
  });

  function ask(behindIt = ""): Socket {
    [heads, behind] = [[], ""];
    const socket = connect(portOf(kubelet), HOST);
    const protocols =
      "X-Stream-Protocol-Version: v4.channel.k8s.io\r\nX-Stream-Protocol-Version: channel.k8s.io\r\n";
    socket.write(
      `POST /exec/a/web/app?command=x HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n` +
        `Authorization: Bearer canary\r\n${protocols}\r\n${behindIt}`,
    );
    return socket;
  }

  const allOf = async (socket: Socket): Promise<string> => {
    let text = "";
    socket.on("data", (piece: Buffer) => (text += piece.toString()));
    await once(socket, "close");
    return text;
  };

  it("joins both sides once the runtime has switched, repeated headers as they were", async () => {
    answer = SWITCH;
    const socket = ask("hello");
    let text = "";
    for await (const piece of socket) {
      text += String(piece);
      if (text.endsWith("echo hello")) break;
    }
    assert.ok(text.startsWith("HTTP/1.1 101 "), text);
    assert.deepEqual(heads, ["/exec/token v4.channel.k8s.io|channel.k8s.io"]);
    socket.destroy();
    await runtimeClosed;
  });

  for (const status of ["404 Not Found", "200 OK", "302 Found"])
    it(`after a ${status} both are closed, and nothing more goes to the runtime (CVE-2018-1002105)`, async () => {
      answer = `HTTP/1.1 ${status}\r\nLocation: http://${HOST}:1/\r\nContent-Length: 4\r\n\r\nno: `;
      const text = await allOf(ask(SMUGGLED));
      assert.equal(text, `refused ${status.startsWith("404") ? 404 : 502} no: `);
      await runtimeClosed;
      assert.deepEqual([heads.length, behind], [1, ""]);
    });
});
