import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readClaims, readFeatures } from "../../tools/feature-rows.mjs";

const ROWS_PER_TEST_MAX = 3;

describe("test/features.tsv", () => {
  const features = readFeatures();

  it("has rows of three columns, each with an identifier of its own", () => {
    const wrong = features.filter(
      ({ id, feature, observable }) => !/^[A-Z]{2,3}-\d{2}$/.test(id) || !feature || !observable,
    );
    assert.deepEqual(wrong, []);
    assert.equal(new Set(features.map(({ id }) => id)).size, features.length);
  });

  it("has every row that a test's title claims", () => {
    const known = new Set(features.map(({ id }) => id));
    const unknown = readClaims().flatMap(({ file, ids }) =>
      ids.filter((id) => !known.has(id)).map((id) => `${file}: ${id}`),
    );
    assert.deepEqual(unknown, []);
  });

  it(`is not claimed more than ${ROWS_PER_TEST_MAX} rows at a time`, () => {
    const greedy = readClaims().filter(({ ids }) => ids.length > ROWS_PER_TEST_MAX);
    assert.deepEqual(greedy, []);
  });
});
