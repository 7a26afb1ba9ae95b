import * as fs from "node:fs/promises";
import { dirname } from "node:path";
import type { V1HostPathVolumeSource } from "../../gen/types.ts";

/**
 * Checks, and where its type says so makes, a path of the node.
 *
 * @throws {Error} it is not what the type says.
 * @spec k8s@1.36 pkg/volume/hostpath/host_path.go checkTypeInternal
 */
export async function prepareHostPath({ path, type = "" }: V1HostPathVolumeSource): Promise<void> {
  if (type === "") return;
  const found = await fs.stat(path).catch(() => undefined);
  if (!found && type === "DirectoryOrCreate") {
    await fs.mkdir(path, { recursive: true, mode: 0o755 });
    return;
  }
  if (!found && type === "FileOrCreate") {
    await fs.mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await (await fs.open(path, "a", 0o644)).close();
    return;
  }
  const checks: Readonly<Record<string, [boolean | undefined, string]>> = {
    Directory: [found?.isDirectory(), "a directory"],
    DirectoryOrCreate: [found?.isDirectory(), "a directory"],
    File: [found?.isFile(), "a file"],
    FileOrCreate: [found?.isFile(), "a file"],
    Socket: [found?.isSocket(), "a socket file"],
    CharDevice: [found?.isCharacterDevice(), "a character device"],
    BlockDevice: [found?.isBlockDevice(), "a block device"],
  };
  const [isRight, what] = checks[type] ?? [false, `of the unknown type ${type}`];
  if (!isRight) throw new Error(`hostPath type check failed: ${path} is not ${what}`);
}
