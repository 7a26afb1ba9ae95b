import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { planRotation, rotationSuffix } from "./log-rotation.ts";

const LIMITS = { bytesMax: 100, filesMax: 4 };

describe("planRotation", () => {
  //  bytes  older files                                          remove                 compress
  const rows: readonly [number, string, string, string][] = [
    [100, "", "", ""],
    [200, "0.log.1", "", "0.log.1"],
    [200, "0.log.1.gz 0.log.2", "", "0.log.2"],
    [200, "0.log.1.gz 0.log.2.gz 0.log.3", "0.log.1.gz", "0.log.3"],
    [200, "0.log.1 0.log.1.gz 0.log.2.tmp", "0.log.1 0.log.2.tmp", ""],
  ];
  for (const [bytes, names, remove, compress] of rows)
    it(`${bytes} bytes beside [${names}]: remove [${remove}], compress [${compress}]`, () => {
      const words = (text: string): string[] => text.split(" ").filter(Boolean);
      assert.deepEqual(planRotation(bytes, words(names), LIMITS), {
        remove: words(remove),
        compress: words(compress),
      });
    });

  it("leaves a small log alone", () => {
    assert.equal(planRotation(99, ["0.log.1"], LIMITS), undefined);
  });
});

describe("rotationSuffix", () => {
  it("has upstream's form", () => {
    assert.equal(rotationSuffix(Date.UTC(2026, 0, 31, 12, 5, 9)), "20260131-120509");
  });
});
