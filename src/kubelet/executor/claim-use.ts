import type { Clock } from "../../base/clock.ts";
import type { V1Pod } from "../../gen/types.ts";
import type { VolumeReading } from "../server/stats-reading.ts";
import { claimNameOf } from "../volumes/claimed-volume.ts";
import { folderUse } from "./folder-use.ts";
import { readDisk } from "./node-usage.ts";
import type { MountedVolume } from "./persistent-mounts.ts";

/**
 * For so long a reading of a claim's volume holds. Doubled, a disk that fills is seen a minute later; halved, who asks each half
 * minute has all files of all claims looked at each time.
 *
 * @spec k8s@1.36 pkg/kubelet/apis/config volumeStatsAggPeriod
 */
const READING_MS = 60_000;

interface Known {
  readonly atMs: number;
  readonly use: Promise<Omit<VolumeReading, "name" | "claim"> | undefined>;
}

/** What is used of the volumes that Pods claimed, read once a minute at most, however many ask. */
export class ClaimUse {
  readonly #clock: Clock;
  readonly #mountedOf: (uid: string) => ReadonlyMap<string, MountedVolume>;
  /** By path. */
  #known: ReadonlyMap<string, Known> = new Map();

  /** `mountedOf`: what is mounted for a Pod, by its own names for it. */
  constructor(clock: Clock, mountedOf: (uid: string) => ReadonlyMap<string, MountedVolume>) {
    this.#clock = clock;
    this.#mountedOf = mountedOf;
  }

  /** By the uids of all Pods there are; what others had is forgotten. Volumes of which nobody knows what is used are left out. */
  async read(pods: readonly V1Pod[]): Promise<ReadonlyMap<string, readonly VolumeReading[]>> {
    const known = new Map<string, Known>();
    const found = pods.map((pod) => {
      const uid = pod.metadata?.uid ?? "";
      return [uid, this.#readPod(pod, this.#mountedOf(uid), known)] as const;
    });
    this.#known = known;
    return new Map(await Promise.all(found.map(async ([uid, all]) => [uid, await all] as const)));
  }

  async #readPod(
    pod: V1Pod,
    mounted: ReadonlyMap<string, MountedVolume>,
    known: Map<string, Known>,
  ): Promise<readonly VolumeReading[]> {
    const readings = (pod.spec?.volumes ?? []).map(async (volume) => {
      const claim = claimNameOf(pod, volume);
      const at = mounted.get(volume.name);
      const use = claim !== undefined && at && (await this.#readOnce(at, known));
      return claim === undefined || !use ? [] : [{ name: volume.name, claim, ...use }];
    });
    return (await Promise.all(readings)).flat();
  }

  #readOnce({ path, measure }: MountedVolume, known: Map<string, Known>): Known["use"] {
    const nowMs = this.#clock.monotonic();
    const before = known.get(path) ?? this.#known.get(path);
    const isFresh = before !== undefined && nowMs - before.atMs < READING_MS;
    const one = isFresh ? before : { atMs: nowMs, use: read(path, measure) };
    known.set(path, one);
    return one.use;
  }
}

/** By all files, where the disk is shared with others; else by the disk. @spec volume NewMetricsDu, NewMetricsStatFS */
async function read(path: string, measure: MountedVolume["measure"]): Known["use"] {
  if (measure === undefined) return undefined;
  const disk = await readDisk(path);
  if (!disk) return undefined;
  if (measure === "files") return { disk, ...(await folderUse(path)) };
  const { capacityBytes, availableBytes, inodes, inodesFree } = disk;
  return { disk, bytes: capacityBytes - availableBytes, inodes: inodes - inodesFree };
}
