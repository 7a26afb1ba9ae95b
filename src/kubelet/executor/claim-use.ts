import type { Clock } from "../../base/clock.ts";
import type { V1Pod } from "../../gen/types.ts";
import type { VolumeReading } from "../server/stats-reading.ts";
import { claimNameOf } from "../volumes/claimed-volume.ts";
import type { MountedVolume } from "./persistent-mounts.ts";
import type { MeasureVolume, VolumeUse } from "./volume-use.ts";

/**
 * For so long a reading of a claim's volume holds. Doubled, a disk that fills is seen a minute later; halved, who asks each half
 * minute has all files of all claims looked at each time.
 *
 * @spec k8s@1.36 pkg/kubelet/apis/config volumeStatsAggPeriod
 */
const READING_MS = 60_000;

/**
 * For so long the other volumes wait for a disk that does not answer; longer than the process lives that asks it, if that can be
 * ended. Doubled, dead servers hold them up twice as long.
 */
const DISK_MS_MAX = 15_000;

interface Known {
  readonly atMs: number;
  /** Absent: nobody can tell. */
  readonly use: VolumeUse | undefined;
}

interface Claimed {
  readonly name: string;
  readonly claim: string;
  readonly at: MountedVolume;
}

/**
 * What is used of the volumes that Pods claimed, read once a minute at most, however many ask.
 *
 * Why nobody waits for a reading: one of a million files takes a minute, and the disk of a server that died never answers.
 * @invariant no path is read again while a reading of it is pending; one after another is read, but for disks that do not answer.
 * @spec k8s@1.36 pkg/kubelet/server/stats volumeStatCalculator
 */
export class ClaimUse {
  readonly #clock: Clock;
  readonly #mountedOf: (uid: string) => ReadonlyMap<string, MountedVolume>;
  readonly #measure: MeasureVolume;
  /** Volumes that somebody uses, by path. */
  #wanted: ReadonlyMap<string, MountedVolume> = new Map();
  /** Of wanted paths only. */
  readonly #known = new Map<string, Known>();
  readonly #pending = new Set<string>();
  #isReading = false;

  /** `mountedOf`: what is mounted for a Pod, by its own names for it. */
  constructor(
    clock: Clock,
    mountedOf: (uid: string) => ReadonlyMap<string, MountedVolume>,
    measure: MeasureVolume,
  ) {
    this.#clock = clock;
    this.#mountedOf = mountedOf;
    this.#measure = measure;
  }

  /**
   * What was read last, by the uids of all Pods there are; what others had is forgotten. Volumes that were not read yet, or of which
   * nobody can tell, are left out. What is older than a minute is read again behind this.
   */
  read(pods: readonly V1Pod[]): ReadonlyMap<string, readonly VolumeReading[]> {
    const found = pods.map((pod) => [pod.metadata?.uid ?? "", this.#claimed(pod)] as const);
    this.#wanted = new Map(found.flatMap(([, all]) => all.map(({ at }) => [at.path, at] as const)));
    for (const path of this.#known.keys()) if (!this.#wanted.has(path)) this.#known.delete(path);
    void this.#refresh();
    return new Map(found.map(([uid, all]) => [uid, all.flatMap((one) => this.#reading(one))]));
  }

  #claimed(pod: V1Pod): readonly Claimed[] {
    const mounted = this.#mountedOf(pod.metadata?.uid ?? "");
    return (pod.spec?.volumes ?? []).flatMap((volume) => {
      const claim = claimNameOf(pod, volume);
      const at = mounted.get(volume.name);
      return claim === undefined || !at?.measure ? [] : [{ name: volume.name, claim, at }];
    });
  }

  #reading({ name, claim, at }: Claimed): readonly VolumeReading[] {
    const use = this.#known.get(at.path)?.use;
    return use ? [{ name, claim, ...use }] : [];
  }

  async #refresh(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    const due = [...this.#wanted.values()].filter(({ path }) => this.#isDue(path));
    for (const volume of due)
      if (this.#wanted.has(volume.path)) await this.#patiently(volume, this.#readOne(volume));
    this.#isReading = false;
  }

  #isDue(path: string): boolean {
    const known = this.#known.get(path);
    const isFresh = known !== undefined && this.#clock.monotonic() - known.atMs < READING_MS;
    return !isFresh && !this.#pending.has(path);
  }

  async #readOne({ path, measure }: MountedVolume): Promise<void> {
    this.#pending.add(path);
    const use = measure && (await this.#measure(path, measure));
    this.#pending.delete(path);
    if (this.#wanted.has(path)) this.#known.set(path, { atMs: this.#clock.monotonic(), use });
  }

  /** Files are always waited for: they lie on the machine's own disk, and two walks at once would only be slower. */
  #patiently({ measure }: MountedVolume, reading: Promise<void>): Promise<void> {
    if (measure === "files") return reading;
    return new Promise((resolve) => {
      const timer = this.#clock.after(DISK_MS_MAX, resolve);
      void reading.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
