import type { Fault } from "./fault.ts";
import { SOUND_NETWORK } from "./sim-network.ts";

/** Every call takes seconds, and each its own: what was asked later may come earlier. */
export const slowNetwork: Fault = {
  name: "slow network",
  weight: 3,
  lastsMsMax: 60_000,
  begin({ network: { faults } }, random) {
    faults.delayMsMax = 100 + random.integer(4000);
    return () => void (faults.delayMsMax = SOUND_NETWORK.delayMsMax);
  },
};
