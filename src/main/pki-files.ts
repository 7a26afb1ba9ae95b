import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { join } from "node:path";
import { LEAF_FILES, type LeafFile, planPki, type PkiSpec } from "../apiserver/authn/pki.ts";
import { syncNames } from "../store/lmdb/durable-folder.ts";
import {
  createAuthority,
  createKeyPem,
  issueCertificate,
  type Issued,
  type IssueFacts,
  loadAuthority,
} from "../wire/x509/certificate.ts";
import { type ParsedCertificate, parseCertificate } from "../wire/x509/parse.ts";

/** Everything under `pki/`, as PEM. */
export interface Pki {
  readonly ca: Issued;
  readonly serviceAccountKeyPem: string;
  readonly leaves: Readonly<Record<LeafFile, Issued>>;
}

/**
 * Reads `folder`, makes what is missing or due, and returns it all.
 *
 * A crash between two files is harmless: the next start sees a pair that does not match and issues it again.
 * @throws {Error} the authority is there but unreadable, or lacks its key: replacing it would lock all clients out.
 */
export function ensurePki(folder: string, spec: PkiSpec, facts: IssueFacts): Pki {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  let ca = readPair(folder, "ca");
  const observed = {
    authority: ca && parseAuthority(folder, ca),
    hasServiceAccountKey: readText(folder, "sa.key") !== undefined,
    leaves: Object.fromEntries(
      LEAF_FILES.flatMap((file) => {
        const parsed = parsePair(readPair(folder, file));
        return parsed ? [[file, parsed]] : [];
      }),
    ),
  };
  for (const step of planPki(spec, observed, facts.now)) {
    if (step.kind === "authority") {
      ca = createAuthority(step.commonName, facts);
      writePair(folder, "ca", ca);
    } else if (step.kind === "service-account-key") writeFile(folder, "sa.key", createKeyPem());
    else writePair(folder, step.file, issueCertificate(loadAuthority(ca!), step.content, facts));
  }
  // Before anything is signed or answered: an authority that a power loss takes away locks every client out.
  syncNames(folder);
  return readPki(folder);
}

/** The authority of `folder` as it is when asked for; while its files do not make one (one of two is replaced), the last. */
export function authorityOf(folder: string, first: Issued): () => Issued {
  let last = first;
  return () => {
    const found = readPair(folder, "ca");
    if (found && parsePair(found)?.isAuthority) last = found;
    return last;
  };
}

function readPki(folder: string): Pki {
  const leaves = LEAF_FILES.map((file) => [file, readPair(folder, file)!] as const);
  return {
    ca: readPair(folder, "ca")!,
    serviceAccountKeyPem: readText(folder, "sa.key")!,
    leaves: Object.fromEntries(leaves) as Record<LeafFile, Issued>,
  };
}

function parseAuthority(folder: string, ca: Issued): ParsedCertificate {
  const parsed = parsePair(ca);
  if (parsed?.isAuthority) return parsed;
  throw new Error(
    `${join(folder, "ca.crt")} and ca.key are no certificate authority with its key: restore them from a backup, ` +
      `or remove the whole folder to begin with new certificates (nodes and kubeconfigs must then be made anew)`,
  );
}

/** `undefined`: not readable, or key and certificate do not belong together. */
function parsePair(pair: Issued | undefined): ParsedCertificate | undefined {
  if (!pair) return undefined;
  try {
    const parsed = parseCertificate(pair.certificatePem);
    const key = createPublicKey(createPrivateKey(pair.keyPem));
    const spki = key.export({ type: "spki", format: "der" });
    return spki.equals(parsed.publicKeyDer) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function readPair(folder: string, stem: string): Issued | undefined {
  const certificatePem = readText(folder, `${stem}.crt`);
  const key = readText(folder, `${stem}.key`);
  if (certificatePem === undefined || (key === undefined && stem !== "ca")) return undefined;
  return { certificatePem, keyPem: key ?? "" };
}

/** The key first: a certificate without its key is made again, a key without certificate likewise. */
function writePair(folder: string, stem: string, pair: Issued): void {
  writeFile(folder, `${stem}.key`, pair.keyPem);
  writeFile(folder, `${stem}.crt`, pair.certificatePem);
}

function writeFile(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
}

function readText(folder: string, name: string): string | undefined {
  try {
    return readFileSync(join(folder, name), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
