import type {
  V1AppArmorProfile,
  V1PodSecurityContext,
  V1PodSpec,
  V1SeccompProfile,
  V1SecurityContext,
  V1Sysctl,
} from "../../gen/types.ts";
import { duplicate, forbidden, invalid, required } from "../machinery/field-error.ts";
import {
  INT32_MAX,
  each,
  inRange,
  maybe,
  oneOf,
  requiredOneOf,
  when,
  type Errors,
} from "../strategy/checks.ts";
import { descendingPath } from "./volume-validation.ts";

const PROFILE_TYPES = ["Localhost", "RuntimeDefault", "Unconfined"];
const SYSCTL_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const SYSCTL = `(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}`;
const SYSCTL_LENGTH_MAX = 253;

/** Security of a whole pod. @spec k8s@1.36 pkg/apis/core/validation ValidatePodSecurityContext */
export function validatePodSecurity(spec: V1PodSpec, path: string): Errors {
  const field = `${path}.securityContext`;
  return [
    ...maybe(spec.securityContext, (context) => validatePodContext(context, field)),
    ...when(
      spec.shareProcessNamespace === true && spec.hostPID === true,
      invalid(
        `${field}.shareProcessNamespace`,
        true,
        "ShareProcessNamespace and HostPID cannot both be enabled",
      ),
    ),
    ...validateHostUsers(spec, field),
    ...validateHostPorts(spec, path),
  ];
}

function validatePodContext(context: V1PodSecurityContext, field: string): Errors {
  return [
    ...identity(`${field}.fsGroup`, context.fsGroup),
    ...identity(`${field}.runAsUser`, context.runAsUser),
    ...identity(`${field}.runAsGroup`, context.runAsGroup),
    ...each(context.supplementalGroups, `${field}.supplementalGroups`, (group, item) =>
      identity(item, group),
    ),
    ...oneOf(`${field}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, [
      "Merge",
      "Strict",
    ]),
    ...validateSysctls(context.sysctls, `${field}.sysctls`),
    ...oneOf(`${field}.fsGroupChangePolicy`, context.fsGroupChangePolicy, [
      "Always",
      "OnRootMismatch",
    ]),
    ...maybe(context.seccompProfile, (profile) =>
      validateProfile(profile, "seccomp", `${field}.seccompProfile`),
    ),
    ...maybe(context.appArmorProfile, (profile) =>
      validateProfile(profile, "AppArmor", `${field}.appArmorProfile`),
    ),
  ];
}

/** Users of their own and namespaces of the host exclude each other. */
function validateHostUsers(spec: V1PodSpec, field: string): Errors {
  if (spec.hostUsers !== false) return [];
  return (["hostNetwork", "hostPID", "hostIPC"] as const).flatMap((part) =>
    when(spec[part] === true, forbidden(`${field}.${part}`, "when `hostUsers` is false")),
  );
}

function validateHostPorts(spec: V1PodSpec, path: string): Errors {
  if (spec.hostNetwork !== true) return [];
  return each(spec.containers, `${path}.containers`, ({ ports }, container) =>
    each(ports, `${container}.ports`, ({ containerPort, hostPort }, port) =>
      when(
        hostPort !== undefined && hostPort !== 0 && hostPort !== containerPort,
        invalid(
          `${port}.containerPort`,
          containerPort,
          "must match `hostPort` when `hostNetwork` is true",
        ),
      ),
    ),
  );
}

function validateSysctls(sysctls: readonly V1Sysctl[] | undefined, field: string): Errors {
  const seen = new Set<string>();
  const rule = `must have at most ${SYSCTL_LENGTH_MAX} characters and match regex ${SYSCTL}`;
  return each(sysctls, field, ({ name }, path) => {
    const isKnown = seen.has(name);
    seen.add(name);
    if (!name) return [required(`${path}.name`)];
    const isFine = name.length <= SYSCTL_LENGTH_MAX && new RegExp(`^${SYSCTL}$`).test(name);
    if (!isFine) return [invalid(`${path}.name`, name, rule)];
    return when(isKnown, duplicate(`${path}.name`, name));
  });
}

/** Security of one container. @spec ValidateSecurityContext */
export function validateSecurity(
  context: V1SecurityContext,
  hostUsers: boolean | undefined,
  field: string,
): Errors {
  const isClosed = context.allowPrivilegeEscalation === false;
  const adds = context.capabilities?.add ?? [];
  const cannot = "cannot set `allowPrivilegeEscalation` to false and";
  return [
    ...identity(`${field}.runAsUser`, context.runAsUser),
    ...identity(`${field}.runAsGroup`, context.runAsGroup),
    ...oneOf(`${field}.procMount`, context.procMount, ["Default", "Unmasked"]),
    ...when(
      context.procMount === "Unmasked" && hostUsers !== false,
      invalid(`${field}.procMount`, "Unmasked", "`hostUsers` must be false to use `Unmasked`"),
    ),
    ...maybe(context.seccompProfile, (profile) =>
      validateProfile(profile, "seccomp", `${field}.seccompProfile`),
    ),
    ...maybe(context.appArmorProfile, (profile) =>
      validateProfile(profile, "AppArmor", `${field}.appArmorProfile`),
    ),
    ...when(
      isClosed && context.privileged === true,
      invalid(field, context, `${cannot} \`privileged\` to true`),
    ),
    ...when(
      isClosed && adds.includes("CAP_SYS_ADMIN"),
      invalid(field, context, `${cannot} \`capabilities.Add\` CAP_SYS_ADMIN`),
    ),
  ];
}

function validateProfile(
  { type, localhostProfile }: V1SeccompProfile | V1AppArmorProfile,
  what: "seccomp" | "AppArmor",
  field: string,
): Errors {
  const path = `${field}.localhostProfile`;
  const typed = requiredOneOf(`${field}.type`, type, PROFILE_TYPES);
  if (type !== "Localhost")
    return [
      ...typed,
      ...when(
        localhostProfile !== undefined,
        invalid(path, localhostProfile, `can only be set when ${what} type is Localhost`),
      ),
    ];
  if (!localhostProfile)
    return [...typed, required(path, `must be set when ${what} type is Localhost`)];
  return [...typed, ...(what === "seccomp" ? descendingPath(path, localhostProfile) : [])];
}

/** A user or group number. */
function identity(field: string, id: number | undefined): Errors {
  return inRange(field, id, 0, INT32_MAX);
}
