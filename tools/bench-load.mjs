// Builds and runs what measures the server under load: `node tools/bench-load.mjs load [ARGS]` or `… stalls [OBJECTS]`.
import { execFileSync } from "node:child_process";
import { build } from "esbuild";

const [what, ...args] = process.argv.slice(2);
const run = (...words) => execFileSync(process.execPath, words, { stdio: "inherit" });

run("tools/build.mjs");
if (what === "load") run("bench/load.mjs", ...args);
else {
  const outfile = "build/event-loop.mjs";
  await build({
    entryPoints: ["bench/event-loop.ts"],
    bundle: true,
    platform: "node",
    target: "node20",
    packages: "external",
    format: "esm",
    outfile,
    logLevel: "warning",
  });
  run(outfile, ...args);
}
