import type { Fault } from "./fault.ts";

/** As for a killed server. */
const OPERATIONS_MAX = 30;

/** The server's machine loses its power in the middle of its writes: what was not synced is lost, or torn. */
export const powerLoss: Fault = {
  name: "power loss",
  weight: 4,
  lastsMsMax: 20_000,
  begin({ server, disk }, random) {
    disk.onPowerFailure = () => server.losePower();
    disk.faults.operationsLeft = random.integer(OPERATIONS_MAX);
    return () => {
      disk.faults.operationsLeft = Infinity;
      server.restart();
    };
  },
};
