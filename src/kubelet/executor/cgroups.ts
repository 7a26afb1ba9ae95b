import { readdir, rmdir } from "node:fs/promises";

const ROOT = "/sys/fs/cgroup";

/**
 * Removes a cgroup and its empty children in every hierarchy (v1) or the one (v2). What still has processes stays: the
 * runtime removes it when they end.
 */
export async function removeCgroup(path: string): Promise<void> {
  const tops = (await readdir(ROOT, { withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${ROOT}/${name}`);
  await Promise.all([ROOT, ...tops].map((top) => removeTree(`${top}${path}`)));
}

async function removeTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(`${folder}/${entry.name}`);
  await rmdir(folder).catch(() => {});
}
