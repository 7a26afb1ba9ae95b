import { createPublicKey, verify } from "node:crypto";
import type { Instant } from "../../base/clock.ts";
import {
  BadDer,
  children,
  type Element,
  expectTag,
  readBits,
  readOid,
  readOne,
  readTime,
  TAG,
} from "./der.ts";
import { type AlternativeNames, readAlternativeNames, readSubject, type Subject } from "./names.ts";

/** What a certificate says. */
export interface ParsedCertificate {
  readonly subject: Subject;
  readonly names: AlternativeNames;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly isAuthority: boolean;
  readonly subjectDer: Buffer;
  readonly issuerDer: Buffer;
  readonly publicKeyDer: Buffer;
  /** What the issuer signed, and how. */
  readonly signed: SignedBytes;
}

/** Bytes with a signature over them. */
export interface SignedBytes {
  readonly bytes: Buffer;
  readonly algorithm: string;
  readonly signature: Buffer;
}

/** Reads the first certificate of a PEM text. @throws {BadDer} */
export function parseCertificate(text: string): ParsedCertificate {
  const outer = children(readOne(pemBytes(text, "CERTIFICATE"), TAG.sequence));
  const fields = children(outer[0]);
  // Version 1 has no version field; all others begin with [0].
  const at = fields[0]?.tag === 0xa0 ? 1 : 0;
  const [issuer, validity, subject, spki] = fields.slice(at + 2);
  const [notBefore, notAfter] = children(validity);
  const extensions = readExtensions(fields.find((field) => field.tag === 0xa3));
  const names = extensions.get("2.5.29.17");
  return {
    subject: readSubject(subject),
    names: names ? readAlternativeNames(names) : { dnsNames: [], ips: [] },
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    isAuthority: isAuthority(extensions.get("2.5.29.19")),
    subjectDer: expectTag(subject, TAG.sequence).whole,
    issuerDer: expectTag(issuer, TAG.sequence).whole,
    publicKeyDer: expectTag(spki, TAG.sequence).whole,
    signed: readSigned(outer),
  };
}

/** True when `issuer`'s key signed `certificate`. */
export function isSignedBy(certificate: ParsedCertificate, issuer: ParsedCertificate): boolean {
  return (
    certificate.issuerDer.equals(issuer.subjectDer) &&
    isSignatureValid(certificate.signed, issuer.publicKeyDer)
  );
}

/** Hash per signature algorithm; `undefined`: the algorithm hashes by itself. */
const HASHES: Readonly<Record<string, string | undefined>> = {
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.3.101.112": undefined,
};

/** Unknown algorithms and unusable keys count as not valid. */
export function isSignatureValid(signed: SignedBytes, publicKeyDer: Buffer): boolean {
  if (!Object.hasOwn(HASHES, signed.algorithm)) return false;
  try {
    const key = createPublicKey({ key: publicKeyDer, format: "der", type: "spki" });
    return verify(HASHES[signed.algorithm], signed.bytes, key, signed.signature);
  } catch {
    return false;
  }
}

/** The three parts of every signed structure: content, algorithm, signature. @throws {BadDer} */
export function readSigned(parts: readonly Element[]): SignedBytes {
  const [content, algorithm, signature] = parts;
  return {
    bytes: expectTag(content, TAG.sequence).whole,
    algorithm: readOid(children(algorithm)[0]),
    signature: readBits(signature),
  };
}

/** Values by OID; `wrapper` is the `[3]` around the list, or absent. @throws {BadDer} */
export function readExtensions(wrapper: Element | undefined): Map<string, Buffer> {
  const values = new Map<string, Buffer>();
  if (!wrapper) return values;
  for (const one of children(readOne(wrapper.content, TAG.sequence))) {
    const parts = children(one);
    values.set(readOid(parts[0]), expectTag(parts.at(-1), TAG.octetString).content);
  }
  return values;
}

/** The bytes of the first PEM block with this label. @throws {BadDer} */
export function pemBytes(text: string, label: string): Buffer {
  const begin = `-----BEGIN ${label}-----`;
  const from = text.indexOf(begin);
  const to = text.indexOf(`-----END ${label}-----`, from);
  if (from < 0 || to < 0) throw new BadDer(`no PEM block ${label}`);
  return Buffer.from(text.slice(from + begin.length, to), "base64");
}

function isAuthority(basicConstraints: Buffer | undefined): boolean {
  if (!basicConstraints) return false;
  const [first] = children(readOne(basicConstraints, TAG.sequence));
  return first?.tag === TAG.boolean && first.content[0] === 0xff;
}
