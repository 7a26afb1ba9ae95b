import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { SystemRandom } from "../base/system-random.ts";
import { parseCertificate } from "../wire/x509/parse.ts";
import { ensurePki } from "./pki-files.ts";

const folder = join(mkdtempSync(join(tmpdir(), "pki-")), "pki");
after(() => rmSync(folder, { recursive: true }));
const facts = { now: Date.UTC(2026, 0, 1), random: new SystemRandom() };
const spec = {
  serviceIps: ["10.96.0.1"],
  addresses: ["10.88.0.1"],
  extraDnsNames: [],
  clusterDomain: "cluster.local",
};

describe("ensurePki", () => {
  const first = ensurePki(folder, spec, facts);

  it("makes all files, for the owner alone", () => {
    assert.deepEqual(readdirSync(folder).sort(), [
      ...["admin.crt", "admin.key", "apiserver-kubelet-client.crt", "apiserver-kubelet-client.key"],
      ...["ca.crt", "ca.key", "sa.key", "server.crt", "server.key"],
    ]);
    for (const name of readdirSync(folder))
      assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  });

  it("changes nothing the second time", () => {
    assert.deepEqual(ensurePki(folder, spec, facts), first);
  });

  it("keeps the authority when the server gets another address", () => {
    const next = ensurePki(folder, { ...spec, addresses: ["10.88.1.1"] }, facts);
    assert.equal(next.ca.certificatePem, first.ca.certificatePem);
    assert.deepEqual(next.leaves.admin, first.leaves.admin);
    const { names } = parseCertificate(next.leaves.server.certificatePem);
    assert.deepEqual(names.ips, ["127.0.0.1", "10.96.0.1", "10.88.1.1"]);
  });

  it("replaces a certificate whose key is another's, and a broken one", () => {
    writeFileSync(join(folder, "admin.key"), first.leaves.server.keyPem);
    writeFileSync(join(folder, "server.crt"), "rubbish");
    const next = ensurePki(folder, spec, facts);
    assert.notEqual(next.leaves.admin.keyPem, first.leaves.server.keyPem);
    parseCertificate(next.leaves.server.certificatePem);
  });

  it("refuses to replace a broken authority", () => {
    rmSync(join(folder, "ca.key"));
    assert.throws(() => ensurePki(folder, spec, facts), /no certificate authority with its key/);
  });
});
