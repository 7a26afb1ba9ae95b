import { badRuntime } from "./bad-runtime.ts";
import { brokenWatches } from "./broken-watches.ts";
import { compaction } from "./compaction.ts";
import { cutLink } from "./cut-link.ts";
import { deadNode } from "./dead-node.ts";
import { endedContainer } from "./ended-container.ts";
import { failingPulls } from "./failing-pulls.ts";
import type { Fault } from "./fault.ts";
import { fullDisk } from "./full-disk.ts";
import { jumpingClock } from "./jumping-clock.ts";
import { killedBetweenWrites } from "./killed-between-writes.ts";
import { killedKubelet } from "./killed-kubelet.ts";
import { killedLoops } from "./killed-loops.ts";
import { killedServer } from "./killed-server.ts";
import { loopsKilledBetweenWrites } from "./loops-killed-between-writes.ts";
import { lossyNetwork } from "./lossy-network.ts";
import { powerLoss } from "./power-loss.ts";
import { slowNetwork } from "./slow-network.ts";
import { unreadyContainers } from "./unready-containers.ts";
import { unsteadyWatches } from "./unsteady-watches.ts";

/** Everything that goes wrong in worlds. */
export const allFaults: readonly Fault[] = [
  lossyNetwork,
  slowNetwork,
  cutLink,
  brokenWatches,
  compaction,
  killedServer,
  killedBetweenWrites,
  powerLoss,
  fullDisk,
  jumpingClock,
  killedKubelet,
  deadNode,
  killedLoops,
  loopsKilledBetweenWrites,
  unsteadyWatches,
  endedContainer,
  failingPulls,
  badRuntime,
  unreadyContainers,
];
