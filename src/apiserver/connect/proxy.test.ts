import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:http2";
import { after, before, describe, it } from "node:test";
import {
  ask,
  ask101,
  startConnected,
  type ConnectedServer,
} from "../../../test/support/connected-server.ts";

const IN = "/api/v1/namespaces/default";
const WEB = `${IN}/services/https:web:http/proxy`;

describe("proxies", () => {
  let server: ConnectedServer;
  let asked: IncomingMessage;
  let body = "";
  const answering =
    (answer: (response: ServerResponse) => void) =>
    (request: IncomingMessage, response: ServerResponse): void => {
      asked = request;
      body = "";
      request.on("data", (piece) => (body += String(piece)));
      request.on("end", () => answer(response));
    };
  const messageOf = async (path: string): Promise<readonly [number, string]> => {
    const { status, text } = await ask(server, "GET", path);
    return [status, (JSON.parse(text) as Error).message];
  };
  before(async () => {
    server = await startConnected();
  });
  after(() => server.close());

  it("finds pod, service and node by name, scheme and port", async () => {
    server.peer.onRequest = answering((response) => response.end("here"));
    const { port } = server.peer;
    for (const path of [
      `${IN}/pods/https:pod:${port}/proxy/`,
      `${IN}/pods/https:pod:/proxy/`,
      `${IN}/services/https:web:http/proxy/`,
      `${IN}/services/https:web:80/proxy/`,
      "/api/v1/nodes/node/proxy/",
      `/api/v1/nodes/node:${port}/proxy/`,
      "/api/v1/proxy/namespaces/default/services/https:web:80/",
      `/api/v1/proxy/namespaces/default/pods/https:pod:${port}/a/b`,
      "/api/v1/proxy/nodes/node/",
    ])
      assert.deepEqual([path, (await ask(server, "GET", path)).text], [path, "here"]);
  });

  it("says why there is nowhere to go", async () => {
    const cases: readonly (readonly [string, number, string])[] = [
      [`${IN}/services/web:81/proxy/`, 503, 'no service port 81 found for service "web"'],
      [`${IN}/services/web:none/proxy/`, 503, 'no endpoints available for service "web"'],
      [`${IN}/services/web/proxy/`, 503, 'no endpoints available for service "web"'],
      [`${IN}/services/none/proxy/`, 404, 'services "none" not found'],
      [`${IN}/services/ftp:web:http/proxy/`, 400, 'invalid service request "ftp:web:http"'],
      [`${IN}/pods/a:b:c:d/proxy/`, 400, 'invalid pod request "a:b:c:d"'],
      ["/api/v1/nodes/none/proxy/", 404, 'nodes "none" not found'],
    ];
    for (const [path, code, message] of cases)
      assert.deepEqual([path, ...(await messageOf(path))], [path, code, message]);
    const [status, message] = await messageOf(`${IN}/pods/http:pod:1/proxy/`);
    assert.equal(status, 503);
    const refused = "dial tcp 127.0.0.1:1: connect: connection refused";
    assert.equal(message, `error trying to reach service: ${refused}`);
  });

  it("passes method, path, query, body and headers on, but nothing of the connection or of who asks", async () => {
    server.peer.onRequest = answering((response) => {
      const hop = { connection: "x-hop", "x-hop": "1", "keep-alive": "timeout=1" };
      const cors = { "access-control-allow-origin": "*" };
      response.writeHead(201, { ...hop, ...cors, "set-cookie": ["a", "b"], "x-own": "1" });
      response.end("made");
    });
    const path = `${WEB}/a%20b//c/../d/?dryRun=whatever&wsdl&x=%2F`;
    const headers = {
      host: "cluster:1",
      authorization: "Bearer secret",
      "impersonate-user": "root",
      connection: "x-mine",
      "x-mine": "1",
      "x-forwarded-for": "10.0.0.9",
      "x-app": "1",
    };
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const content = method === "DELETE" ? {} : { body: "x".repeat(4 * 1024 * 1024) };
      const answer = await ask(server, method, path, { headers, ...content });
      assert.deepEqual([asked.method, asked.url], [method, "/a%20b/d/?dryRun=whatever&wsdl&x=%2F"]);
      assert.equal(body.length, content.body?.length ?? 0);
      assert.deepEqual([answer.status, answer.text], [201, "made"]);
      assert.deepEqual(answer.headers["set-cookie"], ["a", "b"]);
      assert.equal(answer.headers["x-own"], "1");
      for (const name of ["x-hop", "access-control-allow-origin"])
        assert.equal(answer.headers[name], undefined, name);
    }
    const got = asked.headers;
    assert.equal(got["x-forwarded-for"], "10.0.0.9, 127.0.0.1");
    assert.equal(got["x-forwarded-uri"], `${WEB}/a%20b/d/`);
    assert.deepEqual([got["host"], got["x-app"]], ["cluster:1", "1"]);
    for (const name of ["authorization", "impersonate-user", "x-mine"])
      assert.equal(got[name], undefined, name);
  });

  it("the first page has a slash at its end; all other paths are as they were asked for", async () => {
    server.peer.onRequest = answering((response) => response.end());
    const { status, headers } = await ask(server, "GET", `${WEB}?q=1`);
    assert.deepEqual([status, headers.location], [301, `${WEB}/?q=1`]);
    const old = "/api/v1/proxy/namespaces/default/services/https:web:http";
    assert.equal((await ask(server, "GET", old)).headers.location, `${old}/`);
    await ask(server, "GET", `${old}/a/?q=1`);
    assert.equal(asked.url, "/a/?q=1");
    for (const [path, url] of [
      ["/", "/"],
      ["/a", "/a"],
      ["/a/", "/a/"],
      ["/..%2f..%2fa%3Fb", "/a%3Fb"],
    ]) {
      await ask(server, "GET", WEB + path!);
      assert.equal(asked.url, url);
    }
    await ask(server, "POST", WEB);
    assert.equal(asked.url, "/");
  });

  it("redirects are answers: not followed, and led through the proxy where they stay on the host", async () => {
    const own = `https://127.0.0.1:${server.peer.port}`;
    for (const [location, expected] of [
      ["/login?next=/", `${WEB}/login?next=/`],
      [`${own}/a/#b`, `${WEB}/a/#b`],
      ["next", "next"],
      ["https://elsewhere/a", "https://elsewhere/a"],
      [`${WEB}/there`, `${WEB}/there`],
    ]) {
      const before = server.peer.connections;
      server.peer.onRequest = answering((response) => {
        response.writeHead(302, { location }).end();
      });
      const { status, headers } = await ask(server, "GET", `${WEB}/`);
      assert.deepEqual([status, headers.location], [302, expected]);
      assert.ok(server.peer.connections - before <= 1);
    }
  });

  it("links of pages lead through the proxy", async () => {
    server.peer.onRequest = answering((response) => {
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.write("<a hr");
      setImmediate(() => response.end('ef="/rewriteme">tést</a>'));
    });
    const { text } = await ask(server, "GET", `${WEB}/`);
    assert.equal(text, `<a href="${WEB}/rewriteme">tést</a>`);
  });

  it("WebSockets go through services", async () => {
    server.peer.onUpgrade = (request, socket) => {
      asked = request;
      socket.write("HTTP/1.1 101 -\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello ");
      socket.pipe(socket);
    };
    const answer = await ask101(server, "GET", `${WEB}/chat?room=1`, {
      upgrade: "websocket",
      "sec-websocket-protocol": "chat",
    });
    answer.socket!.write("world");
    let text = "";
    while (text.length < 11) text += String((await once(answer.socket!, "data"))[0]);
    answer.socket!.destroy();
    assert.equal(text, "hello world");
    assert.deepEqual(
      [asked.url, asked.headers["sec-websocket-protocol"], asked.headers["connection"]],
      ["/chat?room=1", "chat", "Upgrade"],
    );
  });

  it("serves HTTP/2 clients, whatever headers the other side sets", async () => {
    server.peer.onRequest = answering((response) => {
      response.writeHead(200, { connection: "close", upgrade: "h2c", "http2-settings": "x" });
      response.end(asked.headers.host);
    });
    const session = connect(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false });
    const stream = session.request({ ":path": `${WEB}/` });
    let text = "";
    for await (const piece of stream) text += String(piece);
    session.close();
    assert.equal(text, `127.0.0.1:${server.port}`);
  });

  it("a client that goes away amid its body is not taken for one that is done", async () => {
    const over = new Promise<boolean>((resolve) => {
      server.peer.onRequest = (request) => {
        request.resume();
        request.on("error", () => {});
        request.on("close", () => resolve(request.complete));
      };
    });
    const session = connect(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false });
    session.on("error", () => {});
    const stream = session.request({ ":method": "POST", ":path": `${WEB}/` });
    stream.on("error", () => {});
    const began = once(server.peer.server, "request");
    stream.write("half");
    await began;
    session.destroy();
    assert.equal(await over, false);
  });

  it("loopback is out of reach", async () => {
    const strict = await startConnected({ reachesLoopback: false });
    for (const [path, code] of [
      [`${IN}/pods/https:pod:/proxy/`, 400],
      ["/api/v1/nodes/node/proxy/", 400],
      [`${WEB}/`, 503],
    ] as const) {
      const { status, text } = await ask(strict, "GET", path);
      assert.equal(status, code);
      if (code === 400) assert.ok(text.includes("address not allowed"));
    }
    await strict.close();
  });

  it("discovery names them with upstream's kinds and verbs", async () => {
    const { text } = await ask(server, "GET", "/api/v1");
    const { resources } = JSON.parse(text) as {
      resources: { name: string; kind: string; verbs: string[] }[];
    };
    const found = (name: string): string => {
      const one = resources.find((resource) => resource.name === name);
      return `${one?.kind} ${[...(one?.verbs ?? [])].sort().join(",")}`;
    };
    assert.equal(found("pods/log"), "Pod get");
    assert.equal(found("pods/exec"), "PodExecOptions create,get");
    assert.equal(found("pods/attach"), "PodAttachOptions create,get");
    assert.equal(found("pods/portforward"), "PodPortForwardOptions create,get");
    assert.equal(found("pods/proxy"), "PodProxyOptions create,delete,get,patch,update");
    assert.equal(found("services/proxy"), "ServiceProxyOptions create,delete,get,patch,update");
    assert.equal(found("nodes/proxy"), "NodeProxyOptions create,delete,get,patch,update");
  });
});
