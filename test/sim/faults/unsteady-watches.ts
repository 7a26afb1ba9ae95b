import { SOUND_WATCHES } from "../world/unsteady-watches.ts";
import type { Fault } from "./fault.ts";

/** Most events that a cache lags behind. */
const LAG_EVENTS_MAX = 12;
/** Chances of one event, in percent: high, for a world has few. */
const PERCENT_MAX = 25;

/** What controllers and scheduler read is old; their watches break off, start over and repeat themselves. */
export const unsteadyWatches: Fault = {
  name: "unsteady watches",
  weight: 10,
  lastsMsMax: 90_000,
  begin({ loops }, random) {
    if (!loops) return undefined;
    const percent = (): number => random.integer(PERCENT_MAX);
    Object.assign(loops.watchFaults, {
      lagEventsMax: random.integer(LAG_EVENTS_MAX),
      repeatPercent: percent(),
      breakPercent: percent(),
      expirePercent: percent(),
    });
    return () => Object.assign(loops.watchFaults, SOUND_WATCHES);
  },
};
