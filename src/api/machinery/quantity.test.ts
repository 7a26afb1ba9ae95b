import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeededRandom } from "../../base/seeded-random.ts";
import * as quantity from "./quantity.ts";

describe("quantity", () => {
  //            text, canonical, thousandths, units
  const rows: readonly [string | number, string, number, number][] = [
    ["0", "0", 0, 0],
    ["0Ki", "0", 0, 0],
    ["000", "0", 0, 0],
    ["-0", "0", 0, 0],
    [2, "2", 2000, 2],
    [0.1, "100m", 100, 1],
    ["100m", "100m", 100, 1],
    ["1000m", "1", 1000, 1],
    ["1500m", "1500m", 1500, 2],
    ["0.5", "500m", 500, 1],
    [".5", "500m", 500, 1],
    ["1.", "1", 1000, 1],
    ["1.5", "1500m", 1500, 2],
    ["1.500", "1500m", 1500, 2],
    ["+5", "5", 5000, 5],
    ["-1.5", "-1500m", -1500, -2],
    ["1k", "1k", 1_000_000, 1000],
    ["1000k", "1M", 1e9, 1e6],
    ["1Ki", "1Ki", 1_024_000, 1024],
    ["1024Ki", "1Mi", 1_048_576_000, 1_048_576],
    ["128Mi", "128Mi", 134_217_728_000, 134_217_728],
    ["0.5Gi", "512Mi", 536_870_912_000, 536_870_912],
    ["0.5Ki", "512", 512_000, 512],
    ["1.5Ki", "1536", 1_536_000, 1536],
    ["0.0001Ki", "102400u", 103, 1],
    ["1e3", "1e3", 1_000_000, 1000],
    ["1E3", "1e3", 1_000_000, 1000],
    ["12e2", "1200", 1_200_000, 1200],
    ["1200e1", "12e3", 12_000_000, 12_000],
    ["1E", "1E", 1e21, 1e18],
    ["1000E", "1000E", 1e24, 1e21],
    ["9Ei", "9223372036854775807", 9223372036854775807000, 9223372036854775807],
    ["1n", "1n", 1, 1],
    ["0.1n", "1n", 1, 1],
    ["1.1n", "2n", 1, 1],
    ["-0.1n", "-1n", -1, -1],
    ["0.000000001", "1n", 1, 1],
    [" 1 ", "1", 1000, 1],
    ["12345678901234567890", "12345678901234567890", 12345678901234567890000, 12345678901234567890],
    ["100Gi", "100Gi", 107_374_182_400_000, 107_374_182_400],
  ];
  for (const [text, canonical, millis, units] of rows)
    it(`${text} is ${canonical}`, () => {
      assert.equal(quantity.canonicalQuantity(text), canonical);
      assert.equal(quantity.quantityMillis(text), millis);
      assert.equal(quantity.quantityUnits(text), units);
    });

  const format =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  const refused: readonly [string, string][] = [
    ["", format],
    ["a", format],
    ["1 Gi", format],
    ["1.2.3", format],
    ["1e", "unable to parse quantity's suffix"],
    ["1i", "unable to parse quantity's suffix"],
    ["1mi", "unable to parse quantity's suffix"],
    ["1-5", "unable to parse quantity's suffix"],
    ["1e999999999999", "unable to parse quantity's suffix"],
    ["9".repeat(1000), "unable to parse numeric part of quantity"],
  ];
  for (const [text, problem] of refused)
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () =>
      assert.equal(quantity.quantityProblem(text), problem));

  it("adds and subtracts exactly, in the format of the first that is not zero", () => {
    const sum = (a: string, b: string): string =>
      quantity.formatQuantity(
        quantity.addQuantities(quantity.parseQuantity(a), quantity.parseQuantity(b)),
      );
    assert.equal(sum("0.1", "0.2"), "300m");
    assert.equal(sum("1Gi", "1Mi"), "1025Mi");
    assert.equal(sum("0", "1Gi"), "1Gi");
    assert.equal(sum("1Gi", "500m"), "1073741824500m");
    const [one, two] = [quantity.parseQuantity("1"), quantity.parseQuantity("2Ki")];
    assert.equal(quantity.formatQuantity(quantity.subtractQuantities(one, two)), "-2047");
  });

  it("compares values, not texts", () => {
    const compare = (a: string, b: string): number =>
      quantity.compareQuantities(quantity.parseQuantity(a), quantity.parseQuantity(b));
    assert.deepEqual(
      [compare("1", "1000m"), compare("1Ki", "1k"), compare("-1", "1n")],
      [0, 1, -1],
    );
  });

  it("makes quantities of numbers", () => {
    assert.equal(quantity.formatQuantity(quantity.quantityFromMillis(1500)), "1500m");
    assert.equal(quantity.formatQuantity(quantity.quantityFromUnits(2 ** 30, "BinarySI")), "1Gi");
  });

  it("canonical text reads back as the same amount and is stable", () => {
    const random = new SeededRandom(11);
    const suffixes = ["", "n", "u", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e3", "E-2"];
    for (let round = 0; round < 2000; round++) {
      const sign = ["", "-", "+"][random.integer(3)]!;
      const fraction = random.integer(2) ? `.${random.integer(100000)}` : "";
      const suffix = suffixes[random.integer(suffixes.length)]!;
      const text = `${sign}${random.integer(1_000_000)}${fraction}${suffix}`;
      const value = quantity.parseQuantity(text);
      const canonical = quantity.formatQuantity(value);
      assert.equal(quantity.compareQuantities(quantity.parseQuantity(canonical), value), 0, text);
      assert.equal(quantity.canonicalQuantity(canonical), canonical, text);
      assert.equal(quantity.quantityMillis(text), quantity.quantityMillis(value), text);
    }
  });
});
