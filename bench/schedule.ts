// What scheduling costs: `npm run bench:schedule [-- decisions|binding|https] [--reference URL TOKEN]`. Without a part, all of
// them. Times are of the processor, so other processes do not count; pods/s are of the whole machine. Adds a line to results.ndjson.
import { execFileSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { benchBinding } from "./schedule/binding.ts";
import { benchDecisions } from "./schedule/decisions.ts";
import { DEMANDS } from "./schedule/objects.ts";
import { benchOverHttps, benchTarget } from "./schedule/over-https.ts";

const words = process.argv.slice(2);
const flag = words.indexOf("--reference");
const [address, token] = flag < 0 ? [] : words.slice(flag + 1);
const reference = address && token ? { url: new URL(address), token } : undefined;
const part = flag === 0 ? undefined : words[0];
const figures: Record<string, object> = {};

function record(name: string, ours: number, theirs?: number): void {
  const ratio = theirs === undefined ? undefined : +(ours / theirs).toFixed(2);
  figures[name] = ratio === undefined ? { ours } : { ours, reference: theirs, ratio };
  const beside = ratio === undefined ? "" : `   reference ${theirs}   ratio ${ratio}`;
  console.log(`${name.padEnd(72)} ${String(ours).padStart(8)}${beside}`);
}

async function overHttps(
  nodes: number,
  pods: number,
  isCompared: boolean,
  demand?: string,
): Promise<void> {
  const sort = demand === undefined ? "" : `, ${demand}`;
  const what = `${pods.toLocaleString("en")} Pods onto ${nodes.toLocaleString("en")} nodes${sort}`;
  const { podsPerSecond, mainUs, allUs } = await benchOverHttps(nodes, pods, demand);
  const theirs = isCompared && reference ? await benchTarget(reference, nodes, pods) : undefined;
  record(`schedule ${what}, pods/s`, podsPerSecond, theirs?.podsPerSecond);
  record(`schedule ${what}, server's main thread, µs a Pod`, mainUs!);
  record(`schedule ${what}, server's threads, µs a Pod`, allUs!);
}

if (!part || part === "decisions")
  for (const nodes of [1000, 5000])
    for (const [name, us] of Object.entries(benchDecisions(nodes))) record(name, us);
if (!part || part === "binding")
  for (const [name, value] of Object.entries(await benchBinding(5000, 6000))) record(name, value);
if (!part || part === "https") {
  await overHttps(1000, 5000, true);
  await overHttps(5000, 10_000, false);
  for (const demand of Object.keys(DEMANDS)) await overHttps(5000, 4_000, false, demand);
}
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
const line = { at: new Date().toISOString().slice(0, 10), commit, figures };
appendFileSync("bench/results.ndjson", `${JSON.stringify(line)}\n`);
