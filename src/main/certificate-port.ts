import type { CertificatePort } from "../controllers/certificates/port.ts";
import { BadDer } from "../wire/x509/der.ts";
import {
  type Authority,
  type ExtendedUsage,
  type IssueFacts,
  type Issued,
  type KeyUsage,
  loadAuthority,
} from "../wire/x509/certificate.ts";
import { parseCertificate } from "../wire/x509/parse.ts";
import { parseSigningRequest, signRequest } from "../wire/x509/signing-request.ts";

/** Usages of requests that are bits of the key. @spec k8s@1.36 pkg/controller/certificates/authority/policies.go */
const KEY_USAGES: Readonly<Record<string, KeyUsage>> = {
  signing: "digitalSignature",
  "digital signature": "digitalSignature",
  "content commitment": "contentCommitment",
  "key encipherment": "keyEncipherment",
  "key agreement": "keyAgreement",
  "data encipherment": "dataEncipherment",
  "cert sign": "certSign",
  "crl sign": "crlSign",
  "encipher only": "encipherOnly",
  "decipher only": "decipherOnly",
};

/** Those that are purposes, in the order in which certificates list them. */
const PURPOSES: Readonly<Record<string, ExtendedUsage>> = {
  any: "any",
  "server auth": "serverAuth",
  "client auth": "clientAuth",
  "code signing": "codeSigning",
  "email protection": "emailProtection",
  "s/mime": "emailProtection",
  "ipsec end system": "ipsecEndSystem",
  "ipsec tunnel": "ipsecTunnel",
  "ipsec user": "ipsecUser",
  timestamping: "timeStamping",
  "ocsp signing": "ocspSigning",
  "microsoft sgc": "microsoftSgc",
  "netscape sgc": "netscapeSgc",
};

/**
 * Signing by the cluster's own authority. `authority` and `facts`: asked for at each certificate.
 *
 * @spec k8s@1.36 pkg/controller/certificates/signer/ca_provider.go currentCA
 */
export function certificatePort(
  authority: () => Issued,
  facts: () => IssueFacts,
  mayCreate: CertificatePort["mayCreate"],
): CertificatePort {
  let issued: Issued | undefined;
  let loaded: Authority | undefined;
  const current = (): Authority => {
    const now = authority();
    if (loaded && now.certificatePem === issued?.certificatePem && now.keyPem === issued.keyPem)
      return loaded;
    issued = now;
    return (loaded = loadAuthority(now));
  };
  return {
    read: (request) =>
      readable(() => {
        const { subject, names } = parseSigningRequest(textOf(request));
        return { ...subject, emails: [], uris: [], ...names };
      }),
    sign(request, usages, lifeMs) {
      const parsed = parseSigningRequest(textOf(request));
      const grant = {
        usages: known(PURPOSES, usages),
        keyUsages: known(KEY_USAGES, usages),
        lifeMs,
      };
      return Buffer.from(signRequest(current(), parsed, grant, facts())).toString("base64");
    },
    endOf: (certificate) => readable(() => parseCertificate(textOf(certificate)).notAfter),
    mayCreate,
  };
}

/** Each once, in the table's order. */
function known<T>(table: Readonly<Record<string, T>>, usages: readonly string[]): readonly T[] {
  return [
    ...new Set(Object.keys(table).flatMap((name) => (usages.includes(name) ? table[name]! : []))),
  ];
}

function textOf(base64: string): string {
  return Buffer.from(base64, "base64").toString();
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof BadDer) return undefined;
    throw error;
  }
}
