// Builds and runs bench/store.ts: `node tools/bench-store.mjs [SECONDS [FOLDER]]`
import { execFileSync } from "node:child_process";
import { build } from "esbuild";

const outfile = "build/bench-store.mjs";
await build({
  entryPoints: ["bench/store.ts"],
  bundle: true,
  platform: "node",
  target: "node20",
  packages: "external",
  format: "esm",
  outfile,
  logLevel: "warning",
});
execFileSync(process.execPath, [outfile, ...process.argv.slice(2)], { stdio: "inherit" });
