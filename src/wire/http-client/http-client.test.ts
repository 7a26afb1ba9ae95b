import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { TLSSocket } from "node:tls";
import { silentLogger } from "../../base/logger.ts";
import { Unreachable } from "../../base/network.ts";
import { SystemClock } from "../../base/system-clock.ts";
import { SystemRandom } from "../../base/system-random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { createAuthority, issueCertificate, loadAuthority } from "../x509/certificate.ts";
import { FileCredentials, fixedCredentials } from "./credentials.ts";
import { HttpClient } from "./http-client.ts";

interface Pair {
  readonly cert: string;
  readonly key: string;
}

const FACTS = { now: Date.now(), random: new SystemRandom() };
const AUTHORITY = loadAuthority(createAuthority("test", FACTS));

function issue(commonName: string): Pair {
  const issued = issueCertificate(
    AUTHORITY,
    {
      subject: { commonName, organizations: [] },
      names: { dnsNames: [], ips: ["127.0.0.1"] },
      usages: ["serverAuth", "clientAuth"],
    },
    FACTS,
  );
  return { cert: issued.certificatePem, key: issued.keyPem };
}

describe("HttpClient", () => {
  let server: Http2SecureServer;
  let serverPair: Pair;
  let alice: Pair;
  let bob: Pair;
  let folder: string;
  let url: string;
  const sessions = new Set<ServerHttp2Session>();
  const clients: HttpClient[] = [];

  before(async () => {
    [serverPair, alice, bob] = [issue("server"), issue("alice"), issue("bob")];
    folder = mkdtempSync(join(tmpdir(), "http-client-"));
    const ca = AUTHORITY.certificatePem;
    server = createSecureServer({
      ...serverPair,
      ca,
      requestCert: true,
      rejectUnauthorized: false,
    });
    server.on("session", (session) => {
      sessions.add(session);
      session.on("close", () => sessions.delete(session));
    });
    server.on("stream", (stream, headers) => {
      stream.on("error", () => {});
      const path = headers[":path"];
      if (path === "/break") return stream.session?.destroy();
      if (path === "/silent") return;
      stream.respond({ ":status": path === "/missing" ? 404 : 200 });
      if (path === "/half") {
        stream.write("half");
        return void setImmediate(() => stream.session?.destroy());
      }
      if (path === "/endless") return void stream.write("more to come");
      if (path === "/echo") return void stream.pipe(stream);
      const { CN } = (stream.session?.socket as TLSSocket).getPeerCertificate().subject ?? {};
      stream.end(`${CN ?? "nobody"} ${headers.authorization ?? ""}`.trim());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(() => {
    for (const client of clients) client.close();
    for (const session of sessions) session.destroy();
    server.close();
    rmSync(folder, { recursive: true });
  });

  const make = (source: ConstructorParameters<typeof HttpClient>[1], server = url): HttpClient => {
    const client = new HttpClient(
      server,
      source,
      new SystemClock(),
      new SystemRandom(),
      silentLogger,
    );
    clients.push(client);
    return client;
  };
  const text = async (client: HttpClient, path: string, body?: string): Promise<string> => {
    const response = await client.request({
      method: body ? "POST" : "GET",
      path,
      ...(body && { body }),
    });
    return `${response.status} ${(await response.bytes()).toString()}`;
  };

  it("carries many requests over one session, with certificate and token", async () => {
    const client = make(fixedCredentials({ ca: AUTHORITY.certificatePem, ...alice, token: "t" }));
    const before = sessions.size;
    const answers = await Promise.all(Array.from({ length: 20 }, () => text(client, "/who")));
    assert.deepEqual([...new Set(answers)], ["200 alice Bearer t"]);
    assert.equal(sessions.size - before, 1);
    assert.equal(
      await text(client, "/echo", "grüße".repeat(50_000)),
      `200 ${"grüße".repeat(50_000)}`,
    );
    assert.equal((await text(client, "/missing")).slice(0, 3), "404");
  });

  it("an unknown certificate authority is refused", async () => {
    const client = make(fixedCredentials({ ca: createAuthority("other", FACTS).certificatePem }));
    await assert.rejects(text(client, "/who"), Unreachable);
  });

  it("a lost connection ends its requests, and the next request opens another", async () => {
    const client = make(fixedCredentials({ ca: AUTHORITY.certificatePem }));
    await assert.rejects(text(client, "/break"), Unreachable);
    await assert.rejects(text(client, "/half"), Unreachable, "half an answer is none");
    assert.equal(await text(client, "/who"), "200 nobody");
  });

  it("an aborted request rejects with the signal's reason, before and within the answer", async () => {
    const client = make(fixedCredentials({ ca: AUTHORITY.certificatePem }));
    const reason = new Error("enough");
    for (const path of ["/silent", "/endless"]) {
      const abort = new AbortController();
      const answer = client.request({ method: "GET", path, signal: abort.signal });
      const ended = answer.then((response) => response.bytes());
      const timer = setTimeout(() => abort.abort(reason), 20);
      await assert.rejects(ended, reason).finally(() => clearTimeout(timer));
      await assert.rejects(client.request({ method: "GET", path, signal: abort.signal }), reason);
    }
  });

  it("a server that is not there is unreachable, and is left alone for a moment", async () => {
    const clock = new VirtualClock();
    const source = fixedCredentials({ ca: AUTHORITY.certificatePem });
    const client = new HttpClient(
      "https://127.0.0.1:1",
      source,
      clock,
      new SystemRandom(),
      silentLogger,
    );
    clients.push(client);
    await assert.rejects(client.request({ method: "GET", path: "/" }), Unreachable);
    let isOver = false;
    const second = client.request({ method: "GET", path: "/" }).catch(() => (isOver = true));
    await clock.advance(49);
    assert.equal(isOver, false);
    await clock.advance(60);
    await second;
  });

  it("files that change are read again: a new certificate, a new session", async () => {
    const files = {
      caFile: join(folder, "ca.crt"),
      certFile: join(folder, "tls.crt"),
      keyFile: join(folder, "tls.key"),
    };
    const write = ({ cert, key }: Pair): void => {
      writeFileSync(files.caFile, AUTHORITY.certificatePem);
      writeFileSync(files.certFile, cert);
      writeFileSync(files.keyFile, key);
    };
    write(alice);
    const clock = new VirtualClock();
    const client = new HttpClient(
      url,
      new FileCredentials(files, clock),
      clock,
      new SystemRandom(),
      silentLogger,
    );
    clients.push(client);
    assert.equal(await text(client, "/who"), "200 alice");
    write(bob);
    assert.equal(await text(client, "/who"), "200 alice", "not looked at yet");
    await clock.advance(10_001);
    assert.equal(await text(client, "/who"), "200 bob");
  });

  it("a closed client refuses", async () => {
    const client = make(fixedCredentials({ ca: AUTHORITY.certificatePem }));
    client.close();
    await assert.rejects(text(client, "/who"), Unreachable);
  });
});
