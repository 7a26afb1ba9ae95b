// Builds and runs a program of bench/: `node tools/bench-program.mjs NAME [ARGS]`
import { execFileSync } from "node:child_process";
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
execFileSync(process.execPath, [outfile, ...words], { stdio: "inherit" });
