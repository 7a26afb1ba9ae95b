// What the embedded store does: `node tools/bench-store.mjs [SECONDS [FOLDER]]`.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { performance } from "node:perf_hooks";
import { openLmdbStore } from "../src/store/lmdb/open-lmdb-store.ts";
import { prefixEnd, type Store } from "../src/store/store.ts";

/** One measured line. */
interface StoreFigure {
  readonly name: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the main thread, and of the whole process, for one of them. */
  readonly mainMicros: number;
  readonly allMicros: number;
}

/** Bytes of one value: an ordinary Pod. */
const VALUE_BYTES = 2000;
const KEYS = 5000;

/**
 * Single-put commits alone and under load, durable and volatile, and a full listing, on the disk of `parent`.
 *
 * Takes about `seconds` for each of the loads.
 */
async function benchStore(parent: string, seconds = 1): Promise<readonly StoreFigure[]> {
  const folder = mkdtempSync(`${parent}/skiff-bench-store-`);
  const store = await openLmdbStore({
    folder,
    isVolatile: (key) => key.startsWith("/volatile/"),
  });
  try {
    return [
      await load(store, "commit, 1 in flight", "/durable/", 1, seconds),
      await load(store, "commit, 8 in flight", "/durable/", 8, seconds),
      await load(store, "commit, 64 in flight", "/durable/", 64, seconds),
      await load(store, "volatile commit, 1 in flight", "/volatile/", 1, seconds),
      await load(store, "volatile commit, 64 in flight", "/volatile/", 64, seconds),
      await listing(store, "/durable/"),
    ];
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

async function load(
  store: Store,
  name: string,
  prefix: string,
  inFlight: number,
  seconds: number,
): Promise<StoreFigure> {
  const value = Buffer.alloc(VALUE_BYTES, "x");
  const times: number[] = [];
  const meter = new Meter();
  const end = performance.now() + seconds * 1000;
  let count = 0;
  const writer = async (): Promise<void> => {
    for (let before = performance.now(); before < end;) {
      await store.commit([{ kind: "put", key: `${prefix}${count++ % KEYS}`, value }]);
      const after = performance.now();
      times.push(after - before);
      before = after;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, writer));
  return meter.figure(name, times, times.length);
}

async function listing(store: Store, prefix: string): Promise<StoreFigure> {
  const times: number[] = [];
  const meter = new Meter();
  let records = 0;
  for (let i = 0; i < 5; i++) {
    const before = performance.now();
    records += (await store.range({ from: prefix, to: prefixEnd(prefix) })).records.length;
    times.push(performance.now() - before);
  }
  return meter.figure(`records listed, ${KEYS} at once`, times, records);
}

/** Time and CPU time since it was made. */
class Meter {
  readonly #start = performance.now();
  readonly #main = mainMicros();
  readonly #all = process.cpuUsage();

  figure(name: string, times: number[], count: number): StoreFigure {
    const elapsedMs = performance.now() - this.#start;
    const { user, system } = process.cpuUsage(this.#all);
    times.sort((a, b) => a - b);
    const at = (share: number): number =>
      Number(times[Math.floor(times.length * share)]!.toFixed(3));
    return {
      name,
      perSecond: Math.round(count / (elapsedMs / 1000)),
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      mainMicros: Number(((mainMicros() - this.#main) / count).toFixed(1)),
      allMicros: Number(((user + system) / count).toFixed(1)),
    };
  }
}

function mainMicros(): number {
  const [nanos] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ");
  return Number(nanos) / 1000;
}

const [seconds, parent] = process.argv.slice(2);
console.table(await benchStore(parent ?? tmpdir(), Number(seconds ?? 1)));
