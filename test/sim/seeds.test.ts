import { describe, it } from "node:test";
import { runSeed } from "./run-seed.ts";
const [from = 1, to = 5] = process.argv.slice(2).map(Number);
describe("scratch", () => {
  it("runs", async () => {
    for (let seed = from; seed <= to; seed++) {
      const t = process.cpuUsage();
      const o = await runSeed(seed);
      const u = process.cpuUsage(t);
      console.log(
        seed,
        "cpu",
        ((u.user + u.system) / 1000) | 0,
        "steps",
        o.steps,
        "faults",
        o.faults,
        "virtual s",
        (o.virtualMs / 1000) | 0,
        "lines",
        o.trace.length,
        o.hash.slice(0, 8),
        o.problems.length,
      );
      for (const p of o.problems.slice(0, 6)) console.log("   ", p.slice(0, 400));
      if (process.env["TRACE"]) console.log(o.trace.join("\n"));
    }
  });
});
