import * as fs from "node:fs/promises";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import type { V1Pod } from "../../gen/types.ts";
import { OWN_DRIVER } from "../../api/storage/own-volumes.ts";
import { attachedNameOf, type VolumeSpec } from "../volumes/claimed-volume.ts";
import type { PodFolders } from "../volumes/volume-paths.ts";
import { prepareHostPath } from "./host-path.ts";
import { mountsBelow } from "./mount-table.ts";
import { makeOwnVolume } from "./own-volumes.ts";
import { runCommand } from "./run-command.ts";
import { VolumeError } from "./volume-error.ts";
import { giveToGroup } from "./volume-ownership.ts";

/** A volume that is there: where containers find it. */
export interface MountedVolume {
  readonly path: string;
  readonly isReadOnly: boolean;
  /** How to find what is used: by all its files, or by the disk that it is. Absent: nobody asks. */
  readonly measure?: "files" | "disk";
}

/** Says which volume is mounted in the folder beside it; read after a restart. @spec k8s@1.36 pkg/volume/csi volDataFileName */
const DATA_FILE = "vol_data.json";

/**
 * Mounts volumes that come from PersistentVolumes, and NFS volumes of Pods. Each call is repeatable: what is mounted stays.
 *
 * @spec k8s@1.36 pkg/volume/{csi,hostpath,local,nfs}
 */
export class PersistentMounts {
  /** Where the cluster's own volumes lie; the nodes of one machine share it. */
  readonly #ownVolumes: string;

  constructor(ownVolumes: string) {
    this.#ownVolumes = ownVolumes;
  }

  /** @throws {VolumeError} with upstream's event. */
  async mount(spec: VolumeSpec, pod: V1Pod, folders: PodFolders): Promise<MountedVolume> {
    const { name, isReadOnly } = spec;
    const { hostPath, local, nfs, csi } = spec.source;
    const failed = (what: string) => (error: Error) => {
      throw new VolumeError(`${what} for volume ${JSON.stringify(name)} : ${error.message}`);
    };
    const setUp = failed("MountVolume.SetUp failed");
    if (hostPath) {
      if (spec.mountOptions.length > 0)
        failed("MountVolume.MountOptionSupport check failed")(
          new Error("Mount options are not supported for this volume type"),
        );
      await prepareHostPath(hostPath).catch(setUp);
      return { path: hostPath.path, isReadOnly };
    }
    if (local) {
      await checkLocal(local.path).catch(failed("MountVolume.NewMounter initialization failed"));
      const target = pointOf(folders, "local-volume", name);
      await this.#bind(local.path, target, spec, pod).catch(setUp);
      return { path: target, isReadOnly, measure: "disk" };
    }
    if (nfs) {
      const target = pointOf(folders, "nfs", name);
      await mountNfs(nfs.server, nfs.path, target, spec).catch(setUp);
      return { path: target, isReadOnly, measure: "disk" };
    }
    if (!csi) throw new VolumeError(`volume ${JSON.stringify(name)} has no source`);
    refuseForeign(spec, csi.driver);
    const folder = pointOf(folders, "csi", name);
    const target = join(folder, "mount");
    await this.#mountOwn(csi.volumeHandle ?? "", folder, target, spec, pod).catch(setUp);
    return { path: target, isReadOnly, measure: "files" };
  }

  async #mountOwn(
    handle: string,
    folder: string,
    target: string,
    spec: VolumeSpec,
    pod: V1Pod,
  ): Promise<void> {
    const source = await makeOwnVolume(this.#ownVolumes, handle);
    await fs.mkdir(folder, { recursive: true, mode: 0o750 });
    const data = { driverName: OWN_DRIVER, volumeHandle: handle, specVolID: spec.name };
    const text = JSON.stringify({ ...data, attachedName: attachedNameOf(spec) });
    await fs.writeFile(join(folder, DATA_FILE), text, { mode: 0o600 });
    await this.#bind(source, target, spec, pod);
  }

  async #bind(source: string, target: string, spec: VolumeSpec, pod: V1Pod): Promise<void> {
    if ((await mountsBelow(target)).includes(target)) return;
    await fs.mkdir(target, { recursive: true, mode: 0o750 });
    const options = ["bind", ...(spec.isReadOnly ? ["ro"] : []), ...spec.mountOptions];
    const { fsGroup, fsGroupChangePolicy } = pod.spec?.securityContext ?? {};
    if (fsGroup !== undefined && !spec.isReadOnly)
      await giveToGroup(source, fsGroup, fsGroupChangePolicy);
    await runCommand("mount", ["-o", options.join(","), "--", source, target]);
  }
}

/** Names of attachable volumes that are mounted in the folders of a Pod. */
export async function attachedIn(folders: PodFolders): Promise<readonly string[]> {
  const all = `${folders.pod}/volumes/kubernetes.io~csi`;
  const names = await fs.readdir(all).catch(() => []);
  const texts = await Promise.all(
    names.map((name) => fs.readFile(join(all, name, DATA_FILE), "utf8").catch(() => "")),
  );
  return texts.flatMap((text) => {
    const name = attachedNameIn(text);
    return name === undefined ? [] : [name];
  });
}

/** A file that was cut short by a crash says nothing. */
function attachedNameIn(text: string): string | undefined {
  try {
    const { attachedName } = JSON.parse(text) as { readonly attachedName?: unknown };
    return typeof attachedName === "string" ? attachedName : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Removes the empty folders that volumes of a Pod were mounted in.
 *
 * @throws {Error} one is not empty: what is in it is not ours to remove.
 */
export async function removeMountPoints(folders: PodFolders): Promise<void> {
  for (const [kind, inner] of [["csi", "/mount"] as const, ["local-volume", ""], ["nfs", ""]]) {
    const all = `${folders.pod}/volumes/kubernetes.io~${kind}`;
    for (const name of await fs.readdir(all).catch(() => []))
      await fs.rmdir(`${all}/${name}${inner}`).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
  }
}

function pointOf({ pod }: PodFolders, kind: string, name: string): string {
  return `${pod}/volumes/kubernetes.io~${kind}/${name}`;
}

/** @spec k8s@1.36 pkg/volume/local getGlobalLocalPath; pkg/volume/util/hostutil GetFileType */
async function checkLocal(path: string): Promise<void> {
  const stat = await fs.stat(path).catch(() => undefined);
  if (!stat) throw new Error(`path ${JSON.stringify(path)} does not exist`);
  if (!stat.isDirectory()) throw new Error("only directory and block device are supported");
}

async function mountNfs(
  server: string,
  path: string,
  target: string,
  { isReadOnly, mountOptions }: VolumeSpec,
): Promise<void> {
  if (server.startsWith("-"))
    throw new Error(`server ${JSON.stringify(server)} must be a host name or an address`);
  if ((await mountsBelow(target)).includes(target)) return;
  await fs.mkdir(target, { recursive: true, mode: 0o750 });
  const options = [...(isReadOnly ? ["ro"] : []), ...mountOptions];
  const how = ["-t", "nfs", ...(options.length > 0 ? ["-o", options.join(",")] : [])];
  const what = [`${isIPv6(server) ? `[${server}]` : server}:${path}`, target];
  await runCommand("mount", [...how, "--", ...what]).catch((error: Error) => {
    throw new Error(
      `mount failed: Mounting command: mount\nMounting arguments: ${[...how, ...what].join(" ")}\nOutput: ${error.message}`,
    );
  });
}

/**
 * Volumes of other drivers are the business of plugins, of which no node has any.
 *
 * @spec k8s@1.36 pkg/volume/csi csi_client.go newCsiDriverClient, csi_attacher.go MountDevice, csi_mounter.go supportsVolumeLifecycleMode
 */
function refuseForeign({ name, isPersistent }: VolumeSpec, driver: string): void {
  const volume = JSON.stringify(name);
  const unknown = `driver name ${driver} not found in the list of registered CSI drivers`;
  if (driver !== OWN_DRIVER)
    throw new VolumeError(
      isPersistent
        ? `MountVolume.MountDevice failed for volume ${volume} : kubernetes.io/csi: ` +
            `attacher.MountDevice failed to create newCsiDriverClient: ${unknown}`
        : `MountVolume.SetUp failed for volume ${volume} : kubernetes.io/csi: ` +
            `mounter.SetUpAt failed to get CSI client: ${unknown}`,
    );
  if (!isPersistent)
    throw new VolumeError(
      `MountVolume.SetUp failed for volume ${volume} : kubernetes.io/csi: mounter.SetupAt failed to check volume lifecycle mode: ` +
        `volume mode "Ephemeral" not supported by driver ${driver} (only supports ["Persistent"])`,
    );
}
