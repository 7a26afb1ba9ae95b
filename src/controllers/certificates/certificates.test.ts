import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CertificateSigningRequest } from "../../api/certificates/certificate-signing-request.ts";
import {
  CLIENT_SIGNER,
  KUBELET_CLIENT_SIGNER,
  type RequestContent,
} from "../../api/certificates/kubelet-requests.ts";
import { formatTime } from "../../base/clock.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { StaticCache } from "../../../test/support/static-cache.ts";
import { certificateApprover, plan as planApproval } from "./approver.ts";
import { certificateCleaner, plan as planCleaning } from "./cleaner.ts";
import type { CertificatePort } from "./port.ts";
import { certificateSigner, isToBeSigned, lifeMs, plan as planSigning } from "./signer.ts";

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const NODE: RequestContent = {
  commonName: "system:node:n",
  organizations: ["system:nodes"],
  ...{ dnsNames: [], ips: [], emails: [], uris: [] },
};
const CLIENT = ["digital signature", "client auth"];

/** `Approved@-90m Issued`: conditions with the age of each, and whether there is a certificate. */
function request(text: string, spec: object = {}): CertificateSigningRequest {
  const words = text.split(" ").filter((word) => word !== "");
  const conditions = words
    .filter((word) => word !== "Issued")
    .map((word) => {
      const [type = "", minutes = "0"] = word.split("@");
      return { type, status: "True", lastUpdateTime: formatTime(NOW + Number(minutes) * 60_000) };
    });
  return {
    metadata: { name: "r", uid: "u", creationTimestamp: formatTime(NOW - 23 * HOUR) },
    spec: {
      request: "text",
      signerName: KUBELET_CLIENT_SIGNER,
      usages: CLIENT,
      username: "system:node:n",
      ...spec,
    },
    status: {
      ...(conditions.length > 0 && { conditions }),
      ...(words.includes("Issued") && { certificate: "c" }),
    },
  };
}

/** A port to which all requests read `content`, and `may` may be asked for. */
const portOf = (content: RequestContent | undefined, ...may: string[]): CertificatePort => ({
  read: () => content,
  sign: (_, usages, ms) => `signed for ${usages.join("+")}, ${ms} ms`,
  endOf: () => NOW + HOUR,
  mayCreate: ({ name }, subresource) => may.includes(`${name} ${subresource}`),
});
const KEY = { namespace: "", name: "r" };
const cacheOf = (of: CertificateSigningRequest) =>
  new StaticCache().put(CertificateSigningRequest, of);
const wordsOf = ({ writes = [], wakeAt }: Plan): string =>
  wakeAt === undefined ? writes.map(({ verb }) => verb).join(" ") : `wake +${wakeAt - NOW}`;

describe("certificateApprover", () => {
  const approve = (
    of: CertificateSigningRequest,
    content: RequestContent | undefined,
    ...may: string[]
  ): Plan | undefined => {
    const controller = certificateApprover(portOf(content, ...may));
    const observed = controller.observe(cacheOf(of), KEY);
    return observed && planApproval(observed, NOW);
  };
  const messageOf = (plan: Plan | undefined): string | undefined => {
    const [write] = plan?.writes ?? [];
    if (write?.verb !== "update") return undefined;
    assert.equal(write.subresource, "approval");
    const { status } = write.object as CertificateSigningRequest;
    const { type, reason, message } = status!.conditions!.at(-1)!;
    assert.deepEqual([type, reason], ["Approved", "AutoApproved"]);
    return message;
  };

  it("a node renews its own certificate", () =>
    assert.equal(
      messageOf(approve(request(""), NODE, "system:node:n selfnodeclient")),
      "Auto approving self kubelet client certificate after SubjectAccessReview.",
    ));

  it("somebody asks for a node that is to join", () =>
    assert.equal(
      messageOf(approve(request("", { username: "boot" }), NODE, "boot nodeclient")),
      "Auto approving kubelet client certificate after SubjectAccessReview.",
    ));

  it("nobody asks for another node as for themselves", () => {
    const plan = approve(request("", { username: "boot" }), NODE, "boot selfnodeclient");
    assert.deepEqual(plan, { wakeAt: NOW + 60_000 });
  });

  it("leaves alone what is no node's, cannot be read, or is settled", () => {
    const may = "system:node:n selfnodeclient";
    assert.deepEqual(approve(request("", { signerName: CLIENT_SIGNER }), NODE, may), {});
    assert.deepEqual(approve(request("", { usages: ["any"] }), NODE, may), {});
    assert.deepEqual(approve(request(""), undefined, may), {});
    for (const settled of ["Approved", "Denied", "Issued"])
      assert.equal(approve(request(settled), NODE, may), undefined);
  });
});

describe("certificateSigner", () => {
  const signed = (of: CertificateSigningRequest, content = NODE): object | undefined => {
    const observed = certificateSigner(portOf(content)).observe(cacheOf(of), KEY);
    return observed && planSigning(observed, NOW).status;
  };

  const rows: readonly (readonly [string, CertificateSigningRequest, boolean])[] = [
    ["approved", request("Approved"), true],
    ["not approved", request(""), false],
    ["approved and denied", request("Approved Denied"), false],
    ["approved and failed", request("Approved Failed"), false],
    ["issued", request("Approved Issued"), false],
    ["to another's signer", request("Approved", { signerName: "example.com/s" }), false],
  ];
  for (const [what, of, expected] of rows)
    it(`${what}: ${expected ? "signed" : "not signed"}`, () => {
      assert.equal(isToBeSigned(of), expected);
      assert.equal(signed(of) !== undefined, expected);
    });

  it("hands in the certificate, for what was asked", () => {
    const { certificate } = signed(request("Approved", { expirationSeconds: 3600 })) as {
      certificate: string;
    };
    assert.equal(certificate, "signed for digital signature+client auth, 3600000 ms");
  });

  it("says why there can be none", () => {
    const status = signed(request("Approved"), { ...NODE, commonName: "n" });
    const { conditions } = status as { conditions: readonly Record<string, string>[] };
    const { type, reason, message } = conditions.at(-1)!;
    assert.deepEqual(
      [type, reason, message],
      ["Failed", "SignerValidationFailure", "subject common name does not begin with system:node:"],
    );
  });

  it("a year at most, ten minutes at least; a long life ends sooner by what it began earlier", () => {
    const year = 365 * 24 * HOUR;
    assert.equal(lifeMs(undefined), year - 300_000);
    assert.equal(lifeMs(10 * 365 * 24 * 3600), year - 300_000);
    assert.equal(lifeMs(1), 600_000);
    assert.equal(lifeMs(8 * 3600 - 1), 8 * HOUR - 1000);
    assert.equal(lifeMs(8 * 3600), 8 * HOUR - 300_000);
  });
});

describe("certificateCleaner", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["", `wake +${HOUR}`], // it is 23 hours old
    ["Approved@-600", ""], // somebody may still sign it
    ["Approved@-59 Issued", "wake +60000"],
    ["Approved@-60 Issued", "delete"],
    ["Denied@-30", `wake +${HOUR / 2}`],
    ["Denied@-61", "delete"],
    ["Approved@-90 Failed@-61", "delete"],
  ];
  for (const [text, expected] of rows)
    it(`"${text}" → "${expected}"`, () => {
      const controller = certificateCleaner(portOf(NODE));
      const observed = controller.observe(cacheOf(request(text)), KEY);
      assert.equal(wordsOf(planCleaning(observed!, NOW)), expected);
    });

  it("one whose certificate has ended goes", () => {
    const observed = { request: request("Approved@-1 Issued"), endsAt: NOW };
    assert.equal(wordsOf(planCleaning(observed, NOW)), "delete");
  });
});
