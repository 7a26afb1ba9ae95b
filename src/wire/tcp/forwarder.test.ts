import assert from "node:assert/strict";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { describe, it } from "node:test";
import { TcpForwarder } from "./forwarder.ts";

/** An echo server that ends when its client does. */
async function echo(): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

function read(socket: Socket): Promise<string> {
  let text = "";
  return new Promise((resolve, reject) => {
    socket.setEncoding("utf8").on("data", (part: string) => (text += part));
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}

describe("TcpForwarder", () => {
  it("joins both directions, and an end of one side ends the other", async () => {
    const far = await echo();
    const forwarder = await TcpForwarder.listen({ host: "127.0.0.1", port: far.port });
    const socket = connect(forwarder.port, "127.0.0.1");
    const answer = read(socket);
    socket.end("over there and back");
    assert.equal(await answer, "over there and back");
    forwarder.close();
    far.close();
  });

  it("ends a connection whose target refuses, and listens on", async () => {
    const gone = await echo();
    gone.close();
    const forwarder = await TcpForwarder.listen({ host: "127.0.0.1", port: gone.port });
    for (const _ of [1, 2]) assert.equal(await read(connect(forwarder.port, "127.0.0.1")), "");
    forwarder.close();
  });

  it("ends open connections when it is closed, and refuses others", async () => {
    const far = await echo();
    const forwarder = await TcpForwarder.listen({ host: "127.0.0.1", port: far.port });
    const socket = connect(forwarder.port, "127.0.0.1");
    const answer = read(socket);
    await new Promise((resolve) => {
      socket.once("data", resolve);
      socket.write("x");
    });
    forwarder.close();
    assert.equal(await answer, "x");
    await assert.rejects(read(connect(forwarder.port, "127.0.0.1")), /ECONNREFUSED/);
    far.close();
  });
});
