import type { ComposeService, Stack } from "../../api/compose/stack.ts";
import type {
  ComposeV1alpha3ConfigObjConfig,
  ComposeV1alpha3SecretConfig,
  ComposeV1alpha3ServiceConfigObjConfig,
  ComposeV1alpha3ServiceSecretConfig,
  ComposeV1alpha3ServiceVolumeConfig,
  V1KeyToPath,
  V1PersistentVolumeClaim,
  V1Volume,
  V1VolumeMount,
} from "../../gen/types.ts";

/** What a claim asks for: a compose file says nothing of sizes. Doubling it makes small disks run out at half the volumes. */
const CLAIM_SIZE = "100Mi";

/** The key in a Secret or ConfigMap that is not part of the stack. @spec compose-on-kubernetes docs/mapping.md */
const EXTERNAL_KEY = "file";

/** One mount of a container; `volume` is absent where a claim of the StatefulSet has its name. */
interface Mount {
  readonly mount: V1VolumeMount;
  readonly volume?: V1Volume;
}

/** Whether the service has volumes that outlive its Pods. */
export function hasClaims({ volumes = [] }: ComposeService): boolean {
  return volumes.some(({ type }) => type === "volume");
}

/** One claim for each volume that the service names, or mounts without a name. */
export function claimsOf({ volumes = [] }: ComposeService): readonly V1PersistentVolumeClaim[] {
  const names = volumes.flatMap((volume, index) =>
    volume.type === "volume" ? [volumeName(volume, index)] : [],
  );
  return [...new Set(names)].map((name) => ({
    metadata: { name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: CLAIM_SIZE } } },
  }));
}

/** The volumes of a service's Pod and the mounts of its container. */
export function mountsOf(
  service: ComposeService,
  spec: Stack["spec"],
): { readonly volumes: readonly V1Volume[]; readonly volumeMounts: readonly V1VolumeMount[] } {
  const { volumes = [], tmpfs = [], secrets = [], configs = [] } = service;
  const mounts = [
    ...volumes.map(volumeMount),
    ...tmpfs.map((path, index) => inMemory(`tmp-${index}`, path)),
    ...secrets.map((secret, index) => secretMount(secret, index, spec?.secrets)),
    ...configs.map((config, index) => configMount(config, index, spec?.configs)),
  ];
  return {
    volumes: mounts.flatMap(({ volume }) => (volume ? [volume] : [])),
    volumeMounts: mounts.map(({ mount }) => mount),
  };
}

const volumeName = ({ source }: ComposeV1alpha3ServiceVolumeConfig, index: number): string =>
  source || `mount-${index}`;

function volumeMount(volume: ComposeV1alpha3ServiceVolumeConfig, index: number): Mount {
  const { type, source = "", target = "", read_only: isReadOnly } = volume;
  const readOnly = isReadOnly ? { readOnly: true } : {};
  if (type === "volume")
    return { mount: { name: volumeName(volume, index), mountPath: target, ...readOnly } };
  const name = `mount-${index}`;
  if (type === "tmpfs") return inMemory(name, target);
  return {
    mount: { name, mountPath: target, ...readOnly },
    volume: { name, hostPath: { path: source } },
  };
}

function inMemory(name: string, mountPath: string): Mount {
  return { mount: { name, mountPath }, volume: { name, emptyDir: { medium: "Memory" } } };
}

type Named = Readonly<Record<string, ComposeV1alpha3SecretConfig | ComposeV1alpha3ConfigObjConfig>>;

function secretMount(
  { source = "", target, mode }: ComposeV1alpha3ServiceSecretConfig,
  index: number,
  known: Named = {},
): Mount {
  const name = `secret-${index}`;
  const path = `/run/secrets/${target || source}`;
  const items = [item(known[source], name, mode)];
  return fileMount(name, target?.startsWith("/") ? target : path, {
    secret: { secretName: objectName(source, known[source]), items },
  });
}

function configMount(
  { source = "", target, mode }: ComposeV1alpha3ServiceConfigObjConfig,
  index: number,
  known: Named = {},
): Mount {
  const name = `config-${index}`;
  const items = [item(known[source], name, mode)];
  return fileMount(name, target || `/${source}`, {
    configMap: { name: objectName(source, known[source]), items },
  });
}

/** A single file: the folder around it is the image's. */
function fileMount(name: string, mountPath: string, source: Omit<V1Volume, "name">): Mount {
  return {
    mount: { name, mountPath, subPath: name, readOnly: true },
    volume: { name, ...source },
  };
}

/** The CLI keeps a file under its own name. */
function item(
  known: Named[string] | undefined,
  path: string,
  mode: number | undefined,
): V1KeyToPath {
  const key = known?.file ? known.file.slice(known.file.lastIndexOf("/") + 1) : EXTERNAL_KEY;
  return { key, path, ...(mode !== undefined && { mode }) };
}

function objectName(source: string, known: Named[string] | undefined): string {
  return (known?.external?.external && (known.external.name || known.name)) || source;
}
