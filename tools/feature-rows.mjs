// The rows of test/features.tsv, and the end-to-end tests that claim them: by the identifiers that their titles begin with, as in
// it("KC-29 KC-30 …").
import { readFileSync } from "node:fs";
import { globSync } from "./glob.mjs";

const ROW = /^[A-Z]{2,3}-\d{2}$/;
const TITLE = /\b(?:it|test)\(\s*(["'`])([^\n]*?)\1/g;

/** Every row of the check list, in its order. */
export function readFeatures() {
  const [, ...lines] = readFileSync("test/features.tsv", "utf8").trimEnd().split("\n");
  return lines.map((line) => {
    const [id, feature, observable] = line.split("\t");
    return { id, feature, observable };
  });
}

/** Every test that claims rows: file, title and the rows' identifiers. */
export function readClaims() {
  return readTests().filter(({ ids }) => ids.length > 0);
}

/** Every end-to-end test; `ids` is empty when it claims no row. */
export function readTests() {
  return globSync(["test/e2e"], ".test.ts").flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(TITLE)].map(([, , title]) => ({
      file,
      title,
      ids: leadingIds(title),
    })),
  );
}

function leadingIds(title) {
  const words = title.split(" ");
  const end = words.findIndex((word) => !ROW.test(word));
  return end < 0 ? words : words.slice(0, end);
}

/** The area of a row's identifier: `KC` of `KC-29`. */
export function areaOf(id) {
  return id.slice(0, id.indexOf("-"));
}
