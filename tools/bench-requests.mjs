// Builds and runs bench/request-cost.ts: `node tools/bench-requests.mjs [ROUNDS]`
import { execFileSync } from "node:child_process";
import { build } from "esbuild";

const outfile = "build/request-cost.mjs";
await build({
  entryPoints: ["bench/request-cost.ts"],
  bundle: true,
  platform: "node",
  target: "node20",
  packages: "external",
  format: "esm",
  outfile,
  logLevel: "warning",
});
execFileSync(process.execPath, [outfile, ...process.argv.slice(2)], { stdio: "inherit" });
