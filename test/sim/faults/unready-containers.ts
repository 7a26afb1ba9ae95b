import { anyNode, type Fault } from "./fault.ts";

/** The checks of one node's containers fail. */
export const unreadyContainers: Fault = {
  name: "unready containers",
  weight: 3,
  lastsMsMax: 60_000,
  begin(world, random) {
    const { execCodes } = anyNode(world, random).runtime;
    const names = ["app", "slow", "stubborn"];
    for (const name of names) execCodes.set(name, 1);
    return () => names.forEach((name) => execCodes.delete(name));
  },
};
