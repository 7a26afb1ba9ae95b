import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { admissionCall, admitted, type CallOptions } from "../../../test/support/admission-call.ts";
import { signingRequest } from "../../../test/support/signing-request.ts";
import { CertificateSigningRequest } from "../../api/certificates/certificate-signing-request.ts";
import { createAuthority } from "../../wire/x509/certificate.ts";
import { SystemRandom } from "../../base/system-random.ts";
import type { Authorizer } from "../authz/authorizer.ts";
import type { AdmissionPlugin } from "./admission.ts";
import {
  CertificateApproval,
  CertificateSigning,
  certificateSubjectRestriction,
} from "./certificates.ts";

const SIGNER = "kubernetes.io/kube-apiserver-client";
const jane = signingRequest("/O=team/CN=jane").request;
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Lets `approve example.com/s` and the like through. */
const letting = (...allowed: readonly string[]): Authorizer => ({
  authorize: (_, { verb, plural, name }) => ({
    isAllowed: plural === "signers" && allowed.includes(`${verb} ${name}`),
    reason: "",
  }),
});

function make(
  text: string,
  signerName: string | undefined = SIGNER,
  status: object = {},
): CertificateSigningRequest {
  const spec = {
    request: base64(text),
    usages: ["client auth"],
    ...(signerName && { signerName }),
  };
  return { metadata: { name: "r" }, spec: spec as CertificateSigningRequest["spec"], status };
}

/** The message of a refusal. */
function verdict(plugin: AdmissionPlugin, call: CallOptions): string {
  if (!plugin.handles(admissionCall(call))) return "not asked";
  const found = admitted(plugin, call);
  return typeof found === "string" ? found : "fine";
}

const kind = CertificateSigningRequest;
const forbidden = 'certificatesigningrequests.certificates.k8s.io "r" is forbidden: ';

describe("CertificateApproval", () => {
  const approve = (...allowed: string[]): string =>
    verdict(new CertificateApproval(letting(...allowed)), {
      ...{ kind, subresource: "approval", old: make(jane, "example.com/s") },
      // What the change says of the signer counts for nothing.
      object: make(jane, "example.com/other"),
    });

  it("asks whether the user may approve for that signer, or for all of its domain", () => {
    assert.equal(approve("approve example.com/s"), "fine");
    assert.equal(approve("approve example.com/*"), "fine");
    const no = `${forbidden}user not permitted to approve requests with signerName "example.com/s"`;
    assert.equal(approve("approve example.com/other", "sign example.com/s"), no);
  });

  it("leaves other endpoints alone", () => {
    const call = { kind, object: make(jane), old: make(jane) };
    assert.equal(verdict(new CertificateApproval(letting()), call), "not asked");
  });
});

describe("CertificateSigning", () => {
  const files = createAuthority("ca", { now: 0, random: new SystemRandom() });
  const sign = (certificate: string | undefined, ...allowed: string[]): string =>
    verdict(new CertificateSigning(letting(...allowed)), {
      ...{ kind, subresource: "status", old: make(jane) },
      object: make(
        jane,
        SIGNER,
        certificate === undefined ? {} : { certificate: base64(certificate) },
      ),
    });

  it("asks whether the user may sign, where something is signed", () => {
    assert.equal(sign(undefined), "fine");
    const no = `${forbidden}user not permitted to sign requests with signerName "${SIGNER}"`;
    assert.equal(sign(files.certificatePem), no);
    assert.equal(sign(files.certificatePem, `sign ${SIGNER}`), "fine");
    assert.equal(sign(files.certificatePem, "sign kubernetes.io/*"), "fine");
  });

  it("takes certificates only", () => {
    const problem = (text: string): string =>
      sign(text, `sign ${SIGNER}`).replace(/^.*<certificate data>": /, "");
    assert.equal(problem("hello"), "must contain at least one CERTIFICATE PEM block");
    assert.match(problem(files.keyPem), /^only CERTIFICATE PEM blocks are allowed, found "PRIVATE/);
    const withHeader = files.certificatePem.replace(/-----\n/, "-----\nA: b\n\n");
    assert.equal(problem(withHeader), "no PEM block headers are permitted");
    assert.equal(sign(files.certificatePem.repeat(2), `sign ${SIGNER}`), "fine");
  });
});

describe("CertificateSubjectRestriction", () => {
  const create = (text: string, signerName = SIGNER): string =>
    verdict(certificateSubjectRestriction, { kind, object: make(text, signerName) });

  it("takes requests whose key has signed them", () => {
    assert.equal(create(jane), "fine");
    assert.match(create("hello"), /PEM block type must be CERTIFICATE REQUEST$/);
    const lines = jane.split("\n");
    const [first = ""] = lines.splice(2, 1);
    const broken = [...lines.slice(0, 2), first.toLowerCase(), ...lines.slice(2)].join("\n");
    assert.match(create(broken), /is invalid: spec\.request: Invalid value/);
  });

  it("makes no masters", () => {
    const masters = signingRequest("/O=system:masters/CN=root").request;
    const no = `${forbidden}use of ${SIGNER} signer with system:masters group is not allowed`;
    assert.equal(create(masters), no);
    assert.equal(create(masters, "example.com/s"), "fine");
  });

  it("of v1beta1 finds the signer that is meant; v1 knows no legacy one", () => {
    const legacy = "kubernetes.io/legacy-unknown";
    assert.match(create(jane, legacy), /the legacy signerName is not allowed via this API version/);
    const object = make(jane, "");
    const beta = { ...kind, version: "v1beta1" };
    const filled = certificateSubjectRestriction.admit!(admissionCall({ kind: beta, object }));
    assert.equal((filled as CertificateSigningRequest).spec?.signerName, legacy);
    assert.equal(verdict(certificateSubjectRestriction, { kind: beta, object: filled! }), "fine");
    assert.equal(certificateSubjectRestriction.admit!(admissionCall({ kind, object })), undefined);
  });
});
