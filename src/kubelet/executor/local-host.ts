import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { CriClient } from "../../wire/cri/cri-client.ts";
import type { LogLimits } from "../plan/log-rotation.ts";
import { AllocationFiles } from "./allocation-files.ts";
import { ask } from "./asker.ts";
import { limitCgroup, removeCgroup } from "./cgroups.ts";
import { lastWordsIn } from "./last-words.ts";
import { LogRotator } from "./log-rotator.ts";
import { readMachine } from "./machine.ts";
import type { NodeFiles, NodeHost } from "./node-host.ts";
import { readNodeSupply } from "./node-supply.ts";
import * as podFiles from "./pod-files.ts";
import { PodMeter } from "./pod-meter.ts";
import { VolumeMounter } from "./volume-mounter.ts";

const localFiles: NodeFiles = { ...podFiles, limitCgroup, removeCgroup };

/** This very machine. `stateRoot`: the folder whose disk the Pods share. `ownVolumes`: that of the cluster's own volumes. */
export function localHost(
  stateRoot: string,
  ownVolumes: string,
  cri: CriClient,
  clock: Clock,
  logger: Logger,
  logLimits: LogLimits,
): NodeHost {
  return {
    files: localFiles,
    volumes: new VolumeMounter(stateRoot, ownVolumes),
    lastWords: lastWordsIn(stateRoot),
    allocations: new AllocationFiles(stateRoot),
    machine: () => readMachine(stateRoot),
    supply: () => readNodeSupply(stateRoot),
    ask,
    housekeeping: (settings) => ({
      rotator: new LogRotator(cri, clock, logger, logLimits),
      meter: new PodMeter(cri, settings),
    }),
  };
}
