import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IMAGE_LIMITS_DEFAULT, planImageGarbage, type KnownImage } from "./image-garbage.ts";

const NOW = 10 * 60_000;

/** `NAME bytes [used|kept|young] [last use]` */
function image(text: string): KnownImage {
  const [id = "", bytes = "", word = "", usedAt = "0"] = text.trim().split(" ");
  return {
    id,
    bytes: Number(bytes),
    seenAt: word === "young" ? NOW - 1000 : 0,
    usedAt: Number(usedAt),
    isInUse: word === "used",
    isKept: word === "kept",
  };
}

describe("planImageGarbage", () => {
  //  images                                      free of 100   pressed   removed   missing
  const rows: readonly [string, number, boolean, string, number][] = [
    ["a 10 -", 16, false, "", 0],
    ["a 4 - 5 | b 4 - 3", 15, false, "b a", 0],
    ["a 6 - 5 | b 6 - 3", 15, false, "b", 0],
    ["a 9 used | b 9 kept | c 9 young", 10, false, "", 10],
    ["a 3 -", 10, false, "a", 7],
    ["a 3 - | b 3 - | c 3 used", 60, true, "a b", 0],
  ];
  for (const [images, availableBytes, isPressed, removed, missing] of rows)
    it(`[${images}] with ${availableBytes} % free: remove [${removed}]`, () => {
      const disk = { capacityBytes: 100, availableBytes };
      const known = images.split("|").map(image);
      const plan = planImageGarbage(known, disk, IMAGE_LIMITS_DEFAULT, NOW, isPressed);
      assert.deepEqual([plan.remove.join(" "), plan.missingBytes], [removed, missing]);
    });
});
