import { anyNode, type Fault } from "./fault.ts";

/** A whole machine is off for minutes: its Pods are evicted, and when it is back its containers are gone. */
export const deadNode: Fault = {
  name: "dead node",
  weight: 2,
  lastsMsMax: 500_000,
  begin(world, random) {
    const node = anyNode(world, random);
    node.kill();
    node.runtime.reboot();
    return () => node.start();
  },
};
