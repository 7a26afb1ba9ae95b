// A docker CLI that still knows Kubernetes (`docker stack … --orchestrator kubernetes`; the last is 20.10), for the tests:
// `node tools/test-docker.mjs` prints its path. It comes out of Debian's package, which is not installed, and is cached in
// ~/.cache/skiff-docker.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = "docker.io";
/** The release; Debian's own revisions of it are as good as each other. */
const RELEASE = "20.10";

/** Path of the CLI; fetched when it is not cached. @throws {Error} no network, or a distribution with another release */
export function testDocker() {
  const path = join(homedir(), ".cache", "skiff-docker", `docker-${RELEASE}`);
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const work = mkdtempSync(`${path}-`);
  try {
    const options = { cwd: work, stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" };
    const download = ["-o", "APT::Sandbox::User=root", "download", "-qq", PACKAGE];
    execFileSync("apt-get", download, options);
    const deb = readdirSync(work).find((name) => name.endsWith(".deb"));
    execFileSync("dpkg-deb", ["-x", deb, "unpacked"], options);
    const binary = join(work, "unpacked/usr/bin/docker");
    const version = execFileSync(binary, ["--version"], options).trim();
    if (!version.startsWith(`Docker version ${RELEASE}.`))
      throw new Error(`package ${PACKAGE} holds ${version}; the tests need release ${RELEASE}`);
    renameSync(binary, path);
    return path;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(testDocker());
