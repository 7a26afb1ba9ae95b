import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";

/** A program that a cluster on this machine needs, and the Debian package that brings it. */
export interface Requirement {
  readonly binary: string;
  readonly debianPackage: string;
}

/** What must be on the machine. Binaries are looked for, not packages: whoever brings them is welcome. */
export const REQUIREMENTS: readonly Requirement[] = [
  { binary: "containerd", debianPackage: "containerd" },
  { binary: "runc", debianPackage: "runc" },
  { binary: "nft", debianPackage: "nftables" },
  { binary: "ip", debianPackage: "iproute2" },
  { binary: "nsenter", debianPackage: "util-linux" },
  { binary: "mount", debianPackage: "mount" },
  { binary: "sysctl", debianPackage: "procps" },
  { binary: "catatonit", debianPackage: "catatonit" },
];

/** CNI plugins that make a pod's network. */
export const CNI_PLUGINS = ["ptp", "host-local", "loopback"] as const;

const CNI_FOLDERS = ["/usr/lib/cni", "/opt/cni/bin"];

/** Debian's package of the CNI plugins. */
export const CNI_PACKAGE = "containernetworking-plugins";

/** The folder that holds all needed CNI plugins, if there is one. */
export function cniFolder(): string | undefined {
  return CNI_FOLDERS.find((folder) =>
    CNI_PLUGINS.every((plugin) => existsSync(join(folder, plugin))),
  );
}

/** What this machine lacks, one line each; empty when a cluster can run. `path`: the PATH to search. */
export function missingRequirements(path: string): readonly string[] {
  const missing = REQUIREMENTS.filter(({ binary }) => !findBinary(binary, path)).map(
    ({ binary, debianPackage }) => `${binary} (Debian package ${debianPackage})`,
  );
  const plugins = cniFolder()
    ? []
    : [
        `CNI plugins ${CNI_PLUGINS.join(", ")} in ${CNI_FOLDERS.join(" or ")} (Debian package ${CNI_PACKAGE})`,
      ];
  return [...missing, ...plugins];
}

/** The full path of a program; the system's own folders are searched last, as root's PATH may lack them. */
export function findBinary(binary: string, path: string): string | undefined {
  return [...path.split(":"), "/usr/sbin", "/sbin", "/usr/bin", "/bin"]
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, binary))
    .find(isExecutable);
}

/** True when the folder has that program. */
export function isProgram(folder: string, binary: string): boolean {
  return folder !== "" && isExecutable(join(folder, binary));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
