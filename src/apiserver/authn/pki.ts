import type { Instant } from "../../base/clock.ts";
import { type CertificateContent, isRenewalDue } from "../../wire/x509/certificate.ts";
import { canonicalIp } from "../../wire/x509/names.ts";
import { isSignedBy, type ParsedCertificate } from "../../wire/x509/parse.ts";

/** File stems under `pki/` that hold a certificate which the authority `ca` signs. */
export const LEAF_FILES = ["server", "admin", "apiserver-kubelet-client"] as const;

export type LeafFile = (typeof LEAF_FILES)[number];

/** What the server is reached by. */
export interface PkiSpec {
  /** First addresses of the service ranges: those of Service `kubernetes`. */
  readonly serviceIps: readonly string[];
  /** Of `--advertise` and `--listen`. */
  readonly addresses: readonly string[];
  readonly extraDnsNames: readonly string[];
  readonly clusterDomain: string;
}

/** What is on disk. `undefined`: missing, or unreadable and worth replacing. */
export interface ObservedPki {
  readonly authority: ParsedCertificate | undefined;
  readonly hasServiceAccountKey: boolean;
  readonly leaves: Readonly<Partial<Record<LeafFile, ParsedCertificate>>>;
}

export type PkiStep =
  | { readonly kind: "authority"; readonly commonName: string }
  /** `sa.key`: signs service-account tokens. */
  | { readonly kind: "service-account-key" }
  | { readonly kind: "certificate"; readonly file: LeafFile; readonly content: CertificateContent };

/**
 * What must be made so that the server can start. A new authority takes all certificates with it.
 *
 * An authority is never replaced, however old: every kubeconfig and every node trusts it by its bytes.
 */
export function planPki(spec: PkiSpec, observed: ObservedPki, now: Instant): readonly PkiStep[] {
  const contents = leafContents(spec);
  const { authority } = observed;
  const due = LEAF_FILES.filter((file) => {
    const leaf = observed.leaves[file];
    return !authority || !leaf || !isGood(leaf, contents[file], authority, now);
  });
  return [
    ...(authority ? [] : [{ kind: "authority", commonName: "skiff-ca" } as const]),
    ...(observed.hasServiceAccountKey ? [] : [{ kind: "service-account-key" } as const]),
    ...due.map((file) => ({ kind: "certificate", file, content: contents[file] }) as const),
  ];
}

/** What each certificate says. */
export function leafContents(spec: PkiSpec): Readonly<Record<LeafFile, CertificateContent>> {
  const client = (commonName: string): CertificateContent => ({
    subject: { commonName, organizations: ["system:masters"] },
    usages: ["clientAuth"],
  });
  return {
    server: {
      subject: { commonName: "kube-apiserver", organizations: [] },
      names: { dnsNames: dnsNames(spec), ips: ips(spec) },
      usages: ["serverAuth"],
    },
    admin: client("kubernetes-admin"),
    "apiserver-kubelet-client": client("kube-apiserver-kubelet-client"),
  };
}

/** @spec k8s@1.36 cmd/kubeadm/app/util/pkiutil GetAPIServerAltNames */
function dnsNames(spec: PkiSpec): string[] {
  const service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  const names = [...service, `kubernetes.default.svc.${spec.clusterDomain}`, "localhost"];
  return [...new Set([...names, ...spec.extraDnsNames])];
}

function ips(spec: PkiSpec): string[] {
  return [...new Set(["127.0.0.1", ...spec.serviceIps, ...spec.addresses].map(canonicalIp))];
}

function isGood(
  leaf: ParsedCertificate,
  wanted: CertificateContent,
  authority: ParsedCertificate,
  now: Instant,
): boolean {
  return (
    isSignedBy(leaf, authority) &&
    !isRenewalDue(leaf, now) &&
    leaf.subject.commonName === wanted.subject.commonName &&
    isSameSet(leaf.subject.organizations, wanted.subject.organizations) &&
    isSameSet(leaf.names.dnsNames, wanted.names?.dnsNames ?? []) &&
    isSameSet(leaf.names.ips, wanted.names?.ips ?? [])
  );
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  const set = new Set(a);
  return set.size === new Set(b).size && b.every((item) => set.has(item));
}
