// Makes a checkout able to run, then does what it was asked: `node tools/setup.mjs COMMAND [ARGS]` (the
// commands are at the end).
// Plain JavaScript on node: modules alone, because nothing is installed when it starts. Each step runs only where its
// result is missing.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";

const NODE_MAJOR_MIN = 20;

if (Number(process.versions.node.split(".")[0]) < NODE_MAJOR_MIN) {
  console.error(
    `Skiff needs Node.js ${NODE_MAJOR_MIN} or newer; this is ${process.versions.node}. Install it from https://nodejs.org or your distribution.`,
  );
  process.exit(1);
}

/** What a cluster needs: the same list as src/host/requirements.ts, which a test compares. */
const CLUSTER_BINARIES = [
  ["containerd", "containerd"],
  ["runc", "runc"],
  ["nft", "nftables"],
  ["ip", "iproute2"],
  ["nsenter", "util-linux"],
  ["mount", "mount"],
  ["sysctl", "procps"],
  ["catatonit", "catatonit"],
];
/** What the tests need besides. */
const TEST_BINARIES = [
  ["kubectl", "kubernetes-client"],
  ["curl", "curl"],
  ["strace", "strace"],
  ["openssl", "openssl"],
  ["docker-registry", "docker-registry"],
  ["python3", "python3"],
];
const BENCH_BINARIES = [["wrk", "wrk"]];
/** Tests that can do more than their share of `npm test`, as programs. */
const CRASH_TESTS = {
  power: "build/tests/test/integration/power-loss.test.mjs",
  crash: "build/tests/test/e2e/server-crash.test.mjs",
};
const CNI_FOLDERS = ["/usr/lib/cni", "/opt/cni/bin"];
const CNI_PLUGINS = ["ptp", "host-local", "loopback"];
/** Modules a bare kernel may not have loaded. Best effort: what is built in needs none. */
const KERNEL_MODULES = [
  "overlay",
  "veth",
  "bridge",
  "nf_tables",
  "nft_masq",
  "nft_nat",
  "nft_numgen",
];

function run(command, args, options = {}) {
  const { status, error, signal } = spawnSync(command, args, { stdio: "inherit", ...options });
  if (error) fail(`cannot run ${command}: ${error.message}`);
  if (signal) process.exit(128);
  if (status !== 0) process.exit(status ?? 1);
}

function fail(message) {
  console.error(`skiff: ${message}`);
  process.exit(1);
}

function isPresent(binary) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/bin"];
  return folders.some((folder) => folder !== "" && existsSync(join(folder, binary)));
}

function missingTools(binaries) {
  const missing = binaries.filter(([binary]) => !isPresent(binary));
  const hasPlugins = CNI_FOLDERS.some((folder) =>
    CNI_PLUGINS.every((plugin) => existsSync(join(folder, plugin))),
  );
  return hasPlugins ? missing : [...missing, ["CNI plugins", "containernetworking-plugins"]];
}

/** Installs with apt what the machine lacks; without root or apt, says all of it in one message. */
function installTools(binaries) {
  const missing = missingTools(binaries);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, debianPackage]) => debianPackage))];
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !isPresent("apt-get")) {
    const why = isRoot ? "this machine has no apt-get" : "this is not root";
    fail(
      `this machine lacks ${missing.map(([binary]) => binary).join(", ")}, and ${why}.\n` +
        `Install them first; on Debian and Ubuntu:\n  sudo apt-get install ${packages.join(" ")}`,
    );
  }
  console.log(`Installing ${packages.join(", ")} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  // stdout is for what the command prints: `x=$(npm start)` must work
  const stdio = ["ignore", 2, 2];
  run("apt-get", ["update", "-qq"], { env, stdio });
  run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "--no-remove", ...packages], {
    env,
    stdio,
  });
  const still = missingTools(binaries).map(([binary]) => binary);
  if (still.length > 0) fail(`apt installed its packages, but these are still missing: ${still}`);
}

function loadKernelModules() {
  if (process.getuid?.() !== 0 || !isPresent("modprobe")) return;
  spawnSync("modprobe", ["-a", "-q", ...KERNEL_MODULES], { stdio: "ignore" });
}

/** Runs `npm ci` unless the modules here were installed from this very lock file. */
function installModules() {
  const stamp = "node_modules/.skiff-lock";
  const lock = digest(["package-lock.json"]);
  if (stampSays(stamp, lock)) return;
  if (lstatSync("node_modules", { throwIfNoEntry: false })?.isSymbolicLink())
    fail("node_modules is a link, and npm would empty what it leads to: remove the link");
  console.log("Installing npm packages …");
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { stdio: ["ignore", 2, 2] });
  mkdirSync("node_modules", { recursive: true });
  writeFileSync(stamp, lock);
}

/** Builds unless `dist` was built from these very sources. */
function build() {
  const stamp = "dist/.skiff-sources";
  const sources = digest([
    "package-lock.json",
    ...filesBelow("src").filter(
      (file) => !file.startsWith("src/gen/") && !file.endsWith(".test.ts"),
    ),
    ...filesBelow("tools"),
  ]);
  if (stampSays(stamp, sources)) return;
  console.log("Building …");
  run(process.execPath, ["tools/build.mjs"]);
  writeFileSync(stamp, sources);
}

function stampSays(stamp, text) {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === text;
}

function digest(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update("\0").update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .sort();
}

const [command, ...args] = process.argv.slice(2);
process.chdir(new URL("..", import.meta.url).pathname);
switch (command) {
  case "start":
    installTools(CLUSTER_BINARIES);
    installModules();
    build();
    loadKernelModules();
    run(process.execPath, ["bin/skiff.cjs", "start", ...args]);
    break;
  case "test":
    if (process.getuid?.() !== 0)
      fail("the tests run real containers and need root: run them with sudo");
    installTools([...CLUSTER_BINARIES, ...TEST_BINARIES]);
    installModules();
    loadKernelModules();
    run(process.execPath, ["tools/test.mjs", ...args]);
    break;
  case "bench":
    installTools([...CLUSTER_BINARIES, ...TEST_BINARIES, ...BENCH_BINARIES]);
    installModules();
    build();
    run(process.execPath, ["bench/run.mjs", ...args]);
    break;
  case "power":
  case "crash":
    installTools(TEST_BINARIES);
    installModules();
    run(process.execPath, ["tools/build.mjs", "--tests"]);
    run(process.execPath, ["--enable-source-maps", CRASH_TESTS[command], command, ...args]);
    break;
  case "faults":
    if (process.getuid?.() !== 0)
      fail("the tests run real containers and need root: run them with sudo");
    installTools([...CLUSTER_BINARIES, ...TEST_BINARIES]);
    installModules();
    loadKernelModules();
    run(process.execPath, ["tools/faults.mjs", ...args]);
    break;
  case "sim":
    installModules();
    run(process.execPath, ["tools/sim.mjs", ...args]);
    break;
  case "fuzz":
    installModules();
    run(process.execPath, ["tools/fuzz.mjs", ...args]);
    break;
  case "features":
    run(process.execPath, ["tools/features.mjs", ...args]);
    break;
  default:
    fail(
      `unknown command '${command}': expected start, test, bench, power, crash, sim, faults, fuzz or features`,
    );
}
