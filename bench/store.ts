import { mkdtempSync, rmSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { openLmdbStore } from "../src/store/lmdb/open-lmdb-store.ts";
import { prefixEnd, type Store } from "../src/store/store.ts";

/** One measured line. */
export interface StoreFigure {
  readonly name: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Bytes of one value: an ordinary Pod. */
const VALUE_BYTES = 2000;
const KEYS = 5000;

/**
 * Single-put commits alone and under load, durable and volatile, and a full listing, on the disk of `parent`.
 *
 * Takes about `seconds` for each of the four loads.
 */
export async function benchStore(parent: string, seconds = 1): Promise<readonly StoreFigure[]> {
  const folder = mkdtempSync(`${parent}/skiff-bench-store-`);
  const store = await openLmdbStore({
    folder,
    isVolatile: (key) => key.startsWith("/volatile/"),
  });
  try {
    return [
      await load(store, "commit, 1 in flight", "/durable/", 1, seconds),
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
  const start = performance.now();
  const end = start + seconds * 1000;
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
  return figure(name, times, performance.now() - start);
}

async function listing(store: Store, prefix: string): Promise<StoreFigure> {
  const times: number[] = [];
  const start = performance.now();
  let records = 0;
  for (let i = 0; i < 5; i++) {
    const before = performance.now();
    records += (await store.range({ from: prefix, to: prefixEnd(prefix) })).records.length;
    times.push(performance.now() - before);
  }
  const { p50Ms, p99Ms } = figure("", times, 1);
  const perSecond = Math.round(records / ((performance.now() - start) / 1000));
  return { name: `records listed, ${KEYS} at once`, perSecond, p50Ms, p99Ms };
}

function figure(name: string, times: number[], elapsedMs: number): StoreFigure {
  times.sort((a, b) => a - b);
  const at = (share: number): number => Number(times[Math.floor(times.length * share)]!.toFixed(3));
  const perSecond = Math.round(times.length / (elapsedMs / 1000));
  return { name, perSecond, p50Ms: at(0.5), p99Ms: at(0.99) };
}
