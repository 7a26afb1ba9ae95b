import type {
  V1Container,
  V1EnvFromSource,
  V1EnvVar,
  V1EnvVarSource,
  V1ObjectFieldSelector,
  V1ResourceFieldSelector,
} from "../../gen/types.ts";
import { invalid, notSupported, required } from "../machinery/field-error.ts";
import {
  validateConfigMapKey,
  validateDnsSubdomain,
  validateRelaxedEnvName,
  validateQualifiedName,
} from "../machinery/names.ts";
import {
  each,
  fieldsSet,
  invalids,
  maybe,
  requiredName,
  requiredText,
  when,
  type Errors,
} from "../strategy/checks.ts";

const ENV_FIELD_PATHS = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];

/** What `fieldRef` may name at all, in volumes or in the environment. */
const POD_FIELD_PATHS = new Set([...ENV_FIELD_PATHS, "metadata.annotations", "metadata.labels"]);

const RESOURCES = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];
const HUGE_PAGES = /^(limits|requests)\.hugepages-/;

const CPU_DIVISORS = ["1m", "1"];
const BYTE_DIVISORS = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei".split(", ");

const ONE_OF =
  "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
const MORE_THAN_ONE = "may not have more than one field specified at a time";

/** Environment of a container. @spec k8s@1.36 pkg/apis/core/validation ValidateEnv, ValidateEnvFrom */
export function validateEnvironment({ env, envFrom }: V1Container, field: string): Errors {
  return [
    ...each(env, `${field}.env`, validateVariable),
    ...each(envFrom, `${field}.envFrom`, (source, path) =>
      validateEnvFrom(source, path, `${field}.envFrom`),
    ),
  ];
}

function validateVariable({ name, value, valueFrom }: V1EnvVar, field: string): Errors {
  return [
    ...requiredName(`${field}.name`, name, validateRelaxedEnvName),
    ...maybe(valueFrom, (source) => validateValueFrom(source, value, `${field}.valueFrom`)),
  ];
}

function validateValueFrom(
  source: V1EnvVarSource,
  value: string | undefined,
  field: string,
): Errors {
  const sources = fieldsSet(source).length;
  const count =
    sources === 0
      ? [invalid(field, "", ONE_OF)]
      : value
        ? [invalid(field, "", "may not be specified when `value` is not empty")]
        : when(sources > 1, invalid(field, "", MORE_THAN_ONE));
  return [
    ...maybe(source.fieldRef, (ref) => validateEnvFieldRef(ref, `${field}.fieldRef`)),
    ...maybe(source.resourceFieldRef, (ref) =>
      validateResourceFieldRef(ref, `${field}.resourceFieldRef`, false),
    ),
    ...maybe(source.configMapKeyRef, (ref) => validateKeyRef(ref, `${field}.configMapKeyRef`)),
    ...maybe(source.secretKeyRef, (ref) => validateKeyRef(ref, `${field}.secretKeyRef`)),
    ...maybe(source.fileKeyRef, (ref) => [
      ...requiredText(`${field}.fileKeyRef.key`, ref.key),
      ...requiredText(`${field}.fileKeyRef.volumeName`, ref.volumeName),
      ...requiredText(`${field}.fileKeyRef.path`, ref.path),
    ]),
    ...count,
  ];
}

function validateEnvFieldRef(ref: V1ObjectFieldSelector, field: string): Errors {
  return validateFieldRef(ref, ENV_FIELD_PATHS, field);
}

/** A reference to a field of the pod: `metadata.name`, `metadata.labels['app']`. */
export function validateFieldRef(
  { apiVersion, fieldPath }: V1ObjectFieldSelector,
  supported: readonly string[],
  field: string,
): Errors {
  if (!apiVersion) return [required(`${field}.apiVersion`)];
  if (!fieldPath) return [required(`${field}.fieldPath`)];
  const [, path = fieldPath, subscript] = /^(.*)\['(.*)'\]$/.exec(fieldPath) ?? [];
  const known = `${field}.fieldPath`;
  if (!POD_FIELD_PATHS.has(path)) {
    const reason = `error converting fieldPath: field label not supported: ${fieldPath}`;
    return [invalid(known, fieldPath, reason)];
  }
  if (subscript === undefined)
    return when(!supported.includes(path), notSupported(known, path, supported));
  if (path === "metadata.annotations")
    return invalids(field, subscript, validateQualifiedName(subscript.toLowerCase()));
  return path === "metadata.labels"
    ? invalids(field, subscript, validateQualifiedName(subscript))
    : [invalid(field, path, "does not support subscript")];
}

/** A reference to a request or limit of a container; in volumes it must say of which. */
export function validateResourceFieldRef(
  { containerName, resource, divisor }: V1ResourceFieldSelector,
  field: string,
  needsContainer: boolean,
): Errors {
  const isKnown = RESOURCES.includes(resource) || HUGE_PAGES.test(resource ?? "");
  const named =
    needsContainer && !containerName
      ? [required(`${field}.containerName`)]
      : !resource
        ? [required(`${field}.resource`)]
        : when(!isKnown, notSupported(`${field}.resource`, resource, RESOURCES));
  return [...named, ...validateDivisor(resource ?? "", divisor ?? "0", field)];
}

function validateDivisor(resource: string, divisor: string, field: string): Errors {
  if (divisor === "0" || divisor === "") return [];
  const wrong = (values: string, name: string): Errors => [
    invalid(
      `${field}.divisor`,
      resource,
      `only divisor's values ${values} are supported with the ${name} resource`,
    ),
  ];
  if (resource.endsWith(".cpu"))
    return CPU_DIVISORS.includes(divisor) ? [] : wrong("1m and 1", "cpu");
  if (BYTE_DIVISORS.includes(divisor)) return [];
  const values = BYTE_DIVISORS.join(", ");
  if (resource.endsWith(".memory")) return wrong(values, "memory");
  if (resource.endsWith(".ephemeral-storage")) return wrong(values, "local ephemeral storage");
  return HUGE_PAGES.test(resource) ? wrong(values, "hugepages") : [];
}

function validateKeyRef({ name, key }: { name?: string; key: string }, field: string): Errors {
  return [
    ...invalids(`${field}.name`, name ?? "", validateDnsSubdomain(name ?? "")),
    ...requiredName(`${field}.key`, key, validateConfigMapKey),
  ];
}

function validateEnvFrom(source: V1EnvFromSource, field: string, list: string): Errors {
  const { prefix, configMapRef, secretRef } = source;
  const count = fieldsSet({ configMapRef, secretRef }).length;
  return [
    ...(prefix ? invalids(`${field}.prefix`, prefix, validateRelaxedEnvName(prefix)) : []),
    ...maybe(configMapRef, ({ name }) =>
      requiredName(`${field}.configMapRef.name`, name, validateDnsSubdomain),
    ),
    ...maybe(secretRef, ({ name }) =>
      requiredName(`${field}.secretRef.name`, name, validateDnsSubdomain),
    ),
    ...when(count === 0, invalid(list, "", "must specify one of: `configMapRef` or `secretRef`")),
    ...when(count > 1, invalid(list, "", MORE_THAN_ONE)),
  ];
}
