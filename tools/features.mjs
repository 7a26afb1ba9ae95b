// Says which rows of test/features.tsv an end-to-end test proves: `node tools/features.mjs [--sample N]`. A test claims rows
// by the identifiers that its title begins with: it("KC-29 KC-30 …").
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { globSync } from "./glob.mjs";

const ROW = /^[A-Z]{2,3}-\d{2}$/;
const TITLE = /\b(?:it|test)\(\s*(["'`])((?:[A-Z]{2,3}-\d{2}\b ?)+[^\n]*?)\1/g;

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

function testsByRow() {
  const tests = new Map();
  for (const claim of readClaims())
    for (const id of claim.ids) tests.set(id, [...(tests.get(id) ?? []), claim]);
  return tests;
}

function report(features, tests) {
  const areas = new Map();
  for (const { id } of features) {
    const area = id.slice(0, id.indexOf("-"));
    const { proven, all } = areas.get(area) ?? { proven: 0, all: 0 };
    areas.set(area, { proven: proven + (tests.has(id) ? 1 : 0), all: all + 1 });
  }
  const line = (name, proven, all) =>
    `${name.padEnd(6)}${String(proven).padStart(5)} of ${String(all).padStart(4)}  ${Math.round((100 * proven) / all)}%`;
  for (const [area, { proven, all }] of areas) console.log(line(area, proven, all));
  const proven = features.filter(({ id }) => tests.has(id)).length;
  console.log(line("total", proven, features.length));
}

function sample(features, tests, count) {
  const keyed = features.map((feature) => ({ feature, key: Math.random() }));
  for (const { feature } of keyed.sort((a, b) => a.key - b.key).slice(0, count)) {
    console.log(`${feature.id}  ${feature.feature}\n      sees: ${feature.observable}`);
    const claims = tests.get(feature.id) ?? [];
    if (claims.length === 0) console.log("      no test");
    for (const { file, title } of claims) console.log(`      ${file}: ${title}`);
  }
}

function main(args) {
  const [flag, value, ...rest] = args;
  const isRight = flag === undefined || (flag === "--sample" && /^[1-9]\d*$/.test(value ?? ""));
  if (!isRight || rest.length > 0) {
    console.error("usage: features [--sample N], N at least 1");
    process.exit(2);
  }
  const features = readFeatures();
  const tests = testsByRow();
  if (flag) sample(features, tests, Number(value));
  else report(features, tests);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main(process.argv.slice(2));
