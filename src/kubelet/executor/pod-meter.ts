import * as fs from "node:fs/promises";
import type { V1Pod } from "../../gen/types.ts";
import type { ContainerStats, CriClient } from "../../wire/cri/cri-client.ts";
import type { PodUse } from "../plan/eviction.ts";
import type { StorageUse } from "../plan/storage-limits.ts";
import { LABEL_CONTAINER_NAME, LABEL_NODE, LABEL_POD_UID } from "../runtime/labels.ts";
import { allContainers } from "../runtime/pod-spec.ts";
import { cgroupOf, logFolderOf, type PodSettings } from "../runtime/sandbox-config.ts";
import { foldersOf, volumePath } from "../volumes/volume-paths.ts";
import { folderUse } from "./folder-use.ts";

/** In a Pod's folder, where volumes are mounted that are not its own: what they hold would not be given back with it. */
const MOUNTED = [
  ...["csi", "local-volume", "nfs"].map((kind) => `volumes/kubernetes.io~${kind}`),
  "volume-subpaths",
];

/** Measures what Pods use. Costly (it reads whole folders): asked for Pods with limits, and when the node is short. */
export class PodMeter {
  readonly #cri: CriClient;
  readonly #settings: PodSettings;

  constructor(cri: CriClient, settings: PodSettings) {
    this.#cri = cri;
    this.#settings = settings;
  }

  /** What each of these Pods has on disk, in their order. */
  async storage(pods: readonly V1Pod[]): Promise<readonly StorageUse[]> {
    const stats = await this.#stats();
    return Promise.all(pods.map((pod) => this.#storageOf(pod, stats)));
  }

  /** Everything that ranks these Pods, in their order. */
  async uses(pods: readonly V1Pod[]): Promise<readonly PodUse[]> {
    const stats = await this.#stats();
    return Promise.all(
      pods.map(async (pod) => {
        const own = stats.filter((one) => isOf(one, pod));
        const storage = await this.#storageOf(pod, stats);
        const { pod: folder } = foldersOf(this.#settings.stateRoot, uidOf(pod));
        const mounted = new Set(MOUNTED.map((name) => `${folder}/${name}`));
        const volumes = await folderUse(folder, (path) => mounted.has(path));
        const inodes = own.map(({ writableLayer }) => writableLayer?.inodesUsed?.value ?? 0);
        return {
          pod,
          memoryBytes: sum(own.map(({ memory }) => memory?.workingSetBytes?.value ?? 0)),
          diskBytes: sum([
            ...storage.volumes.values(),
            ...storage.containers.values(),
            storage.files,
          ]),
          inodes: volumes.inodes + sum(inodes),
          processes: await readProcesses(cgroupOf(pod, this.#settings.cgroupRoot)),
        };
      }),
    );
  }

  async #storageOf(pod: V1Pod, stats: readonly ContainerStats[]): Promise<StorageUse> {
    const { stateRoot, logRoot } = this.#settings;
    const volumes = new Map<string, number>();
    for (const volume of pod.spec?.volumes ?? [])
      if (volume.emptyDir) {
        const { bytes } = await folderUse(volumePath(foldersOf(stateRoot, uidOf(pod)), volume));
        volumes.set(volume.name, bytes);
      }
    const containers = new Map<string, number>();
    for (const { name } of allContainers(pod)) {
      const layer = stats.find(
        (one) => isOf(one, pod) && one.attributes.labels[LABEL_CONTAINER_NAME] === name,
      );
      const logs = await folderUse(`${logFolderOf(pod, logRoot)}/${name}`);
      containers.set(name, (layer?.writableLayer?.usedBytes?.value ?? 0) + logs.bytes);
    }
    const { pod: folder } = foldersOf(stateRoot, uidOf(pod));
    const lastWords = await folderUse(`${folder}/containers`);
    const files = lastWords.bytes + (await fileUse(`${folder}/etc-hosts`));
    return { volumes, containers, files };
  }

  #stats(): Promise<readonly ContainerStats[]> {
    const { nodeName } = this.#settings;
    return this.#cri.listContainerStats({ labelSelector: { [LABEL_NODE]: nodeName } });
  }
}

/** Blocks of one file; 0 where it is not. */
async function fileUse(path: string): Promise<number> {
  const stat = await fs.lstat(path).catch(() => undefined);
  return (stat?.blocks ?? 0) * 512;
}

/** Processes and threads of a cgroup and those below; 0 where nobody counts. */
async function readProcesses(cgroup: string): Promise<number> {
  for (const root of ["/sys/fs/cgroup", "/sys/fs/cgroup/pids"]) {
    const text = await fs.readFile(`${root}${cgroup}/pids.current`, "utf8").catch(() => undefined);
    if (text !== undefined) return Number(text);
  }
  return 0;
}

function isOf({ attributes }: ContainerStats, pod: V1Pod): boolean {
  return attributes.labels[LABEL_POD_UID] === uidOf(pod);
}

function uidOf({ metadata }: V1Pod): string {
  return metadata?.uid ?? "";
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
