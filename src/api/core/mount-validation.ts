import { firstBy } from "../../base/first-by.ts";
import type { V1Container, V1Volume, V1VolumeDevice, V1VolumeMount } from "../../gen/types.ts";
import { forbidden, invalid, notFound, required } from "../machinery/field-error.ts";
import { each, oneOf, requiredText, when, type Errors } from "../strategy/checks.ts";
import { descendingPath } from "./volume-validation.ts";

/** By name, the first of each. */
type Volumes = ReadonlyMap<string, V1Volume>;

/** What a container's devices are called and where they are. */
interface Devices {
  readonly names: ReadonlySet<string>;
  readonly paths: ReadonlySet<string>;
}

/** Mounts and devices of a container. @spec k8s@1.36 pkg/apis/core/validation ValidateVolumeMounts, ValidateVolumeDevices */
export function validateMounts(
  container: V1Container,
  volumeList: readonly V1Volume[],
  field: string,
): Errors {
  const volumes = firstBy(volumeList, ({ name }) => name);
  const seen = new Set<string>();
  const list = container.volumeDevices ?? [];
  const devices: Devices = {
    names: new Set(list.map(({ name }) => name)),
    paths: new Set(list.map(({ devicePath }) => devicePath)),
  };
  return [
    ...each(container.volumeMounts, `${field}.volumeMounts`, (mount, path) => {
      const isKnown = seen.has(mount.mountPath);
      seen.add(mount.mountPath);
      return [
        ...validateMount(mount, volumes, path),
        ...when(isKnown, invalid(`${path}.mountPath`, mount.mountPath, "must be unique")),
        ...validateOverlap(mount, devices, path),
        ...validatePaths(mount, path, `${field}.volumeMounts`),
        ...validatePropagation(mount, container, `${field}.volumeMounts`),
        ...validateRecursive(mount, path),
      ];
    }),
    ...validateDevices(container, volumes, `${field}.volumeDevices`),
  ];
}

function validateMount({ name, mountPath }: V1VolumeMount, volumes: Volumes, path: string): Errors {
  return [
    ...requiredText(`${path}.name`, name),
    ...when(!volumes.has(name), notFound(`${path}.name`, name ?? "")),
    ...requiredText(`${path}.mountPath`, mountPath),
  ];
}

function validateOverlap(mount: V1VolumeMount, devices: Devices, path: string): Errors {
  return [
    ...when(
      devices.names.has(mount.name),
      invalid(`${path}.name`, mount.name, "must not already exist in volumeDevices"),
    ),
    ...when(
      devices.paths.has(mount.mountPath),
      invalid(
        `${path}.mountPath`,
        mount.mountPath,
        "must not already exist as a path in volumeDevices",
      ),
    ),
  ];
}

/** Upstream names the list and not the mount in errors of sub-paths. */
function validatePaths(
  { subPath, subPathExpr }: V1VolumeMount,
  path: string,
  list: string,
): Errors {
  return [
    ...(subPath ? descendingPath(`${list}.subPath`, subPath) : []),
    ...when(
      !!subPath && !!subPathExpr,
      invalid(`${path}.subPathExpr`, subPathExpr, "subPathExpr and subPath are mutually exclusive"),
    ),
    ...(subPathExpr ? descendingPath(`${list}.subPathExpr`, subPathExpr) : []),
  ];
}

function validatePropagation(
  { mountPropagation }: V1VolumeMount,
  { securityContext }: V1Container,
  list: string,
): Errors {
  return [
    ...oneOf(`${list}.mountPropagation`, mountPropagation, [
      "Bidirectional",
      "HostToContainer",
      "None",
    ]),
    ...when(
      mountPropagation === "Bidirectional" && securityContext?.privileged !== true,
      forbidden(
        `${list}.mountPropagation`,
        "Bidirectional mount propagation is available only to privileged containers",
      ),
    ),
  ];
}

function validateRecursive(mount: V1VolumeMount, path: string): Errors {
  const field = `${path}.recursiveReadOnly`;
  const mode = mount.recursiveReadOnly;
  if (mode === undefined || mode === "Disabled") return [];
  const propagation = mount.mountPropagation ?? "None";
  return [
    ...oneOf(field, mode, ["Disabled", "Enabled", "IfPossible"]),
    ...when(
      mount.readOnly !== true,
      forbidden(field, "may only be specified when readOnly is true"),
    ),
    ...when(
      propagation !== "None",
      forbidden(field, "may only be specified when mountPropagation is None or not specified"),
    ),
  ];
}

function validateDevices(container: V1Container, volumes: Volumes, field: string): Errors {
  const names = new Set<string>();
  const paths = new Set<string>();
  const mounted = new Set((container.volumeMounts ?? []).map(({ name }) => name));
  return each(container.volumeDevices, field, (device, path) => {
    const errors = [
      ...validateDevice(device, volumes, path),
      ...when(names.has(device.name), invalid(`${path}.name`, device.name, "must be unique")),
      ...when(
        paths.has(device.devicePath),
        invalid(`${path}.devicePath`, device.devicePath, "must be unique"),
      ),
      ...when(
        mounted.has(device.name),
        invalid(`${path}.name`, device.name, "must not already exist in volumeMounts"),
      ),
    ];
    names.add(device.name);
    paths.add(device.devicePath);
    return errors;
  });
}

function validateDevice(
  { name, devicePath }: V1VolumeDevice,
  volumes: Volumes,
  path: string,
): Errors {
  const volume = volumes.get(name);
  const isBlock = volume?.persistentVolumeClaim !== undefined || volume?.ephemeral !== undefined;
  const rule =
    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
  return [
    ...requiredText(`${path}.name`, name),
    ...when(volume !== undefined && !isBlock, invalid(`${path}.name`, name, rule)),
    ...when(volume === undefined, notFound(`${path}.name`, name ?? "")),
    ...(devicePath
      ? when(
          devicePath.split("/").includes(".."),
          invalid(`${path}.devicePath`, devicePath, "can not contain backsteps ('..')"),
        )
      : [required(`${path}.devicePath`)]),
  ];
}
