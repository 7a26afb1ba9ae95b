// Fuzzes: `npm run fuzz -- [--target NAME] [--fresh] [--seconds N] [--seed N] [--input FILE]`; see test/fuzz/README.md.
import { spawnSync } from "node:child_process";

const node = process.execPath;
for (const words of [
  ["tools/build.mjs", "--tests"],
  ["--enable-source-maps", "build/tests/test/fuzz/fuzz.test.mjs", "fuzz", ...process.argv.slice(2)],
]) {
  const { status, error } = spawnSync(node, words, { stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
