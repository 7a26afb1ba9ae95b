import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { connect, type ClientHttp2Session } from "node:http2";
import { request as httpsRequest } from "node:https";
import { after, before, describe, it } from "node:test";
import {
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
} from "../api/flowcontrol/default-objects.ts";
import { SystemClock } from "../base/system-clock.ts";
import { SystemRandom } from "../base/system-random.ts";
import { createAuthority, issueCertificate, loadAuthority } from "../wire/x509/certificate.ts";
import { startTestServer, type TestServer } from "../../test/support/api-server.ts";

const facts = { now: Date.now(), random: new SystemRandom() };
const ca = createAuthority("test-ca", facts);
const issue = (commonName: string, usages: readonly ("serverAuth" | "clientAuth")[]) =>
  issueCertificate(
    loadAuthority(ca),
    {
      subject: { commonName, organizations: ["system:masters"] },
      names: { dnsNames: ["localhost"], ips: ["127.0.0.1"] },
      usages,
    },
    facts,
  );
const serving = issue("server", ["serverAuth"]);
const client = issue("alice", ["clientAuth"]);

/** `http1` or `http2`: status and text of one request. */
type Send = (method: string, path: string, body?: string) => Promise<[number, string]>;

describe("over TLS", () => {
  let world: TestServer;
  let port: number;
  let session: ClientHttp2Session;
  const users: string[] = [];

  before(async () => {
    world = await startTestServer({
      clock: new SystemClock(),
      authenticators: () => [
        {
          authenticate: ({ certificate }) => {
            users.push(certificate?.commonName ?? "nobody");
            return { name: "x", groups: [] };
          },
        },
      ],
      http: {
        listen: [{ host: "127.0.0.1", port: 0 }],
        key: serving.keyPem,
        cert: serving.certificatePem,
        clientCa: ca.certificatePem,
      },
    });
    port = world.server.addresses[0]!.port;
    session = connect(`https://localhost:${port}`, {
      ca: ca.certificatePem,
      key: client.keyPem,
      cert: client.certificatePem,
    });
  });
  after(async () => {
    session.close();
    await world.close();
  });

  const http2: Send = (method, path, body) =>
    new Promise((resolve, reject) => {
      const stream = session.request({
        ":method": method,
        ":path": path,
        "content-type": "application/json",
      });
      let status = 0;
      let text = "";
      stream.on("response", (headers) => (status = Number(headers[":status"])));
      stream.on("data", (piece: Buffer) => (text += piece.toString()));
      stream.on("end", () => resolve([status, text]));
      stream.on("error", reject);
      stream.end(body);
    });

  const http1: Send = (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json" };
      const options = { host: "localhost", port, ca: ca.certificatePem, method, path, headers };
      const message = httpsRequest({ ...options, agent: false }, (response) => {
        let text = "";
        response.on("data", (piece: Buffer) => (text += piece.toString()));
        response.on("end", () => resolve([response.statusCode!, text]));
      });
      message.on("error", reject);
      message.end(body);
    });

  for (const [name, send, user] of [
    ["HTTP/2 with a client certificate", http2, "alice"],
    ["HTTP/1.1 without", http1, "nobody"],
  ] as const) {
    const path = "/api/v1/namespaces/default/configmaps";
    it(`${name}: writes and reads`, async () => {
      const body = JSON.stringify({ metadata: { name: user } });
      const [created, text] = await send("POST", path, body);
      assert.equal(created, 201, text);
      assert.equal((await send("GET", `${path}/${user}`))[0], 200);
      assert.equal((await send("GET", "/healthz"))[1], "ok");
      assert.equal(users.at(-1), user);
    });

    it(`${name}: refuses a body over the limit`, async () => {
      const [status] = await send("POST", path, "x".repeat(3 * 1024 * 1024 + 1)).catch(
        (error: { code?: string }) => [error.code === "EPIPE" ? 413 : 0],
      );
      assert.equal(status, 413);
    });
  }

  it("streams a watch and lets go of it when the client does", async () => {
    const path = "/api/v1/namespaces/default/configmaps?watch=1&labelSelector=w%3D1";
    const stream = session.request({ ":path": path });
    const frame = new Promise<string>((resolve) =>
      stream.once("data", (piece: Buffer) => resolve(piece.toString())),
    );
    await new Promise((resolve) => stream.once("response", resolve));
    const body = JSON.stringify({ metadata: { name: "w", labels: { w: "1" } } });
    await http1("POST", "/api/v1/namespaces/default/configmaps", body);
    assert.match(await frame, /^\{"type":"ADDED","object":\{"kind":"ConfigMap"/);
    assert.equal(world.server.parts.watches.size, 1);
    stream.close();
    await new Promise((resolve) => stream.once("close", resolve));
    await http1("GET", "/healthz");
    assert.equal(world.server.parts.watches.size, 0);
  });

  it("says over both protocols by which flow an answer came", async () => {
    const group = "/apis/flowcontrol.apiserver.k8s.io/v1";
    const objects = [
      ["prioritylevelconfigurations", mandatoryPriorityLevels],
      ["flowschemas", mandatoryFlowSchemas],
    ] as const;
    for (const [plural, list] of objects)
      for (const object of list)
        assert.equal((await http2("POST", `${group}/${plural}`, JSON.stringify(object)))[0], 201);
    const [, text] = await http2("GET", `${group}/flowschemas/catch-all`);
    const { uid } = (JSON.parse(text) as { metadata: { uid: string } }).metadata;
    const header = "x-kubernetes-pf-flowschema-uid";
    const stream = session.request({ ":path": "/version" });
    const second = await new Promise<IncomingHttpHeaders>((resolve) =>
      stream.once("response", resolve),
    );
    stream.close();
    const first = await new Promise<IncomingHttpHeaders>((resolve) => {
      const options = { host: "localhost", port, ca: ca.certificatePem, path: "/version" };
      httpsRequest({ ...options, agent: false }, (response) => {
        response.resume();
        resolve(response.headers);
      }).end();
    });
    assert.deepEqual([first[header], second[header]], [uid, uid]);
  });
});
