import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { V1Pod, V1ResourceRequirements, V1Service } from "../../gen/types.ts";
import type { CriClient } from "../../wire/cri/cri-client.ts";
import type { EventRecorder } from "../events.ts";
import type { NodeFiles } from "./node-host.ts";
import type { StartQueue } from "./start-queue.ts";
import type { PodMemory } from "../plan/observed.ts";
import type { ClaimedVolumes } from "../claimed-volumes.ts";
import type { ReferencedObjects } from "../referenced-objects.ts";
import type { PodRuntime } from "../runtime/pod-runtime.ts";
import type { PodSettings } from "../runtime/sandbox-config.ts";
import type { VolumeWaits } from "../volumes/volume-waits.ts";
import type { ServiceAccountTokens } from "../service-account-tokens.ts";

/** What steps act through. */
export interface StepTools {
  readonly cri: CriClient;
  readonly client: Client;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  readonly files: NodeFiles;
  readonly objects: ReferencedObjects;
  readonly claimed: ClaimedVolumes;
  readonly volumeWaits: VolumeWaits;
  readonly tokens: ServiceAccountTokens;
  readonly settings: PodSettings;
  readonly starts: StartQueue;
  /** `/var/log/containers` */
  readonly logLinks: string;
  readonly nodeIps: readonly string[];
  readonly allocatable: () => Readonly<Record<string, string>>;
  readonly services: () => readonly V1Service[];
  /** Runs before the first container: Services must be known, or their variables would be missing. */
  readonly servicesKnown: () => Promise<void>;
}

/** The Pod that a step is for, as it was when the step was planned. */
export interface StepContext {
  readonly pod: V1Pod;
  readonly runtime: PodRuntime;
  readonly memory: PodMemory;
  /** True once the Pod is to end: what has not begun yet need not begin. */
  readonly isEnding: () => boolean;
  /** The container runs; its postStart hook may still. */
  readonly onStarted: (containerId: string) => void;
  /** The runtime has taken these resources for a container that runs. */
  readonly onResized: (containerId: string, resources: V1ResourceRequirements) => void;
  /** Resolves when the API has the Pod's newest status. */
  readonly statusWritten: () => Promise<void>;
}

/** What a step that succeeded found out. */
export interface StepValue {
  readonly value?: string;
  readonly refreshAt?: number;
}
