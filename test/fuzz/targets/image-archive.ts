import assert from "node:assert/strict";
import { ArchiveError } from "../../../src/images/archive-error.ts";
import { tarEntries } from "../../../src/images/tar-reader.ts";
import { tarArchive } from "../../../src/images/tar-writer.ts";
import { mutated, type Draw } from "../draw.ts";
import type { FuzzTarget } from "../target.ts";

/** Image archives: members with names that stay inside, or a refusal. */
export const imageArchive: FuzzTarget = {
  name: "image-archive",
  runs: 400,
  make(draw) {
    const bytes = tarArchive(
      draw.times(1 + draw.size(4), () => ({
        name: nameOf(draw),
        content: draw.bytes(draw.size(600)),
      })),
    );
    return draw.chance(60) ? withSums(mutated(draw, bytes), draw) : bytes;
  },
  async check(input) {
    try {
      for await (const { name, target, content } of tarEntries(pieces(input))) {
        for (const text of [name, target]) {
          assert.ok(!text.startsWith("/") && !text.split("/").includes(".."), `leads out: ${text}`);
          assert.ok(!text.includes("\0"), "a name with a NUL");
        }
        for await (const piece of content) assert.ok(piece.length > 0);
      }
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
    }
  },
};

const nameOf = (draw: Draw): string =>
  draw.pick([
    () => draw.pick(["a", "b/c", "manifest.json", "../a", "/a", "a/../../b", "./a", "a//b", ".."]),
    () =>
      draw
        .text(200)
        .replace(/[^ -~]/g, "")
        .slice(0, 90) || "a",
    () => `${"x/".repeat(draw.integer(45))}y`,
  ])();

/** Headers whose checksum is right in spite of what was changed: else nothing behind it is ever reached. */
function withSums(bytes: Buffer, draw: Draw): Buffer {
  const out = Buffer.from(bytes);
  for (let at = 0; at + 512 <= out.length && draw.chance(90); at += 512) {
    const block = out.subarray(at, at + 512);
    if (block.every((byte) => byte === 0)) continue;
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  }
  return out;
}

/** In uneven pieces, as a pipe gives them. */
async function* pieces(input: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < input.length; at += 700) yield input.subarray(at, at + 700);
}
