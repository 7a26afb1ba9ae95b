// Builds Skiff: generated types, then one CommonJS bundle per process. `node tools/build.mjs [--tests]`
import { execFileSync } from "node:child_process";
import { globSync } from "./glob.mjs";
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

/** One bundle per process: hundreds of files are not loaded in half a second. */
const PROCESSES = ["cli", "server", "agent"];

const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  packages: "external",
  logLevel: "warning",
};

async function generate() {
  mkdirSync("build", { recursive: true });
  await build({
    ...common,
    entryPoints: ["tools/generate/main.ts"],
    outfile: "build/generate.mjs",
    format: "esm",
  });
  execFileSync(process.execPath, ["build/generate.mjs"], { stdio: "inherit" });
}

/** Modules that cannot be bundled: native code beside their JavaScript. */
const EXTERNAL = ["lmdb"];

async function bundleProcesses() {
  const entryPoints = PROCESSES.map((name) => `src/main/${name}.ts`).filter(existsSync);
  await build({
    ...common,
    packages: "bundle",
    external: EXTERNAL,
    entryPoints,
    outdir: "dist",
    format: "cjs",
    outExtension: { ".js": ".cjs" },
    keepNames: false,
  });
  for (const name of PROCESSES) rmSync(`dist/${name}.cjs.cache`, { force: true });
  copyFileSync("src/host/supervise.sh", "dist/supervise.sh");
}

/** All tests in one pass with shared chunks: each runs as a process of its own, and loads only what it needs. */
async function bundleTests() {
  rmSync("build/tests", { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: globSync(["src", "test", "tools", "bench"], ".test.ts"),
    outdir: "build/tests",
    outbase: ".",
    format: "esm",
    splitting: true,
    sourcemap: "inline",
    outExtension: { ".js": ".mjs" },
  });
}

await generate();
await bundleProcesses();
if (process.argv.includes("--tests")) await bundleTests();
