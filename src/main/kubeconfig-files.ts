import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterFile, ClusterNode } from "../host/cluster-file.ts";
import { readIfPresent, writeAtomically } from "../host/files.ts";
import { kubeconfigText } from "../host/kubeconfig.ts";
import { readAccess } from "../host/kubeconfig-file.ts";
import {
  isRenewalDue,
  issueCertificate,
  loadAuthority,
  type Authority,
  type IssueFacts,
} from "../wire/x509/certificate.ts";
import { isSignedBy, parseCertificate } from "../wire/x509/parse.ts";
import type { Pki } from "./pki-files.ts";

/** Under which addresses the API answers. */
export interface ApiAddresses {
  readonly local: { readonly host: string; readonly port: number };
  readonly advertised: { readonly host: string; readonly port: number };
}

/**
 * Writes the administrator's kubeconfig, and each local node's kubeconfig and serving certificate, where one is missing,
 * due for renewal, or speaks of another address.
 */
export function writeKubeconfigs(
  data: string,
  pki: Pki,
  file: ClusterFile | undefined,
  addresses: ApiAddresses,
  facts: IssueFacts,
): void {
  const url = ({ host, port }: ApiAddresses["local"]): string => `https://${host}:${port}`;
  const admin = pki.leaves.admin;
  writeIfChanged(
    join(data, "admin.kubeconfig"),
    kubeconfigText({
      name: file?.name ?? "skiff",
      server: url(addresses.local),
      ca: pki.ca.certificatePem,
      certificate: admin.certificatePem,
      key: admin.keyPem,
    }),
  );
  const authority = loadAuthority(pki.ca);
  for (const node of file?.nodes ?? []) {
    const folder = join(data, "nodes", node.name);
    ensureServing(folder, node, authority, pki, facts);
    ensureClient(folder, node, url(addresses.advertised), authority, pki, facts);
  }
}

/** `kubelet.crt` and `kubelet.key`: what the node's own API shows. */
function ensureServing(
  folder: string,
  { name, ip }: ClusterNode,
  authority: Authority,
  pki: Pki,
  facts: IssueFacts,
): void {
  const path = join(folder, "kubelet.crt");
  if (isGood(readIfPresent(path), pki, facts)) return;
  const issued = issueCertificate(
    authority,
    {
      subject: { commonName: `system:node:${name}`, organizations: ["system:nodes"] },
      names: { dnsNames: [name], ips: [ip] },
      usages: ["serverAuth"],
    },
    facts,
  );
  writeAtomically(join(folder, "kubelet.key"), issued.keyPem);
  writeAtomically(path, issued.certificatePem);
  writeAtomically(join(folder, "ca.crt"), pki.ca.certificatePem);
}

function ensureClient(
  folder: string,
  { name }: ClusterNode,
  server: string,
  authority: Authority,
  pki: Pki,
  facts: IssueFacts,
): void {
  const path = join(folder, "agent.kubeconfig");
  const known = readIfPresent(path) === undefined ? undefined : readAccess(path);
  if (known?.server === server && isGood(known.certificate, pki, facts)) return;
  const issued = issueCertificate(
    authority,
    {
      subject: { commonName: `system:node:${name}`, organizations: ["system:nodes"] },
      usages: ["clientAuth"],
    },
    facts,
  );
  const text = kubeconfigText({
    name,
    server,
    ca: pki.ca.certificatePem,
    certificate: issued.certificatePem,
    key: issued.keyPem,
  });
  writeAtomically(path, text);
}

/** Signed by this authority, and not due. */
function isGood(pem: string | undefined, pki: Pki, facts: IssueFacts): boolean {
  if (!pem) return false;
  const leaf = parseCertificate(pem);
  return (
    isSignedBy(leaf, parseCertificate(pki.ca.certificatePem)) && !isRenewalDue(leaf, facts.now)
  );
}

function writeIfChanged(path: string, text: string): void {
  if (readIfPresent(path) !== text) writeAtomically(path, text);
}

/** The PEM files of a node, as its agent needs them. */
export function readNodeFiles(folder: string): {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
} {
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  return { key: read("kubelet.key"), cert: read("kubelet.crt"), ca: read("ca.crt") };
}
