import { anyNode, oneOf, type Fault } from "./fault.ts";

/** Containers of one name on one node end by themselves. */
export const endedContainer: Fault = {
  name: "ended container",
  weight: 5,
  lastsMsMax: 0,
  begin(world, random) {
    const { runtime } = anyNode(world, random);
    const names = [...new Set(runtime.running)];
    if (names.length === 0) return undefined;
    runtime.kill(oneOf(random, names), oneOf(random, [0, 1, 137]));
    return () => {};
  },
};
