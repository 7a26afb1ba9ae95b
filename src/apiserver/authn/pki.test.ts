import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../base/seeded-random.ts";
import { createAuthority, issueCertificate, loadAuthority } from "../../wire/x509/certificate.ts";
import { parseCertificate } from "../../wire/x509/parse.ts";
import { LEAF_FILES, leafContents, type ObservedPki, planPki, type PkiSpec } from "./pki.ts";

const now = Date.UTC(2026, 0, 1);
const facts = { now, random: new SeededRandom(1) };
const spec: PkiSpec = {
  serviceIps: ["10.96.0.1"],
  addresses: ["10.88.0.1", "127.0.0.1"],
  extraDnsNames: ["cluster.example"],
  clusterDomain: "cluster.local",
};
const DAY_MS = 86_400_000;

function observe(made: PkiSpec): ObservedPki {
  const files = createAuthority("skiff-ca", facts);
  const authority = loadAuthority(files);
  const contents = leafContents(made);
  const leaf = (file: keyof typeof contents) =>
    parseCertificate(issueCertificate(authority, contents[file], facts).certificatePem);
  return {
    authority: parseCertificate(files.certificatePem),
    hasServiceAccountKey: true,
    leaves: Object.fromEntries(LEAF_FILES.map((file) => [file, leaf(file)])),
  };
}

function plan(from: ObservedPki, wanted = spec, at = now): string {
  return planPki(wanted, from, at)
    .map((step) => (step.kind === "certificate" ? step.file : step.kind))
    .join(" ");
}

describe("planPki", () => {
  const made = observe(spec);
  const all = "server admin apiserver-kubelet-client";
  const rows: readonly (readonly [string, string, string])[] = [
    [
      "nothing there",
      plan({ authority: undefined, hasServiceAccountKey: false, leaves: {} }),
      `authority service-account-key ${all}`,
    ],
    ["all there", plan(made), ""],
    ["another address", plan(made, { ...spec, addresses: ["10.88.1.1"] }), "server"],
    ["names in another order", plan(made, { ...spec, addresses: ["127.0.0.1", "10.88.0.1"] }), ""],
    ["before two thirds of life", plan(made, spec, now + 243 * DAY_MS), ""],
    ["after two thirds of life", plan(made, spec, now + 244 * DAY_MS), all],
    ["another authority", plan({ ...made, authority: observe(spec).authority }), all],
    [
      "one file gone",
      plan({ ...made, leaves: { ...made.leaves, admin: undefined } as never }),
      "admin",
    ],
  ];
  for (const [name, actual, expected] of rows) it(name, () => assert.equal(actual, expected));

  it("names the server as upstream does", () => {
    assert.deepEqual(leafContents(spec).server.names, {
      dnsNames: [
        ...["kubernetes", "kubernetes.default", "kubernetes.default.svc"],
        ...["kubernetes.default.svc.cluster.local", "localhost", "cluster.example"],
      ],
      ips: ["127.0.0.1", "10.96.0.1", "10.88.0.1"],
    });
  });
});
