import { SOUND_RUNTIME } from "../world/sim-cri.ts";
import { anyNode, type Fault } from "./fault.ts";

/** A runtime answers late, refuses calls, or does what it was told and says that it did not. */
export const badRuntime: Fault = {
  name: "bad runtime",
  weight: 4,
  lastsMsMax: 60_000,
  begin(world, random) {
    const { runtimeFaults } = anyNode(world, random);
    Object.assign(runtimeFaults, {
      delayMsMax: random.integer(8000),
      failPercent: random.integer(30),
      lostAnswerPercent: random.integer(30),
    });
    return () => Object.assign(runtimeFaults, SOUND_RUNTIME);
  },
};
