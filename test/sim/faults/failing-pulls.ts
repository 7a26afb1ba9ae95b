import { anyNode, oneOf, type Fault } from "./fault.ts";

/** One image cannot be pulled by one node for a while, and it is on no node yet. */
export const failingPulls: Fault = {
  name: "failing pulls",
  weight: 3,
  lastsMsMax: 60_000,
  begin(world, random) {
    const { runtime } = anyNode(world, random);
    const image = oneOf(random, ["shop:1", "shop:2", "shop:3", "shop:4"]);
    runtime.pullErrors.set(image, "registry: 503");
    return () => void runtime.pullErrors.delete(image);
  },
};
