import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { parse } from "yaml";
import type { Clock } from "../base/clock.ts";
import { withLock } from "./file-lock.ts";
import { readIfPresent, writeAtomically } from "./files.ts";
import { mergeKubeconfig, withoutCluster, type ClusterAccess } from "./kubeconfig.ts";

/** How long another writer of the same kubeconfig may take, in ms. */
const WAIT_MS_MAX = 10_000;

/** Adds the cluster to the user's kubeconfig and selects it; makes the file where missing. */
export async function selectInKubeconfig(
  clock: Clock,
  path: string,
  access: ClusterAccess,
): Promise<void> {
  await edit(clock, path, (text) => mergeKubeconfig(text ?? "", access));
}

/** Takes the cluster out of the user's kubeconfig, if there is such a file. */
export async function removeFromKubeconfig(
  clock: Clock,
  path: string,
  name: string,
): Promise<void> {
  await edit(clock, path, (text) => (text === undefined ? undefined : withoutCluster(text, name)));
}

/** What a kubeconfig of ours says of its cluster and user. */
export function readAccess(path: string): ClusterAccess {
  const config = parse(readFileSync(path, "utf8")) as {
    clusters: { name: string; cluster: Record<string, string> }[];
    users: { user: Record<string, string> }[];
  };
  const { name, cluster } = config.clusters[0]!;
  const { user } = config.users[0]!;
  const pem = (base64: string | undefined): string =>
    Buffer.from(base64 ?? "", "base64").toString();
  return {
    name,
    server: cluster["server"] ?? "",
    ca: pem(cluster["certificate-authority-data"]),
    certificate: pem(user["client-certificate-data"]),
    key: pem(user["client-key-data"]),
  };
}

async function edit(
  clock: Clock,
  path: string,
  change: (text: string | undefined) => string | undefined,
): Promise<void> {
  const name = `kubeconfig:${createHash("sha256").update(path).digest("hex").slice(0, 16)}`;
  await withLock(clock, { name, what: path }, "skiff", WAIT_MS_MAX, async () => {
    const before = readIfPresent(path);
    const after = change(before);
    if (after !== undefined && after !== before) writeAtomically(path, after);
  });
}
