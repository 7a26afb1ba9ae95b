import type { V1Container, V1Pod, V1Probe } from "../../gen/types.ts";
import type { CriClient, Mount } from "../../wire/cri/cri-client.ts";
import type { HousekeeperTools } from "../node/housekeeper.ts";
import type { NodeSupply } from "../plan/eviction.ts";
import type { AllocationStore } from "../pod-size.ts";
import type { ProbeAnswer, ProbedContainer } from "../probes/prober.ts";
import type { PodCgroup } from "../runtime/resources.ts";
import type { PodSettings } from "../runtime/sandbox-config.ts";
import type { VolumeSpec } from "../volumes/claimed-volume.ts";
import type { PodFolders } from "../volumes/volume-paths.ts";
import type { PayloadSource } from "../volumes/payload.ts";
import type { Machine } from "./machine.ts";
import type { MountedVolume } from "./persistent-mounts.ts";
import type { LastWords } from "./runtime-reader.ts";

/**
 * The machine that a kubelet runs on: its files, mounts, cgroups, sockets and figures. Containers are the runtime's.
 *
 * Why injected: a simulated node has none of them, and whatever waits for a real disk would make a run depend on it.
 */
export interface NodeHost {
  readonly files: NodeFiles;
  readonly volumes: Volumes;
  readonly lastWords: LastWords;
  /** What resized Pods were granted, over restarts of the kubelet. */
  readonly allocations: AllocationStore;
  machine(): Promise<Machine>;
  /** What is left now. */
  supply(): Promise<NodeSupply>;
  /** Asks one probe's question of one container. Never throws. */
  ask(
    cri: CriClient,
    podIp: string,
    container: ProbedContainer,
    probe: V1Probe,
  ): Promise<ProbeAnswer>;
  /** What measures the node's Pods and keeps their logs small. */
  housekeeping(settings: PodSettings): Pick<HousekeeperTools, "rotator" | "meter">;
}

/** Small files of Pods, and their cgroups. The real ones: `pod-files.ts`, `cgroups.ts`. */
export interface NodeFiles {
  makeLogFolder(path: string): void;
  makeMessageFile(path: string): void;
  writeHostsFile(path: string, text: string): void;
  readNodeFile(path: string): Promise<string>;
  linkLog(
    folder: string,
    pod: { readonly name: string; readonly namespace: string },
    container: string,
    id: string,
    log: string,
  ): void;
  unlinkLog(folder: string, id: string): Promise<void>;
  removeFolder(path: string): Promise<void>;
  limitCgroup(path: string, limits: PodCgroup): void;
  removeCgroup(path: string): Promise<void>;
}

/** Volumes of Pods. The real ones: `volume-mounter.ts`. */
export interface Volumes {
  /** Once per start, before any Pod. */
  start(): Promise<void>;
  folders(pod: V1Pod): PodFolders;
  /** `specs`: what comes from claims, as far as it can be mounted now. */
  prepare(
    pod: V1Pod,
    source: PayloadSource,
    now: number,
    specs: readonly VolumeSpec[],
  ): Promise<void>;
  mountsOf(
    pod: V1Pod,
    container: V1Container,
    environment: ReadonlyMap<string, string>,
  ): Promise<readonly Mount[]>;
  /** What is mounted for a Pod and not made in its own folders, by its own names for it. */
  mounted(uid: string): ReadonlyMap<string, MountedVolume>;
  tearDown(uid: string): Promise<void>;
  /** Names of attachable volumes that an earlier process of this node mounted for that Pod. */
  attached(uid: string): Promise<readonly string[]>;
  /** Removes one of the cluster's own volumes with all that it holds. */
  removeOwn(handle: string): Promise<void>;
  /** Uids of Pods that have something here. */
  known(): Promise<readonly string[]>;
}
