import { readFileSync } from "node:fs";

/** Number of CAP_SYS_RESOURCE. @spec capabilities(7), linux/capability.h */
const SYS_RESOURCE = 24n;

/** True when this process may lower OOM scores; where it may not, containerd must not try. */
export function hasSysResource(status = readFileSync("/proc/self/status", "utf8")): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${mask}`) >> SYS_RESOURCE) & 1n) === 1n;
}

/** True when a folder lies on overlayfs, on which another overlay cannot be stacked. */
export function isOnOverlay(
  folder: string,
  mountinfo = readFileSync("/proc/self/mountinfo", "utf8"),
): boolean {
  const mounts = mountinfo.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const point = before.split(" ")[4];
    return point ? [{ point, type: after.split(" ")[0] ?? "" }] : [];
  });
  const holding = mounts
    .filter(({ point }) => folder === point || folder.startsWith(point === "/" ? "/" : `${point}/`))
    .sort((a, b) => a.point.length - b.point.length)
    .at(-1);
  return holding?.type === "overlay";
}
