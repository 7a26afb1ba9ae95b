// Builds and runs what measures this build's processes: `node tools/bench-load.mjs load [ARGS]`, `… pods [ARGS]` or `… stalls [OBJECTS]`.
import { execFileSync } from "node:child_process";
import { build } from "esbuild";

const [what, ...args] = process.argv.slice(2);
const run = (...words) => execFileSync(process.execPath, words, { stdio: "inherit" });

run("tools/build.mjs");
/** @returns what was built of `bench/NAME.ts`. */
async function program(name) {
  const outfile = `build/${name}.mjs`;
  await build({
    entryPoints: [`bench/${name}.ts`],
    bundle: true,
    platform: "node",
    target: "node20",
    packages: "external",
    format: "esm",
    outfile,
    logLevel: "warning",
  });
  return outfile;
}

if (what === "load") run("bench/load.mjs", ...args);
else if (what === "pods") {
  await program("runtime-floor");
  run("bench/pods.mjs", ...args);
} else run(await program("event-loop"), ...args);
