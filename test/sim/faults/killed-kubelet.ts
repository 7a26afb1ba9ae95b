import { anyNode, type Fault } from "./fault.ts";

/** A kubelet is killed and comes back; long enough, sometimes, for its node to be given up. Containers run on. */
export const killedKubelet: Fault = {
  name: "killed kubelet",
  weight: 5,
  lastsMsMax: 90_000,
  begin(world, random) {
    const node = anyNode(world, random);
    node.kill();
    return () => node.start();
  },
};
