import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { after, before, describe, it } from "node:test";
import {
  ask,
  open,
  startConnected,
  type ConnectedServer,
} from "../../../test/support/connected-server.ts";

const POD = "/api/v1/namespaces/default/pods/pod/log";
const TWO = "/api/v1/namespaces/default/pods/two/log";

describe("pods/log", () => {
  let server: ConnectedServer;
  before(async () => {
    server = await startConnected();
  });
  after(() => server.close());

  const seen = async (path: string): Promise<string> => {
    let url = "";
    server.peer.onRequest = (request, response) => {
      url = request.url ?? "";
      response.end("lines\n");
    };
    assert.equal((await ask(server, "GET", path)).text, "lines\n");
    return url;
  };

  it("asks the kubelet as the API server, with the options that were given", async () => {
    let name = "";
    server.peer.onRequest = (request, response) => {
      const { CN } = (request.socket as TLSSocket).getPeerCertificate().subject;
      name = String(CN);
      response.end("a\nb\n");
    };
    const { status, headers, text } = await ask(server, "GET", POD);
    assert.deepEqual([status, headers["content-type"], text], [200, "text/plain", "a\nb\n"]);
    assert.equal(name, "apiserver");
    const log = "/containerLogs/default/pod/app";
    const cases: readonly (readonly [string, string])[] = [
      [POD, log],
      [`${POD}?follow=false&previous=0`, log],
      [`${POD}?follow=true&timestamps=1`, `${log}?follow=true&timestamps=true`],
      [`${POD}?previous=true&tailLines=0`, `${log}?previous=true&tailLines=0`],
      [`${POD}?sinceSeconds=5&limitBytes=9`, `${log}?sinceSeconds=5&limitBytes=9`],
      [`${POD}?sinceTime=2026-01-01T00:00:00Z`, `${log}?sinceTime=2026-01-01T00%3A00%3A00Z`],
      [`${POD}?stream=Stderr`, `${log}?stream=Stderr`],
      [`${TWO}?container=side`, "/containerLogs/default/two/side"],
    ];
    for (const [path, url] of cases) assert.equal(await seen(path), url);
  });

  it("refuses with upstream's words what cannot be", async () => {
    const bad = 'PodLogOptions "pod" is invalid: ';
    const cases: readonly (readonly [string, number, string])[] = [
      [
        `${POD}?tailLines=-1`,
        422,
        `${bad}tailLines: Invalid value: -1: must be greater than or equal to 0`,
      ],
      [`${POD}?limitBytes=0`, 422, `${bad}limitBytes: Invalid value: 0: must be greater than 0`],
      [`${POD}?sinceSeconds=x`, 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
      [
        `${POD}?sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z`,
        422,
        `${bad}[]: Forbidden: at most one of \`sinceTime\` or \`sinceSeconds\` may be specified`,
      ],
      [
        `${POD}?stream=Out`,
        422,
        `${bad}stream: Unsupported value: "Out": supported values: "All", "Stderr", "Stdout"`,
      ],
      [TWO, 400, "a container name must be specified for pod two, choose one of: [app side]"],
      [`${TWO}?container=x`, 400, "container x is not valid for pod two"],
      ["/api/v1/namespaces/default/pods/none/log", 404, 'pods "none" not found'],
    ];
    for (const [path, code, message] of cases) {
      const { status, text } = await ask(server, "GET", path);
      assert.deepEqual([status, (JSON.parse(text) as Error).message], [code, message]);
    }
    const { status } = await ask(server, "GET", "/api/v1/namespaces/default/pods/nowhere/log");
    assert.equal(status, 204, "no node, no log");
  });

  it("passes the kubelet's refusals on", async () => {
    const cases: readonly (readonly [number, string, number, string])[] = [
      [400, 'container "app" in pod "pod" is waiting to start: ContainerCreating', 400, ""],
      [500, "broken", 500, "Internal error occurred: broken"],
      [404, "gone", 404, "the server could not find the requested resource ( pods/log pod)"],
    ];
    for (const [code, said, expected, message] of cases) {
      server.peer.onRequest = (_, response) => void response.writeHead(code).end(said);
      const { status, text } = await ask(server, "GET", POD);
      assert.deepEqual([status, (JSON.parse(text) as Error).message], [expected, message || said]);
    }
    server.peer.onRequest = (_, response) =>
      void response.writeHead(302, { location: "https://elsewhere/" }).end();
    const { status, text } = await ask(server, "GET", POD);
    assert.deepEqual([status, text.includes("redirection is not allowed")], [500, true]);
  });

  it("a followed log comes as it is written; the client's leaving ends it at the kubelet", async () => {
    const answers: ServerResponse[] = [];
    const asked = new Promise<void>((resolve) => {
      server.peer.onRequest = (_, response) => {
        answers.push(response);
        response.writeHead(200).flushHeaders();
        resolve();
      };
    });
    const opened = open(server.port, "GET", `${POD}?follow=true`);
    await asked;
    const [kubelet] = answers as [ServerResponse];
    const log: IncomingMessage = await opened;
    for (const line of ["one\n", "two\n"]) {
      kubelet.write(line);
      const [piece] = (await once(log, "data")) as [Buffer];
      assert.equal(piece.toString(), line);
    }
    const ended = once(kubelet, "close");
    log.destroy();
    await ended;
    assert.equal(kubelet.writableFinished, false);
  });

  it("a log that breaks off at the kubelet breaks off at the client", async () => {
    server.peer.onRequest = (request, response) => {
      response.writeHead(200);
      response.write("half", () => request.socket.destroy());
    };
    const log = await open(server.port, "GET", `${POD}?follow=true`);
    await assert.rejects(async () => {
      for await (const piece of log) assert.equal(String(piece), "half");
    });
  });

  it("connections to the kubelet are kept for the next request", async () => {
    const before = server.peer.connections;
    for (let n = 0; n < 3; n++) await seen(POD);
    assert.ok(server.peer.connections - before <= 1);
  });

  it("a kubelet that is not there is said so", async () => {
    const other = await startConnected();
    other.peer.close();
    const { status, text } = await ask(other, "GET", POD);
    assert.equal(status, 500);
    assert.match(text, /dial tcp 127\.0\.0\.1:\d+: connect: connection refused/);
    await other.close();
  });
});
