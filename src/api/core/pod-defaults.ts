import type { V1Container, V1EphemeralContainer, V1Pod, V1PodSpec } from "../../gen/types.ts";
import { remembered } from "../../base/recent.ts";
import { fill, mapField, mapItems, withField } from "../strategy/strategy.ts";
import { withContainerDefaults } from "./container-defaults.ts";
import { withPodRequests } from "./pod-resources.ts";
import { SPECS_MAX } from "./pod-specs.ts";
import { withVolumeDefaults } from "./volume-defaults.ts";

/** Upstream's grace between SIGTERM and SIGKILL; doubling it makes every deletion of a deaf container twice as slow. */
const TERMINATION_GRACE_SECONDS = 30;

/** Defaults of a pod, those of its spec included. @spec k8s@1.36 pkg/apis/core/v1 defaults.go SetDefaults_Pod */
export function withPodDefaults(pod: V1Pod): V1Pod {
  const given = fill<V1Pod>(pod, { spec: { containers: [] } });
  return mapField(given, "spec", completed);
}

const completed = remembered(SPECS_MAX, (spec: V1PodSpec) =>
  withPodSpecDefaults(withPodOnlyDefaults(spec)),
);

/** What holds for pods but not for the templates of pods, so that templates show only what was written. */
function withPodOnlyDefaults(spec: V1PodSpec): V1PodSpec {
  const isHost = spec.hostNetwork === true;
  const complete = <C extends V1Container>(container: C): C => {
    const requested = withRequestsFromLimits(container);
    return isHost ? withHostPorts(requested) : requested;
  };
  const linked = fill(spec, { enableServiceLinks: true });
  return withPodRequests(mapContainers(linked, complete, (ephemeral) => ephemeral));
}

/** Defaults of a pod spec, in a pod or in a template. @spec SetDefaults_PodSpec */
export function withPodSpecDefaults(spec: V1PodSpec): V1PodSpec {
  const filled = fill(withServiceAccountAlias(spec), {
    dnsPolicy: "ClusterFirst",
    restartPolicy: "Always",
    securityContext: {},
    terminationGracePeriodSeconds: TERMINATION_GRACE_SECONDS,
    schedulerName: "default-scheduler",
  });
  const contained = mapContainers(filled, withContainerDefaults, withContainerDefaults);
  return mapField(contained, "volumes", (volumes) => mapItems(volumes, withVolumeDefaults));
}

/** `serviceAccount` is the old name of `serviceAccountName`; both are served. */
function withServiceAccountAlias(spec: V1PodSpec): V1PodSpec {
  const name = spec.serviceAccountName || spec.serviceAccount;
  return name
    ? withField(withField(spec, "serviceAccountName", name), "serviceAccount", name)
    : spec;
}

function mapContainers(
  spec: V1PodSpec,
  change: (container: V1Container) => V1Container,
  changeEphemeral: (container: V1EphemeralContainer) => V1EphemeralContainer,
): V1PodSpec {
  const main = mapField(spec, "containers", (list) => mapItems(list, change));
  const init = mapField(main, "initContainers", (list) => mapItems(list, change));
  return mapField(init, "ephemeralContainers", (list) => mapItems(list, changeEphemeral));
}

/** A limit without a request is also the request. */
function withRequestsFromLimits<C extends V1Container>(container: C): C {
  const limits = container.resources?.limits;
  if (limits === undefined) return container;
  const requests = container.resources?.requests ?? {};
  const isComplete = Object.keys(limits).every((name) => Object.hasOwn(requests, name));
  return isComplete
    ? container
    : { ...container, resources: { ...container.resources, requests: { ...limits, ...requests } } };
}

/** In the node's network, a container's port is the node's. */
function withHostPorts<C extends V1Container>(container: C): C {
  return mapField(container, "ports", (ports) =>
    mapItems(ports, (port) => (port.hostPort ? port : { ...port, hostPort: port.containerPort })),
  );
}
