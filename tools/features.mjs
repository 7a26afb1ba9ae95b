// Says which rows of test/features.tsv end-to-end tests prove: `node tools/features.mjs [--sample N | --unseen]`. A row is claimed
// by a test's title, and seen to fail when that test failed with the row's behaviour taken out (test/faults). `--unseen` lists the
// claimed rows that were not.
import { pathToFileURL } from "node:url";
import { areaOf, readClaims, readFeatures } from "./feature-rows.mjs";
import { rowsSeen } from "./fault-table.mjs";

function testsByRow() {
  const tests = new Map();
  for (const claim of readClaims())
    for (const id of claim.ids) tests.set(id, [...(tests.get(id) ?? []), claim]);
  return tests;
}

function report(features, tests, seen) {
  const line = (name, rows) => {
    const claimed = rows.filter(({ id }) => tests.has(id)).length;
    const proven = rows.filter(({ id }) => tests.has(id) && seen.has(id)).length;
    const percent = (count) => `${Math.round((100 * count) / rows.length)}%`.padStart(4);
    return (
      `${name.padEnd(6)}${String(rows.length).padStart(6)}${String(claimed).padStart(9)} ` +
      `${percent(claimed)}${String(proven).padStart(14)} ${percent(proven)}`
    );
  };
  console.log(`${"area".padEnd(6)}  rows  claimed      seen to fail`);
  for (const area of new Set(features.map(({ id }) => areaOf(id))))
    console.log(
      line(
        area,
        features.filter(({ id }) => areaOf(id) === area),
      ),
    );
  console.log(line("total", features));
}

function sample(features, tests, seen, count) {
  const keyed = features.map((feature) => ({ feature, key: Math.random() }));
  for (const { feature } of keyed.sort((a, b) => a.key - b.key).slice(0, count)) {
    console.log(`${feature.id}  ${feature.feature}\n      sees: ${feature.observable}`);
    const claims = tests.get(feature.id) ?? [];
    if (claims.length === 0) console.log("      no test");
    for (const { file, title } of claims) console.log(`      ${file}: ${title}`);
    if (seen.has(feature.id)) console.log("      seen to fail without it");
  }
}

function listUnseen(features, tests, seen) {
  for (const { id, feature } of features.filter(({ id }) => tests.has(id) && !seen.has(id))) {
    const files = tests.get(id).map(({ file }) => file);
    console.log(`${id}  ${feature}  (${files.join(", ")})`);
  }
}

function main(args) {
  const [flag, value, ...rest] = args;
  const isSample = flag === "--sample" && /^[1-9]\d*$/.test(value ?? "");
  const isUnseen = flag === "--unseen" && value === undefined;
  if ((flag !== undefined && !isSample && !isUnseen) || rest.length > 0) {
    console.error("usage: features [--sample N | --unseen], N at least 1");
    process.exit(2);
  }
  const features = readFeatures();
  const tests = testsByRow();
  const seen = rowsSeen();
  if (isSample) sample(features, tests, seen, Number(value));
  else if (isUnseen) listUnseen(features, tests, seen);
  else report(features, tests, seen);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main(process.argv.slice(2));
