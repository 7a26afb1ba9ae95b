import { CONTROLLERS, SCHEDULER } from "../world/sim-loops.ts";
import { oneOf, type Fault } from "./fault.ts";

/** How often the same process is killed, one life after another. */
const KILLS_MAX = 8;
/** Writes that it still gets through in one life. */
const WRITES_MAX = 8;
/** How long it is dead at most, in ms. */
const DEAD_MS_MAX = 5000;

/** Controllers, or the scheduler, are killed between two of their writes, again and again. */
export const loopsKilledBetweenWrites: Fault = {
  name: "controllers killed between two writes",
  weight: 10,
  lastsMsMax: 60_000,
  begin({ loops, clock, trace }, random) {
    if (!loops) return undefined;
    const name = oneOf(random, [CONTROLLERS, CONTROLLERS, SCHEDULER]);
    let left = 1 + random.integer(KILLS_MAX);
    const kill = (): void => {
      if (left-- <= 0) return;
      const writesLeft = random.integer(WRITES_MAX);
      const onEnd = (): void => {
        trace.add(`${name} killed between two writes`);
        clock.after(random.integer(DEAD_MS_MAX), () => {
          loops.start();
          kill();
        });
      };
      loops.calls.doom(name, { writesLeft, isSent: random.integer(2) === 0, onEnd });
    };
    kill();
    return () => {
      left = 0;
      loops.calls.spare(name);
      loops.start();
    };
  },
};
