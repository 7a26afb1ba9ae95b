import { oneOf, type Fault } from "./fault.ts";

const HOURS_MAX = 48;
const HOUR_MS = 3_600_000;

/** Somebody's wall clock is set by hours, and later set right. */
export const jumpingClock: Fault = {
  name: "jumping clock",
  weight: 3,
  lastsMsMax: 120_000,
  begin(world, random) {
    const { server, loops, nodes } = world;
    const { wall } = oneOf(random, [server, ...nodes, ...(loops ? [loops] : [])]);
    const hours = random.integer(2 * HOURS_MAX + 1) - HOURS_MAX;
    wall.setMs += hours * HOUR_MS;
    world.clocksWereSet = true;
    return () => void (wall.setMs -= hours * HOUR_MS);
  },
};
