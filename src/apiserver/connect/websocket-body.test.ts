import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { WebSocket } from "ws";
import { ConfigMap } from "../../api/core/config-map.ts";
import {
  ask101,
  startConnected,
  type ConnectedServer,
} from "../../../test/support/connected-server.ts";

const LOG = "/api/v1/namespaces/default/pods/pod/log";

describe("bodies over a WebSocket", () => {
  let server: ConnectedServer;
  before(async () => {
    server = await startConnected();
    server.peer.onRequest = (_, response) => {
      response.write("container is ");
      setImmediate(() => response.end("alive\n"));
    };
  });
  after(() => server.close());

  /** Collects messages until `isEnough`, or until the server closes. */
  function collect(
    path: string,
    protocols: readonly string[],
    isEnough: (messages: readonly string[]) => boolean = () => false,
  ): Promise<{ messages: string[]; protocol: string; isBinary: boolean; code: number }> {
    return new Promise((resolve, reject) => {
      const client = new WebSocket(`wss://127.0.0.1:${server.port}${path}`, [...protocols], {
        rejectUnauthorized: false,
      });
      const messages: string[] = [];
      let isBinary = false;
      client.on("message", (data: Buffer, binary) => {
        isBinary = binary;
        messages.push(data.toString());
        if (isEnough(messages)) client.close();
      });
      client.on("error", reject);
      client.on("close", (code) =>
        resolve({ messages, protocol: client.protocol, isBinary, code }),
      );
    });
  }

  it("a log comes as bytes, and the connection is closed at its end", async () => {
    for (const protocols of [[], ["binary.k8s.io"]]) {
      const got = await collect(LOG, protocols);
      assert.equal(got.messages.join(""), "container is alive\n");
      assert.deepEqual([got.protocol, got.isBinary, got.code], [protocols[0] ?? "", true, 1000]);
    }
  });

  it("or as base64 text", async () => {
    const { messages, isBinary } = await collect(LOG, ["base64.binary.k8s.io"]);
    const texts = messages.map((message) => Buffer.from(message, "base64").toString());
    assert.deepEqual([texts.join(""), isBinary], ["container is alive\n", false]);
  });

  it("a watch comes as one text for each event", async () => {
    const { client } = server;
    for (const name of ["a", "b"])
      await client.create(ConfigMap, { metadata: { name, namespace: "default" } });
    const path = "/api/v1/namespaces/default/configmaps?watch=1";
    const { messages } = await collect(path, [], (seen) => seen.length === 2);
    assert.deepEqual(
      messages.map((message) => {
        const { type, object } = JSON.parse(message) as { type: string; object: ConfigMap };
        return `${type} ${object.metadata?.name}`;
      }),
      ["ADDED a", "ADDED b"],
    );
  });

  it("other subprotocols, and what is no handshake, are refused", async () => {
    const headers = { upgrade: "websocket", "sec-websocket-protocol": "else" };
    const none = await ask101(server, "GET", LOG, headers);
    assert.match(none.text, /the request is no WebSocket handshake/);
    const key = { ...headers, "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==" };
    const unknown = await ask101(server, "GET", LOG, key);
    assert.match(unknown.text, /requested protocol\(s\) are not supported: \[else\]/);
    assert.equal(unknown.status, 400);
  });

  it("an error is an ordinary answer", async () => {
    const path = LOG.replace("/pod/", "/gone/");
    const key = { upgrade: "websocket", "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==" };
    assert.equal((await ask101(server, "GET", path, key)).status, 404);
  });
});
