import type { V1Container, V1EphemeralContainer, V1Pod } from "../../gen/types.ts";
import type { ContainerConfig, Image, Mount } from "../../wire/cri/cri-client.ts";
import { expandAll } from "../env/environment.ts";
import {
  ANNOTATION_GRACE,
  ANNOTATION_HASH,
  ANNOTATION_MESSAGE_PATH,
  ANNOTATION_MESSAGE_POLICY,
  ANNOTATION_RESOURCES,
  ANNOTATION_RESTART_COUNT,
  LABEL_CONTAINER_NAME,
} from "./labels.ts";
import { containerHash, graceSecondsOf } from "./pod-spec.ts";
import { resourcesOf } from "./resources.ts";
import { podLabels, type PodSettings } from "./sandbox-config.ts";
import { securityOf } from "./security.ts";

/** Where a container leaves its last words, unless it says otherwise. @spec core/v1 TerminationMessagePathDefault */
export const MESSAGE_PATH_DEFAULT = "/dev/termination-log";

/** What a container's configuration is made of besides the Pod. */
export interface ContainerParts {
  readonly restartCount: number;
  readonly environment: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
  readonly image: Image;
  /** For an ephemeral container: whose processes it sees. */
  readonly targetId?: string;
}

/** A container's log, relative to its Pod's log folder. */
export function logPathOf(name: string, restartCount: number): string {
  return `${name}/${restartCount}.log`;
}

/**
 * What the runtime is told about one container.
 *
 * @throws {ConfigError} the security context contradicts the image.
 * @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_container.go generateContainerConfig
 */
export function containerConfig(
  pod: V1Pod,
  container: V1Container,
  parts: ContainerParts,
  settings: PodSettings,
): ContainerConfig {
  const { restartCount, environment, mounts, image, targetId } = parts;
  return {
    metadata: { name: container.name, attempt: restartCount },
    image: { image: image.id },
    command: expandAll(container.command, environment),
    args: expandAll(container.args, environment),
    workingDir: container.workingDir ?? "",
    envs: [...environment].map(([key, value]) => ({ key, value })),
    mounts,
    devices: [],
    labels: { ...podLabels(pod, settings.nodeName), [LABEL_CONTAINER_NAME]: container.name },
    annotations: annotationsOf(pod, container, restartCount),
    logPath: logPathOf(container.name, restartCount),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: {
      resources: resourcesOf(pod, container, settings.memoryBytes),
      securityContext: securityOf(pod, container, image, settings.stateRoot, targetId),
    },
  };
}

function annotationsOf(
  pod: V1Pod,
  container: V1Container,
  restartCount: number,
): Readonly<Record<string, string>> {
  return {
    [ANNOTATION_HASH]: containerHash(container),
    [ANNOTATION_RESTART_COUNT]: String(restartCount),
    [ANNOTATION_MESSAGE_PATH]: container.terminationMessagePath ?? MESSAGE_PATH_DEFAULT,
    [ANNOTATION_MESSAGE_POLICY]: container.terminationMessagePolicy ?? "File",
    [ANNOTATION_GRACE]: String(graceSecondsOf(pod)),
    [ANNOTATION_RESOURCES]: JSON.stringify(container.resources ?? {}),
  };
}

/** The name of the container that an ephemeral one looks into. */
export function targetNameOf(container: V1Container): string | undefined {
  const { targetContainerName } = container as V1EphemeralContainer;
  return targetContainerName === "" ? undefined : targetContainerName;
}
