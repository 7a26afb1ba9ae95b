import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import type { TLSSocket } from "node:tls";
import { SystemClock } from "../base/system-clock.ts";
import { SystemRandom } from "../base/system-random.ts";
import type { ExtenderTls } from "../scheduler/extender.ts";
import { createAuthority, issueCertificate, loadAuthority } from "../wire/x509/certificate.ts";
import { postJson } from "./post-json.ts";

const facts = { now: new SystemClock().now(), random: new SystemRandom() };
const authority = loadAuthority(createAuthority("test", facts));
const issued = issueCertificate(
  authority,
  {
    subject: { commonName: "extender", organizations: [] },
    names: { dnsNames: ["extender.test"], ips: [] },
    usages: ["serverAuth", "clientAuth"],
  },
  facts,
);
const ca = { text: authority.certificatePem };
const cert = { text: issued.certificatePem };
const key = { text: issued.keyPem };

/** What an extender that wants to know who asks gets to hear. */
async function asked(tls: Partial<ExtenderTls> | undefined): Promise<unknown> {
  const server = createServer(
    { key: key.text, cert: cert.text, ca: ca.text, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      let body = "";
      request.on("data", (part: Buffer) => (body += part.toString()));
      request.on("end", () => {
        response.writeHead(request.url === "/ok" ? 200 : 500);
        response.end(JSON.stringify({ heard: JSON.parse(body), from: subject?.CN ?? "" }));
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const none = {
    isInsecure: false,
    serverName: "",
    ca: undefined,
    cert: undefined,
    key: undefined,
  };
  return postJson(
    `https://127.0.0.1:${port}/ok`,
    { a: 1 },
    5000,
    tls && { ...none, ...tls },
  ).finally(() => {
    server.closeAllConnections();
    server.close();
  });
}

describe("postJson over TLS", () => {
  it("believes the authority that it was given, for the name that it was given", async () => {
    assert.deepEqual(await asked({ ca, serverName: "extender.test" }), {
      heard: { a: 1 },
      from: "",
    });
    await assert.rejects(asked({ ca }), /IP: 127\.0\.0\.1 is not in the cert's list/);
    await assert.rejects(asked({ serverName: "extender.test" }), /certificate/);
    await assert.rejects(asked(undefined), /certificate/);
  });

  it("believes anybody when it is told so", async () => {
    assert.deepEqual(await asked({ isInsecure: true }), { heard: { a: 1 }, from: "" });
  });

  it("shows its own certificate", async () => {
    assert.deepEqual(await asked({ ca, serverName: "extender.test", cert, key }), {
      heard: { a: 1 },
      from: "extender",
    });
  });
});
