import type { CertificateSigningRequest } from "../../api/certificates/certificate-signing-request.ts";
import {
  CLIENT_SIGNER,
  LEGACY_SIGNER,
  meantSigner,
  type RequestContent,
} from "../../api/certificates/kubelet-requests.ts";
import { equalSemantic } from "../../api/machinery/equality.ts";
import { invalid, type FieldError } from "../../api/machinery/field-error.ts";
import { invalid as invalidObject } from "../../api/machinery/status-errors.ts";
import { BadDer } from "../../wire/x509/der.ts";
import { parseCertificate } from "../../wire/x509/parse.ts";
import { parseSigningRequest } from "../../wire/x509/signing-request.ts";
import type { Authorizer } from "../authz/authorizer.ts";
import type { AdmissionCall } from "../request.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isAbout, refuse } from "./refusal.ts";

const GROUP = "certificates.k8s.io";

function isRequest(call: AdmissionCall, subresource = ""): boolean {
  return isAbout(call, "certificatesigningrequests", subresource, GROUP);
}

/** Only those approve or deny who may do so for the signer. @spec k8s@1.36 plugin/pkg/admission/certificates/approval */
export class CertificateApproval implements AdmissionPlugin {
  readonly name = "CertificateApproval";
  readonly #authorizer: Authorizer;

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer;
  }

  handles(call: AdmissionCall): boolean {
    return call.operation === "UPDATE" && isRequest(call, "approval");
  }

  validate(call: AdmissionCall): void {
    const signer = signerOf(call.old);
    if (!maySign(this.#authorizer, call, "approve", signer))
      throw refuse(call, `user not permitted to approve requests with signerName "${signer}"`);
  }
}

/** Only those hand in a certificate, or say that there is none, who may sign for the signer. @spec …/certificates/signing */
export class CertificateSigning implements AdmissionPlugin {
  readonly name = "CertificateSigning";
  readonly #authorizer: Authorizer;

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer;
  }

  handles(call: AdmissionCall): boolean {
    return call.operation === "UPDATE" && isRequest(call, "status");
  }

  validate(call: AdmissionCall): void {
    const [request, old] = [call.object, call.old] as CertificateSigningRequest[];
    const [now, before] = [request?.status ?? {}, old?.status ?? {}];
    const isSame = now.certificate === before.certificate;
    if (isSame && equalSemantic(now.conditions, before.conditions)) return;
    const signer = signerOf(old);
    if (!maySign(this.#authorizer, call, "sign", signer))
      throw refuse(call, `user not permitted to sign requests with signerName "${signer}"`);
    const problem = isSame ? undefined : certificateProblem(now.certificate ?? "");
    if (problem !== undefined)
      throw unacceptable(call, invalid("status.certificate", "<certificate data>", problem));
  }
}

/**
 * Judges by what is inside of a new request: that it is one, that its key has signed it, and that nobody becomes a member of
 * system:masters by it. Says which signer is meant where `v1beta1` lets that out.
 *
 * @spec k8s@1.36 plugin/pkg/admission/certificates/subjectrestriction; pkg/apis/certificates/validation validateCSR
 */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: "CertificateSubjectRestriction",

  handles: (call) => call.operation === "CREATE" && isRequest(call),

  admit(call) {
    const request = call.object as CertificateSigningRequest;
    const { spec } = request;
    if (call.version === "v1" || !spec || spec.signerName) return undefined;
    const content = contentOf(spec.request);
    const isRead = typeof content !== "string";
    const signerName = isRead ? meantSigner(content, spec.usages ?? []) : LEGACY_SIGNER;
    return { ...request, spec: { ...spec, signerName } };
  },

  validate(call) {
    const { spec } = call.object as CertificateSigningRequest;
    const content = contentOf(spec?.request ?? "");
    if (typeof content === "string")
      throw unacceptable(call, invalid("spec.request", spec?.request ?? "", content));
    const signer = spec?.signerName ?? "";
    if (signer === LEGACY_SIGNER && call.version === "v1") {
      const why = "the legacy signerName is not allowed via this API version";
      throw unacceptable(call, invalid("spec.signerName", signer, why));
    }
    if (signer === CLIENT_SIGNER && content.organizations.includes("system:masters"))
      throw refuse(call, `use of ${signer} signer with system:masters group is not allowed`);
  },
};

/** What stands in a request (base64 of PEM), or why it cannot be read. */
function contentOf(request: string): RequestContent | string {
  try {
    const { subject, names } = parseSigningRequest(Buffer.from(request, "base64").toString());
    return { ...subject, emails: [], uris: [], ...names };
  } catch (error) {
    if (!(error instanceof BadDer)) throw error;
    const hasBlock = !error.message.startsWith("no PEM block");
    return hasBlock ? error.message : "PEM block type must be CERTIFICATE REQUEST";
  }
}

const PEM_BLOCK = /-----BEGIN ([^-\n]*)-----\n([\s\S]*?)-----END \1-----/g;

/** What is wrong with a certificate (base64 of PEM, more than one allowed). @spec validateCertificate */
function certificateProblem(certificate: string): string | undefined {
  if (certificate === "") return undefined;
  const blocks = [...Buffer.from(certificate, "base64").toString().matchAll(PEM_BLOCK)];
  if (blocks.length === 0) return "must contain at least one CERTIFICATE PEM block";
  for (const [block, type, body] of blocks) {
    if (type !== "CERTIFICATE")
      return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`;
    if (body!.includes(":")) return "no PEM block headers are permitted";
    try {
      parseCertificate(block);
    } catch (error) {
      if (!(error instanceof BadDer)) throw error;
      return error.message;
    }
  }
  return undefined;
}

function unacceptable(call: AdmissionCall, error: FieldError): Error {
  const { kind, group } = call.kind;
  const name = call.info.name || call.object?.metadata?.name || "";
  return invalidObject({ group, kind, name, errors: [error] });
}

function signerOf(request: unknown): string {
  return (request as CertificateSigningRequest | undefined)?.spec?.signerName ?? "";
}

/** For this signer, or for all of its domain. @spec k8s@1.36 pkg/certauthorization IsAuthorizedForSignerName */
function maySign(
  authorizer: Authorizer,
  { user, info }: AdmissionCall,
  verb: "approve" | "sign",
  signer: string,
): boolean {
  const about = (name: string) => ({
    ...info,
    isResource: true,
    verb,
    group: GROUP,
    version: "*",
    plural: "signers",
    subresource: "",
    namespace: "",
    name,
  });
  const names = [signer, `${signer.split("/")[0]}/*`];
  return names.some((name) => authorizer.authorize(user, about(name)).isAllowed);
}
