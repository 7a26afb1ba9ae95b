import {
  type Authority,
  type CertificateContent,
  certify,
  type IssueFacts,
} from "./certificate.ts";
import { BadDer, children, expectTag, readAll, readOid, readOne, TAG } from "./der.ts";
import { type AlternativeNames, readAlternativeNames, readSubject, type Subject } from "./names.ts";
import { isSignatureValid, pemBytes, readExtensions, readSigned } from "./parse.ts";

const OID_EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

/** What a PKCS #10 request asks for; its signature has been checked. */
export interface SigningRequest {
  readonly subject: Subject;
  /** The whole distinguished name, with what {@link Subject} leaves out. */
  readonly subjectDer: Buffer;
  readonly names: AlternativeNames;
  readonly publicKeyDer: Buffer;
}

/** @throws {BadDer} not a request, or its own key did not sign it. @spec RFC 2986 section 4 */
export function parseSigningRequest(text: string): SigningRequest {
  const outer = children(readOne(pemBytes(text, "CERTIFICATE REQUEST"), TAG.sequence));
  const [, subject, spki, attributes] = children(outer[0]);
  const publicKeyDer = expectTag(spki, TAG.sequence).whole;
  if (!isSignatureValid(readSigned(outer), publicKeyDer)) throw new BadDer("bad signature");
  return {
    subject: readSubject(subject),
    subjectDer: expectTag(subject, TAG.sequence).whole,
    names: attributes ? requestedNames(attributes.content) : { dnsNames: [], ips: [] },
    publicKeyDer,
  };
}

/** The certificate (PEM) for a request: the name and names it asks for, the usages and life that the signer grants. */
export function signRequest(
  authority: Authority,
  request: SigningRequest,
  grant: Pick<CertificateContent, "usages" | "keyUsages" | "lifeMs">,
  facts: IssueFacts,
): string {
  const { subject, subjectDer, names } = request;
  const content = { ...grant, subject, subjectDer, names };
  return certify(authority, request.publicKeyDer, content, facts);
}

function requestedNames(attributes: Buffer): AlternativeNames {
  for (const attribute of readAll(attributes)) {
    const [type, values] = children(attribute);
    if (readOid(type) !== OID_EXTENSION_REQUEST) continue;
    const names = readExtensions(values).get("2.5.29.17");
    if (names) return readAlternativeNames(names);
  }
  return { dnsNames: [], ips: [] };
}
