import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import { SeededRandom } from "../../base/seeded-random.ts";
import { SystemRandom } from "../../base/system-random.ts";
import {
  CERTIFICATE_LIFE_MS,
  createAuthority,
  isRenewalDue,
  issueCertificate,
  loadAuthority,
} from "./certificate.ts";
import { BadDer } from "./der.ts";
import { canonicalIp } from "./names.ts";
import { isSignedBy, parseCertificate } from "./parse.ts";
import { parseSigningRequest, signRequest } from "./signing-request.ts";

const facts = { now: Date.now(), random: new SystemRandom() };
const files = createAuthority("skiff-ca", facts);
const authority = loadAuthority(files);
const serving = issueCertificate(
  authority,
  {
    subject: { commonName: "kube-apiserver", organizations: [] },
    names: { dnsNames: ["localhost", "kubernetes.default.svc"], ips: ["127.0.0.1", "fd00::1"] },
    usages: ["serverAuth"],
  },
  facts,
);
const client = issueCertificate(
  authority,
  {
    subject: { commonName: "system:node:a", organizations: ["system:nodes", 'Zoë, "q" + x'] },
    usages: ["clientAuth"],
  },
  facts,
);
const folder = mkdtempSync(join(tmpdir(), "x509-"));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe("certificates", () => {
  it("say what was asked for", () => {
    const parsed = parseCertificate(serving.certificatePem);
    assert.deepEqual(parsed.names, {
      dnsNames: ["localhost", "kubernetes.default.svc"],
      ips: ["127.0.0.1", "fd00::1"],
    });
    assert.equal(parsed.isAuthority, false);
    assert.equal(Math.floor((parsed.notAfter - facts.now) / 1000), CERTIFICATE_LIFE_MS / 1000 - 1);
    assert.deepEqual(parseCertificate(client.certificatePem).subject, {
      commonName: "system:node:a",
      organizations: ["system:nodes", 'Zoë, "q" + x'],
    });
  });

  it("are signed by their authority and by no other", () => {
    const other = parseCertificate(createAuthority("skiff-ca", facts).certificatePem);
    const parsed = parseCertificate(serving.certificatePem);
    assert.equal(isSignedBy(parsed, parseCertificate(files.certificatePem)), true);
    assert.equal(isSignedBy(parsed, other), false);
  });

  it("satisfy openssl, each for its purpose alone", () => {
    const ca = file("ca.crt", files.certificatePem);
    const verify = (purpose: string, name: string): string =>
      execFileSync(
        "openssl",
        [...["verify", "-x509_strict", "-CAfile", ca, "-purpose", purpose, join(folder, name)]],
        { stdio: "pipe" },
      ).toString();
    file("server.crt", serving.certificatePem);
    file("client.crt", client.certificatePem);
    assert.match(verify("sslserver", "server.crt"), /OK/);
    assert.match(verify("sslclient", "client.crt"), /OK/);
    assert.throws(() => verify("sslclient", "server.crt"));
  });

  it("carry a mutual TLS connection", async () => {
    const server = createServer({
      cert: serving.certificatePem,
      key: serving.keyPem,
      ca: files.certificatePem,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const peer = new Promise<TLSSocket>((resolve) => server.on("secureConnection", resolve));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const socket = connect({
      ...{ host: "127.0.0.1", port, ca: files.certificatePem },
      ...{ cert: client.certificatePem, key: client.keyPem },
    });
    const accepted = await peer;
    assert.equal(accepted.getPeerCertificate().subject.CN, "system:node:a");
    socket.destroy();
    accepted.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("signing requests", () => {
  it("of openssl are read and signed", () => {
    const path = file("r.csr", "");
    execFileSync(
      "openssl",
      [
        ...["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", join(folder, "r.key")],
        ...["-subj", "/O=system:nodes/CN=system:node:b", "-out", path],
        ...["-addext", "subjectAltName=DNS:b,IP:10.0.0.2"],
      ],
      { stdio: "ignore" },
    );
    const request = parseSigningRequest(readFileSync(path, "utf8"));
    const signed = parseCertificate(
      signRequest(authority, request, { usages: ["serverAuth"], lifeMs: 1000 }, facts),
    );
    assert.deepEqual(signed.subject, {
      commonName: "system:node:b",
      organizations: ["system:nodes"],
    });
    assert.deepEqual(signed.names, { dnsNames: ["b"], ips: ["10.0.0.2"] });
    const broken = readFileSync(path, "utf8").replace(/\n.{10}/, "\nAAAAAAAAAA");
    assert.throws(() => parseSigningRequest(broken), BadDer);
  });
});

describe("what a certificate is asked to be good for", () => {
  it("is what openssl reads in it, whatever else its name says", () => {
    const path = file("all.csr", "");
    execFileSync(
      "openssl",
      [
        ...["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", join(folder, "all.key")],
        ...["-subj", "/C=CH/OU=lab/O=team/CN=jane", "-out", path],
        ...["-addext", "subjectAltName=email:j@x.org,URI:spiffe://x/y,DNS:j.x.org"],
      ],
      { stdio: "ignore" },
    );
    const request = parseSigningRequest(readFileSync(path, "utf8"));
    assert.deepEqual(request.names, {
      dnsNames: ["j.x.org"],
      ips: [],
      emails: ["j@x.org"],
      uris: ["spiffe://x/y"],
    });
    const grant = {
      usages: ["serverAuth", "codeSigning"],
      keyUsages: ["digitalSignature", "keyEncipherment", "decipherOnly"],
      lifeMs: 60_000,
    } as const;
    const signed = file("all.crt", signRequest(authority, request, grant, facts));
    const shown = execFileSync("openssl", ["x509", "-in", signed, "-noout", "-text"]).toString();
    assert.match(shown, /Subject: C ?= ?CH, OU ?= ?lab, O ?= ?team, CN ?= ?jane/);
    assert.match(shown, /Digital Signature, Key Encipherment, Decipher Only/);
    assert.match(shown, /TLS Web Server Authentication, Code Signing/);
    assert.match(shown, /DNS:j\.x\.org, email:j@x\.org, URI:spiffe:\/\/x\/y/);
  });

  it("holds no longer than its authority", () => {
    const lifeMs = 100 * CERTIFICATE_LIFE_MS;
    const content = { subject: { commonName: "x", organizations: [] }, usages: [], lifeMs };
    const { notAfter } = parseCertificate(
      issueCertificate(authority, content, facts).certificatePem,
    );
    assert.equal(notAfter, parseCertificate(files.certificatePem).notAfter);
  });
});

describe("renewal", () => {
  const life = { notBefore: 0, notAfter: 300 };
  for (const [now, due] of [
    [0, false],
    [199, false],
    [200, true],
    [400, true],
  ] as const)
    it(`at ${now} of 300: ${due}`, () => assert.equal(isRenewalDue(life, now), due));
});

describe("bad input", () => {
  const der = Buffer.from(files.certificatePem.split("\n").slice(1, -2).join(""), "base64");
  it("ends with BadDer, wherever it is cut", () => {
    for (let at = 0; at < der.length; at += 7) {
      const text = `-----BEGIN CERTIFICATE-----\n${der.subarray(0, at).toString("base64")}\n-----END CERTIFICATE-----`;
      assert.throws(() => parseCertificate(text), BadDer);
    }
    assert.throws(() => parseCertificate("nothing"), BadDer);
  });
  it("ends with BadDer or an answer, whatever byte is wrong", () => {
    const random = new SeededRandom(7);
    for (let round = 0; round < 3000; round++) {
      const broken = Buffer.from(der);
      broken[random.integer(der.length)] = random.integer(256);
      const text = `-----BEGIN CERTIFICATE-----\n${broken.toString("base64")}\n-----END CERTIFICATE-----`;
      try {
        const { notBefore, notAfter } = parseCertificate(text);
        assert.ok(Number.isFinite(notBefore) && Number.isFinite(notAfter));
      } catch (error) {
        assert.ok(error instanceof BadDer, String(error));
      }
    }
  });
  it("addresses have one spelling", () => {
    const rows = [
      ["10.0.0.1", "10.0.0.1"],
      ["FD00:0::1", "fd00::1"],
      ["::ffff:1.2.3.4", "::ffff:102:304"],
    ] as const;
    for (const [from, to] of rows) assert.equal(canonicalIp(from), to);
    assert.throws(() => canonicalIp("a.b"), BadDer);
  });
});
