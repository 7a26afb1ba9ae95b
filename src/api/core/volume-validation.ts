import type {
  V1DownwardAPIVolumeFile,
  V1KeyToPath,
  V1ProjectedVolumeSource,
  V1Volume,
  V1VolumeProjection,
} from "../../gen/types.ts";
import { duplicate, errorsOfEach, forbidden, invalid, required } from "../machinery/field-error.ts";
import { validateDnsLabel, validateDnsSubdomain } from "../machinery/names.ts";
import {
  each,
  fieldsSet,
  inRange,
  invalids,
  maybe,
  oneOf,
  requiredText,
  when,
  type Errors,
} from "../strategy/checks.ts";
import { parseQuantity, quantityProblem } from "../machinery/quantity.ts";
import { validateFieldRef, validateResourceFieldRef } from "./env-validation.ts";
import { PLAIN_SOURCE_RULES } from "./volume-source-rules.ts";

type Sources = Omit<V1Volume, "name">;
type Rules = {
  readonly [K in keyof Sources]?: (source: NonNullable<Sources[K]>, field: string) => Errors;
};

const MORE_THAN_ONE = "may not specify more than 1 volume type";
const MODE_RANGE = "must be a number between 0 and 0777 (octal), both inclusive";
const MODE_MAX = 0o777;

/** A projected token is valid for at least ten minutes: less, and the kubelet could not renew it in time. */
const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;

const HOST_PATH_TYPES = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];
const VOLUME_FIELD_PATHS = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];

/** Sources whose rules are more than "these fields must be there". */
const SOURCE_RULES: Rules = {
  emptyDir: ({ sizeLimit }, field) =>
    maybe(sizeLimit, (limit) => {
      return when(
        quantityProblem(limit) !== undefined || parseQuantity(limit).nanos < 0n,
        forbidden(`${field}.sizeLimit`, "SizeLimit field must be a valid resource quantity"),
      );
    }),
  hostPath: ({ path, type }, field) =>
    path
      ? [...noBacksteps(`${field}.path`, path), ...oneOf(`${field}.type`, type, HOST_PATH_TYPES)]
      : [required(`${field}.path`)],
  secret: ({ secretName, defaultMode, items }, field) => [
    ...requiredText(`${field}.secretName`, secretName),
    ...fileMode(`${field}.defaultMode`, defaultMode),
    ...each(items, `${field}.items`, validateKeyToPath),
  ],
  configMap: ({ name, defaultMode, items }, field) => [
    ...requiredText(`${field}.name`, name),
    ...fileMode(`${field}.defaultMode`, defaultMode),
    ...each(items, `${field}.items`, validateKeyToPath),
  ],
  downwardAPI: ({ defaultMode, items }, field) => [
    ...fileMode(`${field}.defaultMode`, defaultMode),
    ...errorsOfEach(items ?? [], (file) => validateFile(file, field)),
  ],
  projected: validateProjected,
  nfs: ({ server, path }, field) => [
    ...requiredText(`${field}.server`, server),
    ...requiredText(`${field}.path`, path),
    ...when(
      !(path ?? "").startsWith("/"),
      invalid(`${field}.path`, path ?? "", "must be an absolute path"),
    ),
  ],
  gitRepo: ({ repository, directory }, field) => [
    ...requiredText(`${field}.repository`, repository),
    ...maybe(directory, (text) => descendingPath(`${field}.directory`, text)),
  ],
  csi: ({ driver, nodePublishSecretRef }, field) => [
    ...requiredText(`${field}.driver`, driver),
    ...invalids(
      `${field}.driver`,
      driver,
      driver ? validateDnsSubdomain(driver.toLowerCase()) : [],
    ),
    ...maybe(nodePublishSecretRef, ({ name }) =>
      requiredText(`${field}.nodePublishSecretRef.name`, name),
    ),
  ],
  image: ({ reference, pullPolicy }, field) => [
    ...requiredText(`${field}.reference`, reference),
    ...oneOf(`${field}.pullPolicy`, pullPolicy, ["Always", "IfNotPresent", "Never"]),
  ],
};

/** All volumes of a pod. @spec k8s@1.36 pkg/apis/core/validation ValidateVolumes */
export function validateVolumes(
  volumes: readonly V1Volume[] | undefined,
  podName: string | undefined,
  field: string,
): Errors {
  const seen = new Set<string>();
  return each(volumes, field, (volume, path) => {
    const errors = [
      ...validateSource(volume, podName, path),
      ...(volume.name
        ? invalids(`${path}.name`, volume.name, validateDnsLabel(volume.name))
        : [required(`${path}.name`)]),
      ...when(seen.has(volume.name), duplicate(`${path}.name`, volume.name)),
    ];
    if (errors.length === 0) seen.add(volume.name);
    return errors;
  });
}

function validateSource(volume: V1Volume, podName: string | undefined, path: string): Errors {
  const { name, ...sources } = volume;
  const [first, ...more] = fieldsSet(sources) as (keyof Sources)[];
  if (first === undefined) return [required(path, "must specify a volume type")];
  const rule = (SOURCE_RULES[first] ?? PLAIN_SOURCE_RULES[first]) as
    ((source: unknown, field: string) => Errors) | undefined;
  const claim = podName && name && volume.ephemeral ? `${podName}-${name}` : "";
  return [
    ...(rule?.(sources[first], `${path}.${first}`) ?? []),
    ...invalids(
      `${path}.ephemeral.name`,
      name,
      claim ? validateDnsSubdomain(claim).map((text) => `PVC name "${claim}": ${text}`) : [],
    ),
    ...more.map((source) => forbidden(`${path}.${source}`, MORE_THAN_ONE)),
  ];
}

function validateProjected(source: V1ProjectedVolumeSource, field: string): Errors {
  const seen = new Set<string>();
  const conflicts = (path: string | undefined, value: string): Errors => {
    if (!path) return [];
    if (seen.has(path)) return [invalid(field, value, "conflicting duplicate paths")];
    seen.add(path);
    return [];
  };
  return [
    ...fileMode(`${field}.defaultMode`, source.defaultMode),
    ...each(source.sources, `${field}.sources`, (projection, path) => [
      ...validateProjection(projection, path, field),
      ...errorsOfEach(pathsOf(projection), ([file, named]) => conflicts(file, named)),
      ...when(fieldsSet(projection).length > 1, forbidden(path, MORE_THAN_ONE)),
    ]),
  ];
}

/** Files that a projection makes, with the value that upstream's message shows for each. */
function pathsOf(projection: V1VolumeProjection): [string, string][] {
  const { secret, configMap, downwardAPI } = projection;
  return [
    ...(secret?.items ?? []).map(({ path }): [string, string] => [path, secret?.name ?? ""]),
    ...(configMap?.items ?? []).map(({ path }): [string, string] => [path, configMap?.name ?? ""]),
    ...(downwardAPI?.items ?? []).map(({ path }): [string, string] => [path, path]),
  ];
}

function validateProjection(projection: V1VolumeProjection, path: string, field: string): Errors {
  const { secret, configMap, downwardAPI, serviceAccountToken: token } = projection;
  return [
    ...maybe(secret, ({ name, items }) => [
      ...requiredText(`${path}.secret.name`, name),
      ...each(items, `${path}.secret.items`, validateKeyToPath),
    ]),
    ...maybe(configMap, ({ name, items }) => [
      ...requiredText(`${path}.configMap.name`, name),
      ...each(items, `${path}.configMap.items`, validateKeyToPath),
    ]),
    ...maybe(downwardAPI, ({ items }) =>
      errorsOfEach(items ?? [], (file) => validateFile(file, `${path}.downwardAPI`)),
    ),
    ...maybe(token, ({ expirationSeconds, path: file }) => [
      ...tokenLifetime(`${path}.serviceAccountToken.expirationSeconds`, expirationSeconds ?? 0),
      ...requiredText(`${field}.path`, file),
    ]),
  ];
}

function tokenLifetime(field: string, seconds: number): Errors {
  if (seconds < TOKEN_SECONDS_MIN)
    return [invalid(field, seconds, "may not specify a duration less than 10 minutes")];
  return when(
    seconds > TOKEN_SECONDS_MAX,
    invalid(field, seconds, "may not specify a duration larger than 2^32 seconds"),
  );
}

function validateKeyToPath({ key, path, mode }: V1KeyToPath, field: string): Errors {
  return [
    ...requiredText(`${field}.key`, key),
    ...requiredText(`${field}.path`, path),
    ...nonReservedPath(`${field}.path`, path ?? ""),
    ...fileMode(`${field}.mode`, mode),
  ];
}

function validateFile(file: V1DownwardAPIVolumeFile, field: string): Errors {
  const { path, fieldRef, resourceFieldRef } = file;
  const both = "fieldRef and resourceFieldRef can not be specified simultaneously";
  const reference = fieldRef
    ? [
        ...validateFieldRef(fieldRef, VOLUME_FIELD_PATHS, `${field}.fieldRef`),
        ...when(resourceFieldRef !== undefined, invalid(field, "resource", both)),
      ]
    : resourceFieldRef
      ? validateResourceFieldRef(resourceFieldRef, `${field}.resourceFieldRef`, true)
      : [required(field, "one of fieldRef and resourceFieldRef is required")];
  return [
    ...requiredText(`${field}.path`, path),
    ...nonReservedPath(`${field}.path`, path ?? ""),
    ...reference,
    ...fileMode(`${field}.mode`, file.mode),
  ];
}

function fileMode(field: string, mode: number | undefined): Errors {
  return inRange(field, mode, 0, MODE_MAX).map((error) => ({ ...error, detail: MODE_RANGE }));
}

/** No `..` between slashes. */
export function noBacksteps(field: string, path: string): Errors {
  return when(path.split("/").includes(".."), invalid(field, path, "must not contain '..'"));
}

/** Relative and without `..`: a path that stays below where it begins. */
export function descendingPath(field: string, path: string): Errors {
  return [
    ...when(path.startsWith("/"), invalid(field, path, "must be a relative path")),
    ...noBacksteps(field, path),
  ];
}

/** Names that begin with `..` belong to the kubelet, which switches volumes with them. */
function nonReservedPath(field: string, path: string): Errors {
  const isReserved = path.startsWith("..") && !path.split("/").includes("..");
  return [
    ...descendingPath(field, path),
    ...when(isReserved, invalid(field, path, "must not start with '..'")),
  ];
}
