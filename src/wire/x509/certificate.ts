import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import type { Instant } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import {
  bitString,
  element,
  explicit,
  oid,
  readOne,
  children,
  readBits,
  sequence,
  TAG,
  time,
  unsignedInteger,
} from "./der.ts";
import {
  type AlternativeNames,
  encodeAlternativeNames,
  encodeSubject,
  type Subject,
} from "./names.ts";
import { parseCertificate } from "./parse.ts";

const DAY_MS = 86_400_000;

/** Ten years, as kubeadm's authority. Doubling only postpones the one change that every client notices. */
const AUTHORITY_LIFE_MS = 3650 * DAY_MS;

/** A year, as kubeadm's certificates: what a stolen key is good for. */
export const CERTIFICATE_LIFE_MS = 365 * DAY_MS;

/** A certificate is valid this long before it is made, for peers whose clocks are behind. @spec k8s@1.36 signer backdate */
const BACKDATE_MS = 5 * 60_000;

/** 16 random bytes: RFC 5280 allows 20 and wants no two alike. */
const SERIAL_BYTES = 16;

const ECDSA_WITH_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));

/** @spec RFC 5280 section 4.2.1.12 */
export const USAGE_OIDS = {
  any: "2.5.29.37.0",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
  codeSigning: "1.3.6.1.5.5.7.3.3",
  emailProtection: "1.3.6.1.5.5.7.3.4",
  ipsecEndSystem: "1.3.6.1.5.5.7.3.5",
  ipsecTunnel: "1.3.6.1.5.5.7.3.6",
  ipsecUser: "1.3.6.1.5.5.7.3.7",
  timeStamping: "1.3.6.1.5.5.7.3.8",
  ocspSigning: "1.3.6.1.5.5.7.3.9",
  microsoftSgc: "1.3.6.1.4.1.311.10.3.3",
  netscapeSgc: "2.16.840.1.113730.4.1",
} as const;

/** Bits of a key's usage, from the left. @spec RFC 5280 section 4.2.1.3 */
export const KEY_USAGE_BITS = {
  digitalSignature: 0,
  contentCommitment: 1,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  certSign: 5,
  crlSign: 6,
  encipherOnly: 7,
  decipherOnly: 8,
} as const;

export type KeyUsage = keyof typeof KEY_USAGE_BITS;

export type ExtendedUsage = keyof typeof USAGE_OIDS;

/** A certificate and its private key, both PEM. */
export interface Issued {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** What signs: made once from PEM, used for many. */
export interface Authority {
  readonly subject: Buffer;
  readonly keyId: Buffer;
  readonly key: KeyObject;
  readonly certificatePem: string;
  readonly notAfter: Instant;
}

/** What issuing needs from its surroundings. */
export interface IssueFacts {
  readonly now: Instant;
  readonly random: Random;
}

/** What a leaf certificate says. */
export interface CertificateContent {
  readonly subject: Subject;
  readonly names?: AlternativeNames;
  readonly usages: readonly ExtendedUsage[];
  /** Default: digital signature. */
  readonly keyUsages?: readonly KeyUsage[];
  /** Instead of `subject`: the whole distinguished name, as DER. */
  readonly subjectDer?: Buffer;
  /** Default {@link CERTIFICATE_LIFE_MS}. */
  readonly lifeMs?: number;
}

/** A new self-signed authority, ECDSA P-256, valid ten years. */
export function createAuthority(commonName: string, facts: IssueFacts): Issued {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = encodeSubject({ commonName, organizations: [] });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const keyId = keyIdentifier(spki);
  const der = signedCertificate({
    issuer: subject,
    subject,
    spki,
    key: privateKey,
    facts,
    lifeMs: AUTHORITY_LIFE_MS,
    extensions: [
      extension("2.5.29.19", sequence(element(TAG.boolean, Buffer.from([0xff]))), true),
      keyUsage(AUTHORITY_KEY_USAGE),
      subjectKeyId(keyId),
    ],
  });
  return { certificatePem: pem("CERTIFICATE", der), keyPem: keyPem(privateKey) };
}

/** @throws {BadDer} no certificate. {Error} of `node:crypto`: no key, or another's. */
export function loadAuthority(files: Issued): Authority {
  const key = createPrivateKey(files.keyPem);
  const parsed = parseCertificate(files.certificatePem);
  if (!parsed.isAuthority) throw new Error("not a certificate authority");
  return {
    key,
    subject: parsed.subjectDer,
    keyId: keyIdentifier(parsed.publicKeyDer),
    certificatePem: files.certificatePem,
    notAfter: parsed.notAfter,
  };
}

/** A new key and its certificate. */
export function issueCertificate(
  authority: Authority,
  content: CertificateContent,
  facts: IssueFacts,
): Issued {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  return {
    certificatePem: certify(authority, spki, content, facts),
    keyPem: keyPem(privateKey),
  };
}

/** A certificate (PEM) for a public key (SubjectPublicKeyInfo) that somebody else holds the private half of. */
export function certify(
  authority: Authority,
  spki: Buffer,
  content: CertificateContent,
  facts: IssueFacts,
): string {
  const names = content.names ?? { dnsNames: [], ips: [] };
  const { emails = [], uris = [] } = names;
  const hasNames = [names.dnsNames, names.ips, emails, uris].some((list) => list.length > 0);
  const { usages, keyUsages = ["digitalSignature"] } = content;
  const der = signedCertificate({
    issuer: authority.subject,
    subject: content.subjectDer ?? encodeSubject(content.subject),
    spki,
    key: authority.key,
    facts,
    // A certificate that outlives its authority holds no longer than that.
    lifeMs: Math.min(content.lifeMs ?? CERTIFICATE_LIFE_MS, authority.notAfter - facts.now),
    extensions: [
      extension("2.5.29.19", sequence(), true),
      ...(keyUsages.length > 0 ? [keyUsage(usageBits(keyUsages))] : []),
      ...(usages.length > 0
        ? [extension("2.5.29.37", sequence(...usages.map((usage) => oid(USAGE_OIDS[usage]))))]
        : []),
      subjectKeyId(keyIdentifier(spki)),
      extension("2.5.29.35", sequence(element(0x80, authority.keyId))),
      ...(hasNames ? [extension("2.5.29.17", encodeAlternativeNames(names))] : []),
    ],
  });
  return pem("CERTIFICATE", der);
}

/** True from two thirds of the certificate's life on: late enough to be rare, early enough to survive a long stop. */
export function isRenewalDue(
  certificate: { readonly notBefore: Instant; readonly notAfter: Instant },
  now: Instant,
): boolean {
  const lifeMs = certificate.notAfter - certificate.notBefore;
  return now >= certificate.notBefore + (lifeMs * 2) / 3;
}

/** A new ECDSA P-256 private key, PKCS #8 PEM. */
export function createKeyPem(): string {
  return keyPem(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
}

interface Unsigned {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly spki: Buffer;
  readonly key: KeyObject;
  readonly facts: IssueFacts;
  readonly lifeMs: number;
  readonly extensions: readonly Buffer[];
}

/** @spec RFC 5280 section 4.1 */
function signedCertificate(parts: Unsigned): Buffer {
  const { now, random } = parts.facts;
  const toBeSigned = sequence(
    explicit(0, unsignedInteger(Buffer.from([2]))),
    unsignedInteger(random.bytes(SERIAL_BYTES)),
    ECDSA_WITH_SHA256,
    parts.issuer,
    sequence(time(now - BACKDATE_MS), time(now + parts.lifeMs)),
    parts.subject,
    parts.spki,
    explicit(3, sequence(...parts.extensions)),
  );
  return sequence(toBeSigned, ECDSA_WITH_SHA256, bitString(sign("sha256", toBeSigned, parts.key)));
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [element(TAG.boolean, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...critical, element(TAG.octetString, value));
}

const AUTHORITY_KEY_USAGE = usageBits(["digitalSignature", "certSign", "crlSign"]);

/** The value of a bit string: how many bits are unused, then bytes without zeros behind the last bit. */
function usageBits(usages: readonly KeyUsage[]): readonly number[] {
  const bits = usages.map((usage) => KEY_USAGE_BITS[usage]);
  const last = Math.max(...bits);
  const bytes = [0, 0].slice(0, last < 8 ? 1 : 2);
  for (const bit of bits) bytes[bit >> 3]! |= 0x80 >> (bit & 7);
  return [7 - (last & 7), ...bytes];
}

function keyUsage(bits: readonly number[]): Buffer {
  return extension("2.5.29.15", element(TAG.bitString, Buffer.from(bits)), true);
}

function subjectKeyId(keyId: Buffer): Buffer {
  return extension("2.5.29.14", element(TAG.octetString, keyId));
}

/** SHA-1 of the public key's bits: a name, not a protection. @spec RFC 5280 section 4.2.1.2 (1) */
function keyIdentifier(spki: Buffer): Buffer {
  const [, bits] = children(readOne(spki, TAG.sequence));
  return createHash("sha1").update(readBits(bits)).digest();
}

function keyPem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }) as string;
}

/** PEM text of `der`, 64 characters a line. */
export function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
