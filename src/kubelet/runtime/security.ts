import type { V1Container, V1Pod, V1SeccompProfile } from "../../gen/types.ts";
import {
  NAMESPACE_TARGET,
  PROFILE_LOCALHOST,
  PROFILE_RUNTIME_DEFAULT,
  PROFILE_UNCONFINED,
  type ContainerSecurityContext,
  type Image,
  type SecurityProfile,
} from "../../wire/cri/cri-client.ts";
import { ConfigError } from "../env/environment.ts";
import { namespacesOf } from "./namespaces.ts";

/** Parts of /proc and /sys that containers do not see. @spec k8s@1.36 pkg/securitycontext/util.go */
const MASKED_PATHS = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];

const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** The Pod's extra groups, that of its volumes among them. @spec kuberuntime/security_context.go */
export function supplementalGroupsOf({ spec }: V1Pod): readonly number[] {
  const { fsGroup, supplementalGroups } = spec?.securityContext ?? {};
  return [...(fsGroup === undefined ? [] : [fsGroup]), ...(supplementalGroups ?? [])];
}

/**
 * A container's security context, the Pod's and the image's taken into account.
 *
 * @throws {ConfigError} it must not run as root and would, or nobody can tell.
 * @spec k8s@1.36 pkg/kubelet/kuberuntime/security_context.go determineEffectiveSecurityContext, verifyRunAsNonRoot
 */
export function securityOf(
  pod: V1Pod,
  container: V1Container,
  image: Pick<Image, "uid" | "username">,
  stateRoot: string,
  targetId?: string,
): ContainerSecurityContext {
  const own = container.securityContext;
  const shared = pod.spec?.securityContext;
  const runAsUser = own?.runAsUser ?? shared?.runAsUser;
  const runAsGroup = own?.runAsGroup ?? shared?.runAsGroup;
  if (own?.runAsNonRoot ?? shared?.runAsNonRoot) checkNonRoot(pod, container, runAsUser, image);
  const isUnmasked = own?.procMount === "Unmasked";
  const namespaces = namespacesOf(pod);
  return {
    privileged: own?.privileged ?? false,
    namespaceOptions:
      targetId === undefined ? namespaces : { ...namespaces, pid: NAMESPACE_TARGET, targetId },
    ...(own?.capabilities
      ? {
          capabilities: {
            addCapabilities: own.capabilities.add ?? [],
            dropCapabilities: own.capabilities.drop ?? [],
          },
        }
      : {}),
    ...(runAsUser === undefined ? imageUser(image) : { runAsUser: { value: runAsUser } }),
    ...(runAsGroup === undefined ? {} : { runAsGroup: { value: runAsGroup } }),
    readonlyRootfs: own?.readOnlyRootFilesystem ?? false,
    supplementalGroups: supplementalGroupsOf(pod),
    noNewPrivs: own?.allowPrivilegeEscalation === false,
    maskedPaths: isUnmasked ? [] : MASKED_PATHS,
    readonlyPaths: isUnmasked ? [] : READONLY_PATHS,
    seccomp: own?.privileged
      ? { profileType: PROFILE_UNCONFINED }
      : seccompOf(own?.seccompProfile ?? shared?.seccompProfile, stateRoot),
  };
}

/** The runtime needs a user wherever it gets a group; the image's own is passed on. */
function imageUser({
  uid,
  username,
}: Pick<Image, "uid" | "username">): Pick<ContainerSecurityContext, "runAsUser" | "runAsUsername"> {
  if (uid) return { runAsUser: uid };
  return username ? { runAsUsername: username } : { runAsUser: { value: 0 } };
}

function checkNonRoot(
  pod: V1Pod,
  container: V1Container,
  runAsUser: number | undefined,
  image: Pick<Image, "uid" | "username">,
): void {
  const { name, namespace, uid } = pod.metadata ?? {};
  const where = `(pod: ${JSON.stringify(`${name}_${namespace}(${uid})`)}, container: ${container.name})`;
  if (runAsUser === 0)
    throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`);
  if (runAsUser !== undefined) return;
  if (image.username)
    throw new ConfigError(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), ` +
        `cannot verify user is non-root ${where}`,
    );
  if (!image.uid || image.uid.value === 0)
    throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`);
}

function seccompOf(profile: V1SeccompProfile | undefined, stateRoot: string): SecurityProfile {
  if (profile?.type === "RuntimeDefault") return { profileType: PROFILE_RUNTIME_DEFAULT };
  if (profile?.type === "Localhost")
    return {
      profileType: PROFILE_LOCALHOST,
      localhostRef: `${stateRoot}/seccomp/${profile.localhostProfile}`,
    };
  return { profileType: PROFILE_UNCONFINED };
}
