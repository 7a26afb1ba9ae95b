// What waiting CronJobs cost: `npm run bench:cron [-- CRONJOBS SECONDS]`. The whole server in one process, on LMDB, without sockets; none of
// the CronJobs is due. Times are of the processor. Adds a line to results.ndjson.
import { execFileSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { CronJob } from "../src/api/batch/cron-job.ts";
import { startBenchPlane } from "./schedule/in-process.ts";

const count = Number(process.argv[2] ?? 10_000);
const seconds = Number(process.argv[3] ?? 30);
/** Once a year, at as many minutes as there are CronJobs; some by the clocks of other places. */
const ZONES = [undefined, "Europe/Berlin", "America/New_York", "Asia/Kolkata"];

const server = await startBenchPlane();
const client = server.plane.client({
  name: "admin",
  groups: ["system:masters", "system:authenticated"],
});

/** Milliseconds of the processor that `work` took. */
async function measured(work: () => Promise<unknown>): Promise<{ cpuMs: number; tookMs: number }> {
  const [cpu, begun] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuMs: (user + system) / 1000, tookMs: performance.now() - begun };
}

function cronJob(index: number): CronJob {
  const [minute, hour, day] = [index % 60, Math.floor(index / 60) % 24, 1 + (index % 28)];
  const timeZone = ZONES[index % ZONES.length];
  const containers = [{ name: "c", image: "busybox" }];
  const template = { spec: { restartPolicy: "Never", containers } };
  // The month before this one, so that none falls due while it is measured.
  const month = ((new Date().getUTCMonth() + 11) % 12) + 1;
  return {
    metadata: { name: `cj-${index}`, namespace: "default" },
    spec: {
      schedule: `${minute} ${hour} ${day} ${month} *`,
      ...(timeZone && { timeZone }),
      jobTemplate: { spec: { template } },
    },
  };
}

const idle = (): Promise<{ cpuMs: number; tookMs: number }> =>
  measured(() => delay(seconds * 1000));
const share = ({ cpuMs, tookMs }: { cpuMs: number; tookMs: number }): number =>
  +((cpuMs / tookMs) * 100).toFixed(3);

await delay(2000);
const without = share(await idle());
const filling = await measured(async () => {
  for (let from = 0; from < count; from += 100) {
    const batch = Array.from({ length: Math.min(100, count - from) }, (_, i) => cronJob(from + i));
    await Promise.all(batch.map((object) => client.create(CronJob, object)));
  }
});
await delay(5000);
const withAll = share(await idle());
await server.close();

const figures = {
  [`idle CPU without CronJobs, %`]: { ours: without },
  [`idle CPU with ${count} CronJobs, %`]: { ours: withAll },
  [`creating ${count} CronJobs, µs of the processor each`]: {
    ours: Math.round((filling.cpuMs * 1000) / count),
  },
};
for (const [name, { ours }] of Object.entries(figures)) console.log(`${name.padEnd(60)} ${ours}`);
const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
const line = { at: new Date().toISOString().slice(0, 10), commit, figures };
appendFileSync("bench/results.ndjson", `${JSON.stringify(line)}\n`);
