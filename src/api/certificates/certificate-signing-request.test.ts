import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { V1CertificateSigningRequestSpec } from "../../gen/types.ts";
import type { FieldError } from "../machinery/field-error.ts";
import { approvalRules } from "./approval.ts";
import {
  certificateSigningRequestResource,
  type CertificateSigningRequest,
} from "./certificate-signing-request.ts";
import {
  CLIENT_SIGNER,
  KUBELET_CLIENT_SIGNER,
  KUBELET_SERVING_SIGNER,
  LEGACY_SIGNER,
  meantSigner,
  signerProblem,
  type RequestContent,
} from "./kubelet-requests.ts";

const { strategy, columns, subresources, olderVersions } = certificateSigningRequestResource;
const NOW = Date.UTC(2026, 0, 1);
const FACTS = {
  now: NOW,
  user: "jane",
  identity: { uid: "7", groups: ["g"], extra: { scopes: ["a"] } },
};
const linesOf = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, type }) => `${field} ${type}`);

function make(spec: Partial<V1CertificateSigningRequestSpec> = {}): CertificateSigningRequest {
  const given = { request: "r", signerName: "example.com/s", usages: ["client auth"], ...spec };
  return { metadata: { name: "r" }, spec: given };
}

const condition = (type: string, more: object = {}) => ({ type, status: "True", ...more });
const withStatus = (
  ...conditions: readonly object[]
): CertificateSigningRequest & { status: { conditions: never } } => ({
  ...make(),
  status: { conditions: conditions as never },
});

describe("a CertificateSigningRequest", () => {
  const rows: readonly (readonly [Partial<V1CertificateSigningRequestSpec>, ...string[]])[] = [
    [{}],
    [{ usages: [] }, "spec.usages Required"],
    [{ usages: ["flying"] }, "spec.usages[0] NotSupported"],
    [{ usages: ["any", "any"] }, "spec.usages[1] Duplicate"],
    [{ expirationSeconds: 600 }],
    [{ expirationSeconds: 599 }, "spec.expirationSeconds Invalid"],
    [{ signerName: "" }, "spec.signerName Required"],
    [{ signerName: "plain" }, "spec.signerName Invalid"],
    [{ signerName: "a.b/c/d" }, "spec.signerName Invalid"],
    [{ signerName: "com/c" }, "spec.signerName Invalid"],
    [{ signerName: "a.B/c" }, "spec.signerName Invalid"],
    [{ signerName: "a.b/C" }, "spec.signerName Invalid"],
    [{ signerName: "a.b/ns.name" }],
  ];
  for (const [spec, ...expected] of rows)
    it(`${JSON.stringify(spec)} → ${expected.join(", ") || "valid"}`, () =>
      assert.deepEqual(linesOf(strategy.validate(make(spec))), expected));

  it("asks in the name of its sender, and of nobody else", () => {
    const forged = make({ username: "root", groups: ["system:masters"], extra: { x: ["y"] } });
    const { spec, status } = strategy.prepareForCreate(forged, FACTS);
    const { username, uid, groups, extra } = spec!;
    assert.deepEqual([username, uid, groups, extra], ["jane", "7", ["g"], FACTS.identity.extra]);
    assert.deepEqual(status, {});
  });

  it("stays as it was asked", () => {
    const old = withStatus(condition("Approved"));
    const changed = strategy.prepareForUpdate({ ...make({ usages: [] }), status: {} }, old, FACTS);
    assert.deepEqual([changed.spec, changed.status], [old.spec, old.status]);
  });

  it("shows what has become of it", () => {
    const shown = (status: object): unknown[] => {
      const request = { ...make({ username: "jane", expirationSeconds: 7200 }), status };
      return columns.filter(({ name }) => name !== "Age").map(({ cell }) => cell(request, NOW));
    };
    const rest = ["r", "example.com/s", "jane", "120m"];
    assert.deepEqual(shown({}), [...rest, "Pending"]);
    const approved = { conditions: [condition("Approved")] };
    assert.deepEqual(shown(approved), [...rest, "Approved"]);
    assert.deepEqual(shown({ ...approved, certificate: "x" }), [...rest, "Approved,Issued"]);
    const both = { conditions: [condition("Denied"), condition("Failed")] };
    assert.deepEqual(shown(both), [...rest, "Denied,Failed"]);
  });

  it("of v1beta1 may leave out usages and what a condition says", () => {
    const beta = { spec: { request: "r" }, status: { conditions: [{ type: "Approved" }] } };
    const hub = olderVersions![0]!.toHub!(beta as never);
    assert.deepEqual(hub.spec?.usages, ["digital signature", "key encipherment"]);
    assert.equal(hub.status?.conditions?.[0]?.status, "True");
  });
});

describe("approval of a request", () => {
  const approve = (request: CertificateSigningRequest, old: CertificateSigningRequest) => {
    const next = approvalRules.prepareForUpdate(request, old, FACTS);
    return { next, errors: linesOf(approvalRules.validateUpdate(next, old)) };
  };

  it("fills in the times, and changes nothing but conditions", () => {
    const asked = { ...withStatus(condition("Approved")), spec: make({ usages: [] }).spec! };
    const { next, errors } = approve(
      { ...asked, status: { ...asked.status, certificate: "mine" } },
      make(),
    );
    assert.deepEqual(errors, []);
    assert.deepEqual(next.spec, make().spec);
    const time = "2026-01-01T00:00:00Z";
    assert.deepEqual(next.status, {
      conditions: [condition("Approved", { lastUpdateTime: time, lastTransitionTime: time })],
    });
  });

  it("is said once, one way, and not taken back", () => {
    const approved = withStatus(condition("Approved"));
    const both = withStatus(condition("Approved"), condition("Denied"));
    assert.deepEqual(approve(both, approved).errors, ["status.conditions[1].type Invalid"]);
    assert.deepEqual(approve(make(), approved).errors, ["status.conditions Forbidden"]);
    const no = withStatus(condition("Approved", { status: "False" }));
    assert.deepEqual(approve(no, make()).errors, ["status.conditions[0].status NotSupported"]);
    const twice = withStatus(condition("A"), condition("A"));
    assert.deepEqual(approve(twice, make()).errors, ["status.conditions[1].type Duplicate"]);
  });
});

describe("the status of a request", () => {
  const status = (request: CertificateSigningRequest, old: CertificateSigningRequest) => {
    const next = subresources!.status!.prepareForUpdate(request, old, FACTS);
    return { next, errors: linesOf(subresources!.status!.validateUpdate(next, old)) };
  };

  it("takes a certificate once, and leaves the approval alone", () => {
    const time = "2025-12-31T00:00:00Z";
    const times = { lastUpdateTime: time, lastTransitionTime: time };
    const old = withStatus(condition("Approved", { message: "yes", ...times }));
    const issued = { ...old, status: { ...old.status, certificate: "c" } };
    assert.deepEqual(status(issued, old).errors, []);
    const other = { ...old, status: { ...old.status, certificate: "d" } };
    assert.deepEqual(status(other, issued).errors, ["status.certificate Forbidden"]);
    const changed = withStatus(condition("Approved", { message: "mine" }));
    const { next, errors } = status(changed, old);
    assert.deepEqual(errors, []);
    assert.equal(next.status?.conditions?.[0]?.message, "yes");
    assert.deepEqual(status(old, make()).errors, ["status.conditions Forbidden"]);
  });
});

describe("what the cluster's signers sign", () => {
  const node: RequestContent = {
    commonName: "system:node:n",
    organizations: ["system:nodes"],
    ...{ dnsNames: [], ips: [], emails: [], uris: [] },
  };
  const client = ["digital signature", "key encipherment", "client auth"];
  const serving = ["digital signature", "server auth"];
  const rows: readonly (readonly [string, RequestContent, readonly string[], string?])[] = [
    [KUBELET_CLIENT_SIGNER, node, client],
    [KUBELET_CLIENT_SIGNER, node, ["client auth", "digital signature"]],
    [KUBELET_CLIENT_SIGNER, node, serving, "usages did not match [client auth digital signature key encipherment]"], // prettier-ignore
    [KUBELET_CLIENT_SIGNER, { ...node, organizations: [] }, client, "subject organization is not system:nodes"], // prettier-ignore
    [KUBELET_CLIENT_SIGNER, { ...node, commonName: "n" }, client, "subject common name does not begin with system:node:"], // prettier-ignore
    [KUBELET_CLIENT_SIGNER, { ...node, dnsNames: ["n"] }, client, "DNS subjectAltNames are not allowed"], // prettier-ignore
    [KUBELET_CLIENT_SIGNER, { ...node, emails: ["n"] }, client, "Email subjectAltNames are not allowed"], // prettier-ignore
    [KUBELET_CLIENT_SIGNER, { ...node, ips: ["::1"] }, client, "IP subjectAltNames are not allowed"], // prettier-ignore
    [KUBELET_CLIENT_SIGNER, { ...node, uris: ["n"] }, client, "URI subjectAltNames are not allowed"], // prettier-ignore
    [KUBELET_SERVING_SIGNER, { ...node, ips: ["10.0.0.1"] }, serving],
    [KUBELET_SERVING_SIGNER, node, serving, "DNS or IP subjectAltName is required"],
    [KUBELET_SERVING_SIGNER, { ...node, dnsNames: ["n"] }, client, "usages did not match [digital signature key encipherment server auth]"], // prettier-ignore
    [CLIENT_SIGNER, { ...node, organizations: ["team"], commonName: "jane" }, client],
    [CLIENT_SIGNER, node, serving, "invalid usage for client certificate: server auth"],
    [CLIENT_SIGNER, node, ["key encipherment"], "missing required usage for client certificate: client auth"], // prettier-ignore
    [LEGACY_SIGNER, node, ["any"]],
  ];
  for (const [signer, content, usages, expected] of rows)
    it(`${signer}: ${expected ?? "fine"}`, () =>
      assert.equal(signerProblem(signer, content, usages), expected));

  it("of v1beta1 is told by the request", () => {
    assert.equal(meantSigner(node, client), KUBELET_CLIENT_SIGNER);
    assert.equal(meantSigner({ ...node, ips: ["10.0.0.1"] }, serving), KUBELET_SERVING_SIGNER);
    assert.equal(meantSigner({ ...node, commonName: "x" }, client), LEGACY_SIGNER);
  });
});
