// Builds and runs a program of bench/: `node tools/bench-program.mjs NAME [ARGS]`
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { build } from "esbuild";

const [name, ...words] = process.argv.slice(2);
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
/** As the server is started: src/host/roles.ts. */
const flags = [
  "--max-semi-space-size=16",
  `--v8-pool-size=${Math.min(Math.max(availableParallelism() - 1, 1), 4)}`,
];
execFileSync(process.execPath, [...flags, outfile, ...words], { stdio: "inherit" });
