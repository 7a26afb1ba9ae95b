import { badRequest } from "../../api/machinery/status-errors.ts";
import type { V1Pod } from "../../gen/types.ts";

/** Names the container that is meant when none is. @spec kubectl.kubernetes.io well-known annotations */
const DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container";

/**
 * The container that a request means: the one it names, the only one, or the one that the pod's annotation names.
 *
 * @throws {StatusError} BadRequest: no such container, or none is named and there are several.
 * @spec k8s@1.36 pkg/registry/core/pod/strategy.go validateContainer
 */
export function chooseContainer(pod: V1Pod, asked: string): string {
  const name = pod.metadata?.name ?? "";
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const names = [...initContainers, ...containers, ...ephemeralContainers].map((one) => one.name);
  if (asked !== "") {
    if (names.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  const [only] = containers;
  if (!only) throw badRequest(`a container name must be specified for pod ${name}`);
  if (containers.length === 1) return only.name;
  const annotated = pod.metadata?.annotations?.[DEFAULT_CONTAINER];
  if (annotated !== undefined && names.includes(annotated)) return annotated;
  const list = names.join(" ");
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${list}]`);
}
