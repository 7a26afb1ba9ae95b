import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { after, before, describe, it } from "node:test";
import {
  ask,
  ask101,
  startConnected,
  type ConnectedServer,
} from "../../../test/support/connected-server.ts";

const POD = "/api/v1/namespaces/default/pods/pod";
const SPDY = { upgrade: "SPDY/3.1", "x-stream-protocol-version": "v4.channel.k8s.io" };
const SWITCH =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n" +
  "X-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n";

/** All that comes until the end. */
async function read(socket: Duplex): Promise<string> {
  let text = "";
  for await (const piece of socket) text += String(piece);
  return text;
}

describe("pods/exec, attach, portforward", () => {
  let server: ConnectedServer;
  let asked: IncomingMessage;
  let mayCreate = true;
  const seen = new Set<string>();
  const echo = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    asked = request;
    socket.allowHalfOpen = true;
    socket.write(SWITCH);
    socket.unshift(head);
    socket.pipe(socket);
  };
  before(async () => {
    server = await startConnected({
      authorizers: () => [
        {
          authorize: (_user, { verb, subresource }) => {
            seen.add(`${verb} ${subresource}`);
            return { isAllowed: verb !== "create" || subresource === "" || mayCreate, reason: "" };
          },
        },
      ],
    });
  });
  after(() => server.close());

  it("joins client and kubelet, byte for byte, each end passed on by itself", async () => {
    server.peer.onUpgrade = echo;
    const path = `${POD}/exec?command=ls&command=-l%20a&stdin=true&stdout=true&tty=false`;
    const { status, headers, socket } = await ask101(server, "POST", path, {
      ...SPDY,
      authorization: "Bearer secret",
      "impersonate-user": "root",
      "x-remote-user": "root",
    });
    assert.equal(status, 101);
    assert.equal(headers["x-stream-protocol-version"], "v4.channel.k8s.io");
    const bytes = "0123456789".repeat(100_000);
    socket!.write(bytes.slice(0, 10));
    socket!.end(bytes.slice(10));
    assert.equal(await read(socket!), bytes);
    const query = "input=1&output=1&command=ls&command=-l+a";
    assert.equal(asked.url, `/exec/default/pod/app?${query}`);
    assert.equal(asked.headers["x-forwarded-for"], "127.0.0.1");
    for (const name of ["authorization", "impersonate-user", "x-remote-user"])
      assert.equal(asked.headers[name], undefined, name);
  });

  it("knows the kubelet's paths", async () => {
    server.peer.onUpgrade = echo;
    const cases: readonly (readonly [string, string])[] = [
      ["pod/attach?stdout=1&stderr=1&tty=1", "/attach/default/pod/app?output=1&error=1&tty=1"],
      ["two/exec?container=side&command=x", "/exec/default/two/side?command=x"],
      ["pod/portforward", "/portForward/default/pod"],
      ["pod/portforward?ports=80&ports=81", "/portForward/default/pod?port=80%2C81"],
    ];
    for (const [path, url] of cases) {
      const { socket } = await ask101(
        server,
        "GET",
        `/api/v1/namespaces/default/pods/${path}`,
        SPDY,
      );
      socket!.destroy();
      assert.equal(asked.url, url);
    }
  });

  it("the connection of one that goes away is closed on the other side", async () => {
    let kubelet: Duplex | undefined;
    server.peer.onUpgrade = (request, socket, head) => {
      kubelet = socket;
      echo(request, socket, head);
    };
    for (const leaves of ["client", "kubelet"]) {
      const { socket } = await ask101(server, "POST", `${POD}/exec?command=x`, SPDY);
      socket!.on("error", () => {});
      const other = leaves === "client" ? kubelet! : socket!;
      const closed = once(other, "close");
      other.resume();
      (leaves === "client" ? socket! : kubelet!).destroy();
      await closed;
    }
  });

  it("after any answer but 101 the kubelet's connection is closed and never used again", async () => {
    for (const code of [403, 500, 200]) {
      let ended: Promise<unknown> | undefined;
      let bytesAfter = 0;
      server.peer.onUpgrade = (_, socket) => {
        ended = once(socket, "close");
        socket.on("data", (piece: Buffer) => (bytesAfter += piece.length));
        socket.write(`HTTP/1.1 ${code} -\r\nContent-Length: 3\r\nX-Why: y\r\n\r\nnot`);
      };
      const before = server.peer.connections;
      const answer = await ask101(server, "POST", `${POD}/exec?command=x`, SPDY);
      const expected = code === 200 ? "invalid upgrade response: status code 200" : "not";
      assert.equal(answer.status, code === 200 ? 500 : code);
      assert.ok(answer.text.includes(expected), answer.text);
      await ended;
      assert.equal(bytesAfter, 0);
      assert.equal((await ask(server, "GET", `${POD}/log`)).text, "ok");
      assert.ok(server.peer.connections > before);
    }
  });

  it("refuses what is no upgrade, or leads nowhere", async () => {
    const plain = await ask(server, "POST", `${POD}/exec?command=x`);
    assert.deepEqual(
      [plain.status, (JSON.parse(plain.text) as Error).message],
      [400, "Upgrade request required"],
    );
    const cases: readonly (readonly [string, number, string])[] = [
      ["none/exec", 404, 'pods "none" not found'],
      ["nowhere/exec", 400, "pod nowhere does not have a host assigned"],
      [
        "two/attach",
        400,
        "a container name must be specified for pod two, choose one of: [app side]",
      ],
      ["pod/portforward?ports=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    ];
    for (const [path, code, message] of cases) {
      const to = `/api/v1/namespaces/default/pods/${path}`;
      const { status, text } = await ask101(server, "POST", to, SPDY);
      assert.deepEqual([status, (JSON.parse(text) as Error).message], [code, message]);
    }
  });

  it("WebSockets: those of runtimes pass, v5 and tunnels are refused so that clients take SPDY", async () => {
    server.peer.onUpgrade = echo;
    const websocket = (protocol: string): Record<string, string> => ({
      upgrade: "websocket",
      "sec-websocket-protocol": protocol,
    });
    for (const protocol of ["v5.channel.k8s.io", "SPDY/3.1+portforward.k8s.io"]) {
      const { status } = await ask101(server, "GET", `${POD}/exec?command=x`, websocket(protocol));
      assert.equal(status, 400);
    }
    const offered = "base64url.bearer.authorization.k8s.io.dG9rZW4, v4.channel.k8s.io";
    const { status, socket } = await ask101(
      server,
      "GET",
      `${POD}/exec?command=x`,
      websocket(offered),
    );
    socket!.destroy();
    assert.equal(status, 101);
    assert.equal(asked.headers["sec-websocket-protocol"], "v4.channel.k8s.io");
    mayCreate = false;
    const denied = await ask101(server, "GET", `${POD}/exec?command=x`, websocket(offered));
    mayCreate = true;
    assert.equal(denied.status, 403, "who may only read must not run commands");
  });
});
