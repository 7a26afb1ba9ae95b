import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/** Mount points of the control group hierarchies: one each for v1's controllers, or the single one of v2. */
export function cgroupMounts(
  mountinfo = readFileSync("/proc/self/mountinfo", "utf8"),
): readonly string[] {
  return mountinfo.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    return /^cgroup2? /.test(after) ? [before.split(" ")[4]!] : [];
  });
}

/** Removes a control group and those below it from every hierarchy. Their processes must have ended. */
export function removeCgroup(path: string): void {
  for (const mount of cgroupMounts()) removeTree(join(mount, path));
}

function removeTree(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  rmdirSync(folder);
}
