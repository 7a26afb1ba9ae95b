import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { SystemRandom } from "../base/system-random.ts";
import { createAuthority, type Issued } from "../wire/x509/certificate.ts";
import { signingRequest } from "../../test/support/signing-request.ts";
import { certificatePort } from "./certificate-port.ts";
import { authorityOf } from "./pki-files.ts";

const folder = mkdtempSync(join(tmpdir(), "authority-"));
after(() => rmSync(folder, { recursive: true }));
const facts = { now: Date.UTC(2026, 0, 1), random: new SystemRandom() };
const base64 = (text: string): string => Buffer.from(text).toString("base64");

function put(part: "crt" | "key", { certificatePem, keyPem }: Issued): void {
  writeFileSync(join(folder, `ca.${part}`), part === "crt" ? certificatePem : keyPem);
}

describe("the authority of requests", () => {
  const [old, next] = [createAuthority("old", facts), createAuthority("next", facts)];
  const request = base64(signingRequest("/CN=jane").request);
  const port = certificatePort(
    authorityOf(folder, old),
    () => facts,
    () => true,
  );
  /** Whose signature a certificate bears that is asked for now. */
  const signer = (): string => {
    const pem = Buffer.from(port.sign(request, ["client auth"], 3_600_000), "base64").toString();
    const signed = new X509Certificate(pem);
    const is = ({ certificatePem }: Issued): boolean =>
      signed.verify(new X509Certificate(certificatePem).publicKey);
    return is(old) ? "old" : is(next) ? "next" : "nobody";
  };

  it("is the one whose files are there when it signs, once both are", () => {
    put("key", old);
    put("crt", old);
    assert.equal(signer(), "old");
    put("key", next);
    assert.equal(signer(), "old");
    put("crt", next);
    assert.equal(signer(), "next");
  });

  it("stays what it was while there is none", () => {
    put("crt", next);
    writeFileSync(join(folder, "ca.key"), "rubbish");
    assert.equal(signer(), "next");
    rmSync(join(folder, "ca.key"));
    assert.equal(signer(), "next");
  });
});
