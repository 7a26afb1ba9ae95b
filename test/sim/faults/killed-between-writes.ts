import type { Fault } from "./fault.ts";

/** Operations of the disk that the server still gets through: some ten writes. */
const OPERATIONS_MAX = 30;

/** The server is killed between two operations of its disk, and comes back. */
export const killedBetweenWrites: Fault = {
  name: "server killed between two writes",
  weight: 5,
  lastsMsMax: 20_000,
  begin({ server, disk }, random) {
    disk.onPowerFailure = () => server.kill();
    disk.faults.operationsLeft = random.integer(OPERATIONS_MAX);
    return () => {
      disk.faults.operationsLeft = Infinity;
      server.restart();
    };
  },
};
