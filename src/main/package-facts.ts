import { readFileSync } from "node:fs";
import { join } from "node:path";
import { versionDocument } from "../apiserver/discovery/version.ts";

/** The package's folder; set by `bin/skiff.cjs`. */
export function packageRoot(): string {
  return process.env["SKIFF_ROOT"] ?? process.cwd();
}

/** What `/version` answers. */
export function versionFacts(): Readonly<Record<string, string>> {
  const text = readFileSync(join(packageRoot(), "package.json"), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return versionDocument({
    skiffVersion: version,
    gitCommit: "",
    buildDate: "1970-01-01T00:00:00Z",
    nodeVersion: process.version,
    platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
  });
}

/** `v1.36.0+skiff.0.1.0` */
export function serverVersion(): string {
  return versionFacts()["gitVersion"]!;
}
