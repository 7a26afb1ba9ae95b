// Power losses of the embedded store. `npm run power -- [--all] [--seed N]` tries more of them.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { runLoad } from "../support/power/power-load.ts";
import { PowerVerifier, type Verified } from "../support/power/power-verifier.ts";
import { readTrace, traceCommand } from "../support/power/traced-calls.ts";
import { treeSeed } from "../support/tree-seed.ts";

/** About 20 s. */
const CUTS = 1500;

const self = fileURLToPath(import.meta.url);

/**
 * Records the load, then tries cuts in a mount namespace where the boot id is another one, as after a power loss, and
 * where the images lie in memory.
 */
function losePower(seed: number, cutsMax: number): Verified {
  const folder = mkdtempSync(join(tmpdir(), "skiff-power-"));
  const [trace, marks] = [join(folder, "trace"), join(folder, "marks")];
  const [command, ...words] = traceCommand(trace);
  const stored = join(folder, "new/store");
  try {
    execFileSync(command!, [...words, process.execPath, self, "load", stored, marks, String(seed)]);
    writeFileSync(join(folder, "boot-id"), "");
    writeFileSync(join(folder, "note"), "");
    const script =
      'mount --bind "$1/boot-id" /proc/sys/kernel/random/boot_id && mkdir "$1/place" && ' +
      'mount -t tmpfs tmpfs "$1/place" && exec "$2" --enable-source-maps "$3" verify "$1" "$4" "$5"';
    const numbers = [String(seed), String(cutsMax)];
    const { status, signal, stdout, stderr } = spawnSync(
      "unshare",
      ["--mount", "sh", "-c", script, "sh", folder, process.execPath, self, ...numbers],
      { encoding: "utf8", maxBuffer: 2 ** 26 },
    );
    const at = readFileSync(join(folder, "note"), "utf8");
    assert.equal(status, 0, `seed ${seed}: ${signal ?? ""} ${at}\n${stderr}`);
    return JSON.parse(stdout.trim().split("\n").at(-1)!) as Verified;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function verify(folder: string, seed: number, cutsMax: number): Promise<void> {
  const marks = join(folder, "marks");
  const calls = readTrace(join(folder, "trace"), folder, marks);
  const where = { place: join(folder, "place"), stale: marks, seed };
  const note = (text: string): void => writeFileSync(join(folder, "note"), text);
  console.log(JSON.stringify(await new PowerVerifier(calls, where, note).run(cutsMax)));
}

const [command, ...words] = process.argv.slice(2);
if (command === "load") await runLoad(words[0]!, words[1]!, Number(words[2]));
else if (command === "verify") await verify(words[0]!, Number(words[1]), Number(words[2]));
else if (command === "power") {
  const at = words.indexOf("--seed");
  const seed = at < 0 ? treeSeed() : Number(words[at + 1]);
  console.log({ seed, ...losePower(seed, words.includes("--all") ? Infinity : CUTS) });
} else
  describe("openLmdbStore after a power loss", () => {
    it("has the last acknowledged state or a later one, whatever became of unsynced writes", () => {
      const { cuts, ahead } = losePower(treeSeed(), CUTS);
      assert.ok(cuts > CUTS / 2, String(cuts));
      assert.ok(ahead > 0);
    });
  });
