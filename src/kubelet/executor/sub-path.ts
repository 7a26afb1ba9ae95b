import * as fs from "node:fs/promises";
import { constants } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { runCommand } from "./run-command.ts";

/** Opens a name without reading it; Node has no constant for it. @spec open(2), x86 and arm64 Linux */
export const O_PATH = 0o10000000;

/**
 * Bind-mounts one path of a volume onto `target`, so that no symlink, however it changes meanwhile, leads out of the volume.
 *
 * The path is resolved, must lie in the volume, and is then opened name by name without following links; what is mounted
 * is that open file, not its name.
 * @throws {Error} the path leaves the volume.
 * @spec k8s@1.36 pkg/volume/util/subpath/subpath_linux.go (CVE-2017-1002101, CVE-2021-25741)
 */
export async function bindSubPath(volume: string, path: string, target: string): Promise<void> {
  const names = normalize(path).split("/").filter(Boolean);
  if (path.startsWith("/") || names.includes(".."))
    throw new Error(`subPath ${JSON.stringify(path)} leads out of its volume`);
  const root = await fs.realpath(volume);
  const handle = await openInside(root, names, path);
  try {
    const isFolder = (await fs.stat(selfPath(handle))).isDirectory();
    await fs.mkdir(isFolder ? target : dirname(target), { recursive: true, mode: 0o750 });
    if (!isFolder) await (await fs.open(target, "a", 0o640)).close();
    const opened = `/proc/${process.pid}/fd/${handle.fd}`;
    await runCommand("mount", ["--no-canonicalize", "--bind", opened, target]);
  } finally {
    await handle.close();
  }
}

/** The path inside of `root`, made as a folder where it does not exist. */
async function openInside(
  root: string,
  names: readonly string[],
  path: string,
): Promise<fs.FileHandle> {
  const existing = await fs.realpath(join(root, ...names)).catch(() => undefined);
  const inside = existing === undefined ? names.join("/") : relative(root, existing);
  if (inside === ".." || inside.startsWith("../"))
    throw new Error(`subPath ${JSON.stringify(path)} leads out of its volume`);
  let handle = await fs.open(root, O_PATH | constants.O_DIRECTORY);
  for (const name of inside.split("/").filter(Boolean)) {
    const next = await step(handle, name).finally(() => handle.close());
    handle = next;
  }
  return handle;
}

async function step(parent: fs.FileHandle, name: string): Promise<fs.FileHandle> {
  const child = join(selfPath(parent), name);
  await fs.mkdir(child, { mode: 0o750 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const handle = await fs.open(child, O_PATH | constants.O_NOFOLLOW);
  if ((await handle.stat()).isSymbolicLink()) {
    await handle.close();
    throw new Error(`subPath element ${JSON.stringify(name)} became a symbolic link`);
  }
  return handle;
}

function selfPath(handle: fs.FileHandle): string {
  return `/proc/self/fd/${handle.fd}`;
}
