/** All that a certificate can be asked to be good for, sorted as messages list them. @spec certificates/v1 KeyUsage */
export const USAGES = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
] as const;

export type CertificateUsage = (typeof USAGES)[number];

/** True for one of {@link USAGES}. */
export function isUsage(text: string): text is CertificateUsage {
  return (USAGES as readonly string[]).includes(text);
}
