import type { Clock } from "../../base/clock.ts";
import type { V1Pod } from "../../gen/types.ts";
import type { CriClient } from "../../wire/cri/cri-client.ts";
import type { PodWorker } from "../pod-worker.ts";
import { isAlive, type PodRuntime } from "../runtime/pod-runtime.ts";
import { cgroupOf, logFolderOf, type PodSettings } from "../runtime/sandbox-config.ts";
import type {
  ContainerReading,
  FolderUse,
  InterfaceUse,
  PodReading,
  StatsReading,
  StorageReading,
  VolumeReading,
} from "../server/stats-reading.ts";
import type { ClaimReading } from "../server/volume-metrics.ts";
import { LABEL_NODE } from "../runtime/labels.ts";
import { isExternal } from "../volumes/claimed-volume.ts";
import { foldersOf, volumePath } from "../volumes/volume-paths.ts";
import { ClaimUse } from "./claim-use.ts";
import { readCgroupUse, readProcessOf } from "./cgroup-use.ts";
import { folderUse } from "./folder-use.ts";
import { readInterfaces } from "./network-use.ts";
import { readDisk, readNodeUsage } from "./node-usage.ts";
import type { MountedVolume } from "./persistent-mounts.ts";
import { measureVolume } from "./volume-use.ts";

/** What has been read of disks for one Pod. */
interface StoredUse {
  /** By the ids of containers. */
  readonly layers: ReadonlyMap<string, FolderUse>;
  readonly claims: readonly VolumeReading[] | undefined;
}

/**
 * Reads what the node, its Pods and their containers use: out of the kernel's own counters, and from the runtime what
 * containers have written.
 */
export class StatsReader {
  readonly #cri: CriClient;
  readonly #clock: Clock;
  readonly #settings: PodSettings;
  readonly #workers: () => readonly PodWorker[];
  readonly #claims: ClaimUse;

  constructor(
    cri: CriClient,
    clock: Clock,
    settings: PodSettings,
    workers: () => readonly PodWorker[],
    mountedOf: (uid: string) => ReadonlyMap<string, MountedVolume>,
  ) {
    this.#cri = cri;
    this.#clock = clock;
    this.#settings = settings;
    this.#workers = workers;
    this.#claims = new ClaimUse(clock, mountedOf, measureVolume);
  }

  /** `hasStorage`: disks and folders too, which takes as long as there are files. */
  async read(hasStorage: boolean): Promise<StatsReading> {
    const { nodeName, cgroupRoot } = this.#settings;
    const [node, all, storage, layers] = await Promise.all([
      readNodeUsage(),
      readCgroupUse(cgroupRoot),
      hasStorage ? this.#storage() : {},
      hasStorage ? this.#layers() : new Map<string, FolderUse>(),
    ]);
    const running = this.#running();
    const claims = hasStorage ? this.#claims.read(running.map(({ pod }) => pod)) : undefined;
    const pods = await Promise.all(
      running.map(({ pod, runtime }) =>
        this.#pod(pod, runtime, claims && { layers, claims: claims.get(pod.metadata?.uid ?? "") }),
      ),
    );
    const now = this.#clock.now();
    return { now, nodeName, node: { ...node, ...(all ? { pods: all } : {}) }, storage, pods };
  }

  /** What is used of the volumes that running Pods claimed. */
  claims(): readonly ClaimReading[] {
    const pods = this.#running().map(({ pod }) => pod);
    const read = this.#claims.read(pods);
    return pods.flatMap(({ metadata }) => {
      const { namespace = "", uid = "" } = metadata ?? {};
      return (read.get(uid) ?? []).map((reading) => ({ namespace, ...reading }));
    });
  }

  #running(): readonly PodWorker[] {
    return this.#workers().filter(({ runtime }) => runtime.containers.some(isAlive));
  }

  async #storage(): Promise<StorageReading> {
    const [node, [images]] = await Promise.all([
      readDisk(this.#settings.stateRoot),
      this.#cri.imageFilesystems(),
    ]);
    const disk = images?.fsId && (await readDisk(images.fsId.mountpoint));
    const usedBytes = images?.usedBytes?.value ?? 0;
    const inodesUsed = images?.inodesUsed?.value ?? 0;
    return {
      ...(node ? { node } : {}),
      ...(disk ? { images: { ...disk, usedBytes, inodesUsed } } : {}),
    };
  }

  /** What each container has written to its own file system, by id. */
  async #layers(): Promise<ReadonlyMap<string, FolderUse>> {
    const filter = { labelSelector: { [LABEL_NODE]: this.#settings.nodeName } };
    const stats = await this.#cri.listContainerStats(filter);
    return new Map(
      stats.map(({ attributes, writableLayer }) => [
        attributes.id,
        {
          bytes: writableLayer?.usedBytes?.value ?? 0,
          inodes: writableLayer?.inodesUsed?.value ?? 0,
        },
      ]),
    );
  }

  async #pod(pod: V1Pod, runtime: PodRuntime, stored: StoredUse | undefined): Promise<PodReading> {
    const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
    const cgroup = cgroupOf(pod, this.#settings.cgroupRoot);
    const alive = runtime.containers.filter(isAlive);
    const logs = logFolderOf(pod, this.#settings.logRoot);
    const [use, interfaces, containers, volumes] = await Promise.all([
      readCgroupUse(cgroup),
      this.#interfaces(cgroup, [...runtime.sandboxes, ...alive]),
      Promise.all(
        alive.map(async (one): Promise<ContainerReading> => {
          const own = await readCgroupUse(`${cgroup}/${one.id}`);
          const storage = stored && {
            layer: stored.layers.get(one.id) ?? { bytes: 0, inodes: 0 },
            logs: await folderUse(`${logs}/${one.name}`),
          };
          return {
            ...{ name: one.name, id: one.id, image: one.image },
            startedAt: one.startedAt || one.createdAt,
            ...(own ? { use: own } : {}),
            ...storage,
          };
        }),
      ),
      stored ? this.#volumes(pod) : [],
    ]);
    const startedAt = runtime.sandboxes[0]?.createdAt ?? 0;
    return {
      ...{ name, namespace, uid, cgroup, startedAt, interfaces, containers },
      volumes: [...volumes, ...(stored?.claims ?? [])],
      ...(use ? { use } : {}),
    };
  }

  /** Any process of the Pod sees its network. */
  async #interfaces(
    cgroup: string,
    owners: readonly { readonly id: string }[],
  ): Promise<readonly InterfaceUse[]> {
    for (const { id } of owners) {
      const pid = await readProcessOf(`${cgroup}/${id}`);
      if (pid !== undefined) return readInterfaces(pid);
    }
    return [];
  }

  async #volumes(pod: V1Pod): Promise<readonly VolumeReading[]> {
    const folders = foldersOf(this.#settings.stateRoot, pod.metadata?.uid ?? "");
    const found = await Promise.all(
      (pod.spec?.volumes ?? [])
        .filter((volume) => !volume.hostPath && !isExternal(volume))
        .map(async (volume): Promise<VolumeReading[]> => {
          const path = volumePath(folders, volume);
          const [disk, use] = await Promise.all([readDisk(path), folderUse(path)]);
          return disk ? [{ name: volume.name, disk, ...use }] : [];
        }),
    );
    return found.flat();
  }
}
