import type { V1Pod } from "../../gen/types.ts";
import {
  PROFILE_RUNTIME_DEFAULT,
  type PortMapping,
  type SandboxConfig,
} from "../../wire/cri/cri-client.ts";
import { dnsOf, type DnsSettings } from "./dns.ts";
import { hostnameOf } from "./hosts-file.ts";
import { LABEL_NODE, LABEL_POD_NAME, LABEL_POD_NAMESPACE, LABEL_POD_UID } from "./labels.ts";
import { namespacesOf } from "./namespaces.ts";
import { appContainers, initContainers, isSidecar } from "./pod-spec.ts";
import { qosClassOf } from "./qos.ts";
import { supplementalGroupsOf } from "./security.ts";

/** What is the same for all Pods of a node. */
export interface PodSettings {
  readonly nodeName: string;
  readonly dns: DnsSettings;
  /** `/kubepods`: two kubelets on one machine have different ones. */
  readonly cgroupRoot: string;
  /** `/var/log/pods` */
  readonly logRoot: string;
  /** `/var/lib/kubelet` */
  readonly stateRoot: string;
  readonly memoryBytes: number;
}

/** The folder of a Pod's logs. @spec k8s@1.36 pkg/kubelet/kuberuntime/helpers.go BuildPodLogsDirectory */
export function logFolderOf(pod: V1Pod, logRoot: string): string {
  const { namespace, name, uid } = pod.metadata ?? {};
  return `${logRoot}/${namespace}_${name}_${uid}`;
}

/** The cgroup of a Pod, with cgroupfs names. @spec k8s@1.36 pkg/kubelet/cm/pod_container_manager_linux.go */
export function cgroupOf(pod: V1Pod, cgroupRoot: string): string {
  const folders = { Guaranteed: "", Burstable: "/burstable", BestEffort: "/besteffort" };
  return `${cgroupRoot}${folders[qosClassOf(pod)]}/pod${pod.metadata?.uid}`;
}

/**
 * What the runtime is told about a Pod as a whole.
 *
 * @spec k8s@1.36 pkg/kubelet/kuberuntime/kuberuntime_sandbox.go generatePodSandboxConfig
 */
export function sandboxConfig(pod: V1Pod, attempt: number, settings: PodSettings): SandboxConfig {
  const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
  const spec = pod.spec;
  const security = spec?.securityContext;
  const { runAsUser, runAsGroup } = security ?? {};
  return {
    metadata: { name, namespace, uid, attempt },
    hostname: spec?.hostNetwork ? "" : hostnameOf(pod, settings.dns.clusterDomain).hostname,
    logDirectory: logFolderOf(pod, settings.logRoot),
    dnsConfig: dnsOf(pod, settings.dns),
    portMappings: portMappings(pod),
    labels: { ...pod.metadata?.labels, ...podLabels(pod, settings.nodeName) },
    annotations: { ...pod.metadata?.annotations },
    linux: {
      cgroupParent: cgroupOf(pod, settings.cgroupRoot),
      sysctls: Object.fromEntries((security?.sysctls ?? []).map((s) => [s.name, s.value])),
      securityContext: {
        namespaceOptions: namespacesOf(pod),
        privileged: [...initContainers(pod), ...appContainers(pod)].some(
          ({ securityContext }) => securityContext?.privileged,
        ),
        ...(runAsUser === undefined ? {} : { runAsUser: { value: runAsUser } }),
        ...(runAsGroup === undefined || runAsUser === undefined
          ? {}
          : { runAsGroup: { value: runAsGroup } }),
        supplementalGroups: supplementalGroupsOf(pod),
        seccomp: { profileType: PROFILE_RUNTIME_DEFAULT },
      },
    },
  };
}

/** Labels by which sandboxes and containers are found again. */
export function podLabels(pod: V1Pod, nodeName: string): Readonly<Record<string, string>> {
  const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
  return {
    [LABEL_POD_NAME]: name,
    [LABEL_POD_NAMESPACE]: namespace,
    [LABEL_POD_UID]: uid,
    [LABEL_NODE]: nodeName,
  };
}

const PROTOCOLS: Readonly<Record<string, number>> = { TCP: 0, UDP: 1, SCTP: 2 };

function portMappings(pod: V1Pod): readonly PortMapping[] {
  const containers = [...initContainers(pod).filter(isSidecar), ...appContainers(pod)];
  return containers
    .flatMap(({ ports }) => ports ?? [])
    .filter(({ hostPort }) => hostPort !== undefined && hostPort > 0)
    .map(({ protocol = "TCP", containerPort, hostPort = 0, hostIP = "" }) => ({
      protocol: PROTOCOLS[protocol] ?? 0,
      containerPort,
      hostPort,
      hostIp: hostIP,
    }));
}
