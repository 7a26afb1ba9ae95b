import * as fs from "node:fs/promises";
import type { V1Container, V1Pod, V1Volume, V1VolumeMount } from "../../gen/types.ts";
import {
  PROPAGATION_BIDIRECTIONAL,
  PROPAGATION_HOST_TO_CONTAINER,
  PROPAGATION_PRIVATE,
  type Mount,
} from "../../wire/cri/cri-client.ts";
import { wholeOf } from "../runtime/amount.ts";
import { expand } from "../env/expand.ts";
import { allContainers } from "../runtime/pod-spec.ts";
import { hasPayload, payloadOf, type PayloadSource } from "../volumes/payload.ts";
import { isExternal, type VolumeSpec } from "../volumes/claimed-volume.ts";
import { foldersOf, volumePath, type PodFolders } from "../volumes/volume-paths.ts";
import { writeAtomically, type Ownership } from "./atomic-folder.ts";
import { prepareHostPath } from "./host-path.ts";
import { mountsBelow } from "./mount-table.ts";
import { removeOwnVolume } from "./own-volumes.ts";
import {
  attachedIn,
  PersistentMounts,
  removeMountPoints,
  type MountedVolume,
} from "./persistent-mounts.ts";
import { runCommand } from "./run-command.ts";
import { bindSubPath } from "./sub-path.ts";
import { VolumeError } from "./volume-error.ts";

const PROPAGATIONS: Readonly<Record<string, number>> = {
  None: PROPAGATION_PRIVATE,
  HostToContainer: PROPAGATION_HOST_TO_CONTAINER,
  Bidirectional: PROPAGATION_BIDIRECTIONAL,
};

const NONE: ReadonlyMap<string, MountedVolume> = new Map();

/**
 * Makes, refreshes and removes the volumes of Pods on this node.
 *
 * What comes from Secrets lies in one tmpfs of the whole node, mounted once: a mount per Pod would cost 5 ms each.
 */
export class VolumeMounter {
  readonly #stateRoot: string;
  readonly #ownVolumes: string;
  readonly #persistent: PersistentMounts;
  /** By the uid of a Pod and the name of a volume that is not made in the Pod's own folders: where it is. */
  readonly #mounted = new Map<string, ReadonlyMap<string, MountedVolume>>();
  #version = 0;

  /** `ownVolumes`: the folder of the cluster's own volumes. */
  constructor(stateRoot: string, ownVolumes: string) {
    this.#stateRoot = stateRoot;
    this.#ownVolumes = ownVolumes;
    this.#persistent = new PersistentMounts(ownVolumes);
  }

  /** Once per start, before any Pod. Keeps what an earlier process of this node mounted. */
  async start(): Promise<void> {
    const memory = `${this.#stateRoot}/memory`;
    await fs.mkdir(memory, { recursive: true, mode: 0o711 });
    await fs.mkdir(`${this.#stateRoot}/pods`, { recursive: true, mode: 0o711 });
    if (!(await mountsBelow(memory)).includes(memory))
      await runCommand("mount", ["-t", "tmpfs", "-o", "mode=0711", "tmpfs", memory]);
  }

  folders(pod: V1Pod): PodFolders {
    return foldersOf(this.#stateRoot, pod.metadata?.uid ?? "");
  }

  /**
   * Makes all volumes of the Pod's own folders, and mounts `specs`; those that exist are brought up to date.
   *
   * Ends, well or not, when all of them have: whoever tries again or tears down meets nobody who still mounts.
   *
   * @throws {VolumeError}
   */
  async prepare(
    pod: V1Pod,
    source: PayloadSource,
    now: number,
    specs: readonly VolumeSpec[],
  ): Promise<void> {
    const folders = this.folders(pod);
    await fs.mkdir(folders.pod, { recursive: true, mode: 0o750 });
    const volumes = (pod.spec?.volumes ?? []).filter((volume) => !isExternal(volume));
    const made = await Promise.allSettled([
      ...volumes.map((volume) =>
        this.#prepareOne(pod, folders, volume, source, now).catch((error: Error) => {
          const name = JSON.stringify(volume.name);
          throw new VolumeError(`MountVolume.SetUp failed for volume ${name} : ${error.message}`);
        }),
      ),
      ...[...new Set(specs.map(({ name }) => name))].map((name) =>
        this.#mount(
          specs.filter((spec) => spec.name === name),
          pod,
          folders,
        ),
      ),
    ]);
    const failed = made.find((one) => one.status === "rejected");
    if (failed) throw failed.reason as Error;
  }

  /** `specs`: of one volume, which a Pod may name more than once. It is mounted once. */
  async #mount(specs: readonly VolumeSpec[], pod: V1Pod, folders: PodFolders): Promise<void> {
    const uid = pod.metadata?.uid ?? "";
    for (const spec of specs) {
      const mounted = await this.#persistent.mount(spec, pod, folders);
      this.#mounted.set(uid, new Map(this.#mounted.get(uid)).set(spec.volume, mounted));
    }
  }

  async #prepareOne(
    pod: V1Pod,
    folders: PodFolders,
    volume: V1Volume,
    source: PayloadSource,
    now: number,
  ): Promise<void> {
    const path = volumePath(folders, volume);
    if (volume.hostPath) return prepareHostPath(volume.hostPath);
    if (volume.emptyDir) return this.#emptyDir(pod, path, volume.emptyDir);
    const version = `${now}_${this.#version++}`;
    writeAtomically(path, payloadOf(volume, source), ownershipOf(pod), version);
  }

  async #emptyDir(
    pod: V1Pod,
    path: string,
    { medium, sizeLimit }: NonNullable<V1Volume["emptyDir"]>,
  ): Promise<void> {
    const made = await fs.mkdir(path, { recursive: true, mode: 0o777 });
    if (medium === "Memory" && !(await mountsBelow(path)).includes(path)) {
      const options = sizeLimit ? ["-o", `size=${wholeOf(sizeLimit)}`] : [];
      await runCommand("mount", ["-t", "tmpfs", ...options, "tmpfs", path]);
    } else if (made === undefined) return;
    const group = pod.spec?.securityContext?.fsGroup;
    if (group !== undefined) await fs.chown(path, 0, group);
    await fs.chmod(path, group === undefined ? 0o777 : 0o2777);
  }

  /** The runtime's mounts of one container. @throws {VolumeError} a subPath leads out of its volume. */
  async mountsOf(
    pod: V1Pod,
    container: V1Container,
    environment: ReadonlyMap<string, string>,
  ): Promise<readonly Mount[]> {
    const folders = this.folders(pod);
    const mounts: Mount[] = [];
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      const volume = pod.spec?.volumes?.find(({ name }) => name === mount.name);
      if (!volume) throw new VolumeError(`cannot find volume ${JSON.stringify(mount.name)}`);
      if (mount.recursiveReadOnly === "Enabled")
        throw new VolumeError(
          `failed to resolve recursive read-only mode: volume ${JSON.stringify(mount.name)} asks for a ` +
            "recursive read-only mount, which the container runtime does not support",
        );
      const mounted = this.#mounted.get(pod.metadata?.uid ?? "")?.get(volume.name);
      if (!mounted && isExternal(volume))
        throw new VolumeError(`cannot find volume ${JSON.stringify(mount.name)}`);
      const path = mounted?.path ?? volumePath(folders, volume);
      const hostPath = await this.#subPath(folders, path, container, mount, index, environment);
      mounts.push({
        containerPath: absolute(mount.mountPath),
        hostPath,
        // Files of the API cannot be written, whatever the mount says: a container could lead the kubelet where it likes.
        // @spec volume GetAttributes of these types; CVE-2017-1002102
        readonly: mount.readOnly || hasPayload(volume) || (mounted?.isReadOnly ?? false),
        propagation: PROPAGATIONS[mount.mountPropagation ?? "None"] ?? PROPAGATION_PRIVATE,
      });
    }
    return mounts;
  }

  async #subPath(
    folders: PodFolders,
    volume: string,
    container: V1Container,
    mount: V1VolumeMount,
    index: number,
    environment: ReadonlyMap<string, string>,
  ): Promise<string> {
    const path = mount.subPathExpr
      ? expand(mount.subPathExpr, (name) => environment.get(name))
      : mount.subPath;
    if (!path) return volume;
    const target = `${folders.pod}/volume-subpaths/${mount.name}/${container.name}/${index}`;
    await unmountAll(target);
    await bindSubPath(volume, path, target).catch((error: Error) => {
      throw new VolumeError(
        `failed to prepare subPath for volumeMount ${JSON.stringify(mount.name)} of container ` +
          `${JSON.stringify(container.name)}: ${error.message}`,
      );
    });
    return target;
  }

  /** What is mounted for a Pod and not made in its own folders, by its own names for it. */
  mounted(uid: string): ReadonlyMap<string, MountedVolume> {
    return this.#mounted.get(uid) ?? NONE;
  }

  /** Removes everything of a Pod from the node's disk and memory. */
  async tearDown(uid: string): Promise<void> {
    const folders = foldersOf(this.#stateRoot, uid);
    await unmountAll(folders.pod);
    const left = await mountsBelow(folders.pod);
    if (left.length > 0) throw new Error(`${left.join(", ")}: still mounted`);
    await removeMountPoints(folders);
    this.#mounted.delete(uid);
    await fs.rm(folders.memory, { recursive: true, force: true });
    await fs.rm(folders.pod, { recursive: true, force: true });
  }

  /** Names of attachable volumes that an earlier process of this node mounted for that Pod. */
  attached(uid: string): Promise<readonly string[]> {
    return attachedIn(foldersOf(this.#stateRoot, uid));
  }

  /** Removes one of the cluster's own volumes with all that it holds. */
  removeOwn(handle: string): Promise<void> {
    return removeOwnVolume(this.#ownVolumes, handle);
  }

  /** Uids of Pods that have folders here. */
  async known(): Promise<readonly string[]> {
    return fs.readdir(`${this.#stateRoot}/pods`);
  }
}

/** Unmounts `path` and everything below it, the innermost first. */
async function unmountAll(path: string): Promise<void> {
  for (const mounted of (await mountsBelow(path)).reverse()) await runCommand("umount", [mounted]);
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

/** Whose files the volumes are: the fsGroup's, and the user's where all containers have the same. */
function ownershipOf(pod: V1Pod): Ownership {
  const shared = pod.spec?.securityContext;
  const users = new Set(
    allContainers(pod).map(
      ({ securityContext }) => securityContext?.runAsUser ?? shared?.runAsUser,
    ),
  );
  const [user] = users;
  return {
    ...(shared?.fsGroup === undefined ? {} : { group: shared.fsGroup }),
    ...(users.size === 1 && user !== undefined ? { user } : {}),
  };
}
