import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { globSync } from "../../tools/glob.mjs";

/** A seed that changes with the sources alone: what passed in one clone passes in another. */
export function treeSeed(): number {
  const hash = createHash("sha256");
  for (const file of globSync(["src"], ".ts").sort())
    if (!file.startsWith("src/gen/")) hash.update(readFileSync(file));
  return hash.digest().readUInt32LE();
}
