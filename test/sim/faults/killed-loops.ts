import type { Fault } from "./fault.ts";

/** Controllers and scheduler are killed, where they run apart. */
export const killedLoops: Fault = {
  name: "killed controllers",
  weight: 5,
  lastsMsMax: 60_000,
  begin({ loops }) {
    if (!loops) return undefined;
    loops.kill();
    return () => loops.start();
  },
};
