import type { Fault } from "./fault.ts";
import { SOUND_NETWORK } from "./sim-network.ts";

/** Calls are lost, or carried out without an answer, or carried out twice. */
export const lossyNetwork: Fault = {
  name: "lossy network",
  weight: 4,
  lastsMsMax: 60_000,
  begin({ network: { faults } }, random) {
    const percent = 1 + random.integer(20);
    Object.assign(faults, {
      lostCallPercent: percent,
      lostAnswerPercent: percent,
      repeatPercent: percent,
    });
    const { delayMsMax: _, ...sound } = SOUND_NETWORK;
    return () => Object.assign(faults, sound);
  },
};
