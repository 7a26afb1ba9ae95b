// Makes a checkout able to run, then does what it was asked: `node tools/setup.mjs start|test|bench|features|sim [ARGS]`.
// Plain JavaScript on node: modules alone, because nothing is installed when it starts.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const NODE_MAJOR_MIN = 20;

if (Number(process.versions.node.split(".")[0]) < NODE_MAJOR_MIN) {
  console.error(
    `Skiff needs Node.js ${NODE_MAJOR_MIN} or newer; this is ${process.versions.node}. Install it from https://nodejs.org or your distribution.`,
  );
  process.exit(1);
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error) {
    console.error(`cannot run ${command}: ${error.message}`);
    process.exit(1);
  }
  if (status !== 0) process.exit(status ?? 1);
}

/** Runs `npm ci` unless the modules here were installed from this very lock file. */
function installModules() {
  const stamp = "node_modules/.skiff-lock";
  const lock = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  console.log("Installing npm packages …");
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  mkdirSync("node_modules", { recursive: true });
  writeFileSync(stamp, lock);
}

const [command, ...args] = process.argv.slice(2);
installModules();
switch (command) {
  case "test":
    run(process.execPath, ["tools/test.mjs", ...args]);
    break;
  default:
    console.error(`setup: unknown command '${command}'`);
    process.exit(2);
}
