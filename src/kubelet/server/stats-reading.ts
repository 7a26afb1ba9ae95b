import type { Instant } from "../../base/clock.ts";

/** What the kernel counts for one cgroup and those below it. */
export interface CgroupUse {
  readonly cpuSeconds: number;
  /** Periods in which a CPU limit held, those in which it stopped somebody, and for how long. */
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledSeconds: number;
  readonly usageBytes: number;
  readonly workingSetBytes: number;
  readonly rssBytes: number;
  readonly cacheBytes: number;
  /** 0: none. */
  readonly limitBytes: number;
  readonly processes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
  /** Absent: the kernel does not count it. */
  readonly swapBytes?: number;
  readonly pressures: Pressures;
}

/** What one network interface has carried. */
export interface InterfaceUse {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/** Blocks and files below a folder. */
export interface FolderUse {
  readonly bytes: number;
  readonly inodes: number;
}

/** A file system as a whole. */
export interface DiskUse {
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly inodes: number;
  readonly inodesFree: number;
}

/** How long somebody had to wait for a resource, as the kernel prints it. @spec Documentation/accounting/psi.rst */
export interface Pressure {
  readonly some: PressurePart;
  /** Nobody could go on. */
  readonly full: PressurePart;
}

export interface PressurePart {
  readonly total: number;
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
}

/** By resource; absent where the kernel does not count it. */
export interface Pressures {
  readonly cpu?: Pressure;
  readonly memory?: Pressure;
  readonly io?: Pressure;
}

/** The machine. */
export interface NodeReading {
  readonly bootedAt: Instant;
  readonly cpuSeconds: number;
  readonly memoryTotalBytes: number;
  readonly memoryAvailableBytes: number;
  readonly memoryFreeBytes: number;
  readonly rssBytes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
  readonly processesMax: number;
  readonly processes: number;
  readonly interfaces: readonly InterfaceUse[];
  readonly pressures: Pressures;
  /** The control group of all Pods. */
  readonly pods?: CgroupUse;
}

/** What of the disk is told; read only when it is asked for. */
export interface StorageReading {
  /** Where Pods have their files. */
  readonly node?: DiskUse;
  /** Where the runtime has its images and the containers' own files. */
  readonly images?: DiskUse & { readonly usedBytes: number; readonly inodesUsed: number };
}

export interface ContainerReading {
  readonly name: string;
  /** The runtime's. */
  readonly id: string;
  readonly image: string;
  readonly startedAt: Instant;
  readonly use?: CgroupUse;
  /** Its own files; absent: not asked for. */
  readonly layer?: FolderUse;
  readonly logs?: FolderUse;
}

export interface PodReading {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** Its path. */
  readonly cgroup: string;
  readonly startedAt: Instant;
  readonly use?: CgroupUse;
  readonly interfaces: readonly InterfaceUse[];
  /** Those that run. */
  readonly containers: readonly ContainerReading[];
  /** Those whose files are the Pod's own, and those that it claimed. */
  readonly volumes: readonly VolumeReading[];
}

export interface VolumeReading extends FolderUse {
  readonly name: string;
  /** The claim, of the Pod's namespace; absent: its files are the Pod's own. */
  readonly claim?: string;
  readonly disk: DiskUse;
}

/** Everything at one time. */
export interface StatsReading {
  readonly now: Instant;
  readonly nodeName: string;
  readonly node: NodeReading;
  readonly storage: StorageReading;
  readonly pods: readonly PodReading[];
}
