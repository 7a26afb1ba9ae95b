import { formatTime, type Instant } from "../../base/clock.ts";
import { MACHINE_LABEL } from "../../api/storage/own-volumes.ts";
import type { V1ContainerImage, V1Node, V1NodeCondition, V1NodeStatus } from "../../gen/types.ts";
import type { Image, RuntimeCondition } from "../../wire/cri/cri-client.ts";
import type { Pressure } from "../plan/eviction.ts";
import type { Machine } from "../executor/machine.ts";

/** What a node is registered as. */
export interface NodeIdentity {
  readonly name: string;
  readonly ips: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Names the machine, with whose nodes this one shares the cluster's own volumes. */
  readonly machineName: string;
  readonly taints: NonNullable<NonNullable<V1Node["spec"]>["taints"]>;
  readonly kubeletPort: number;
  /** `v1.36.0+skiff.0.1.0` */
  readonly version: string;
}

/** What the runtime says of itself. */
export interface RuntimeFacts {
  /** `containerd://1.6.20` */
  readonly version: string;
  readonly conditions: readonly RuntimeCondition[];
  readonly images: readonly Image[];
  /** What the node is short of. */
  readonly pressures: ReadonlySet<Pressure>;
  /** Names of attachable volumes that Pods have or wait for. */
  readonly volumesInUse: readonly string[];
}

/** Pods on one node. @spec k8s@1.36 kubelet config MaxPods */
const PODS_MAX = 110;
/** Memory in bytes that Pods do not get. @spec k8s@1.36 kubelet config evictionHard memory.available */
const MEMORY_KEPT_BYTES = 100 * 1024 * 1024;
/** Part of the disk that Pods get. @spec k8s@1.36 kubelet config evictionHard nodefs.available */
const DISK_PART = 0.9;
/** Images that the status names. @spec k8s@1.36 kubelet config NodeStatusMaxImages */
const IMAGES_MAX = 50;

/** The Node as it is first registered. @spec k8s@1.36 pkg/kubelet/kubelet_node_status.go initialNode */
export function newNode(identity: NodeIdentity, machine: Machine): V1Node {
  const { name, taints } = identity;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: nodeLabels(identity, machine),
      annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
    },
    spec: taints.length > 0 ? { taints } : {},
  };
}

/** The labels that the kubelet keeps on its Node. */
export function nodeLabels(
  { name, labels, machineName }: NodeIdentity,
  { architecture }: Machine,
): Readonly<Record<string, string>> {
  return {
    "beta.kubernetes.io/arch": architecture,
    "beta.kubernetes.io/os": "linux",
    "kubernetes.io/arch": architecture,
    "kubernetes.io/hostname": name,
    "kubernetes.io/os": "linux",
    [MACHINE_LABEL]: machineName,
    ...labels,
  };
}

/** What Pods of the node may use together. */
export function allocatableOf(machine: Machine): Readonly<Record<string, string>> {
  return {
    ...capacityOf(machine),
    "ephemeral-storage": String(Math.floor(machine.diskBytes * DISK_PART)),
    memory: kibibytes(Math.max(0, machine.memoryBytes - MEMORY_KEPT_BYTES)),
  };
}

function capacityOf(machine: Machine): Readonly<Record<string, string>> {
  return {
    cpu: String(machine.cpus),
    "ephemeral-storage": kibibytes(machine.diskBytes),
    "hugepages-1Gi": "0",
    "hugepages-2Mi": "0",
    memory: kibibytes(machine.memoryBytes),
    pods: String(PODS_MAX),
  };
}

function kibibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024)}Ki`;
}

/**
 * The whole status; times of conditions that did not change are those of `old`. Extended resources are somebody else's, who writes
 * them into the capacity alone.
 *
 * @spec k8s@1.36 pkg/kubelet/nodestatus/setters.go MachineInfo
 */
export function nodeStatus(
  identity: NodeIdentity,
  machine: Machine,
  runtime: RuntimeFacts,
  old: V1NodeStatus | undefined,
  now: Instant,
): V1NodeStatus {
  const foreign = old?.capacity ?? {};
  return {
    addresses: [
      ...identity.ips.map((address) => ({ type: "InternalIP", address })),
      { type: "Hostname", address: identity.name },
    ],
    capacity: { ...foreign, ...capacityOf(machine) },
    allocatable: { ...foreign, ...allocatableOf(machine) },
    conditions: verdicts(runtime).map((verdict) => condition(verdict, old, now)),
    daemonEndpoints: { kubeletEndpoint: { Port: identity.kubeletPort } },
    images: imagesOf(runtime.images),
    ...(runtime.volumesInUse.length > 0 && { volumesInUse: runtime.volumesInUse }),
    nodeInfo: {
      machineID: machine.machineId,
      systemUUID: machine.systemUuid,
      bootID: machine.bootId,
      kernelVersion: machine.kernel,
      osImage: machine.osImage,
      containerRuntimeVersion: runtime.version,
      kubeletVersion: identity.version,
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture: machine.architecture,
    },
  };
}

type Verdict = Pick<V1NodeCondition, "type" | "status" | "reason" | "message">;

/** @spec k8s@1.36 pkg/kubelet/nodestatus/setters.go */
function verdicts({ conditions, pressures }: RuntimeFacts): readonly Verdict[] {
  return [
    ...PRESSURES.map(({ type, fine, short }) => {
      const isShort = pressures.has(type);
      const [reason, message] = isShort ? short : fine;
      return { type, status: isShort ? "True" : "False", reason, message };
    }),
    readyVerdict(conditions),
  ];
}

interface PressureWords {
  readonly type: Pressure;
  /** Reason and message. */
  readonly fine: readonly [string, string];
  readonly short: readonly [string, string];
}

const PRESSURES: readonly PressureWords[] = [
  {
    type: "MemoryPressure",
    fine: ["KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
    short: ["KubeletHasInsufficientMemory", "kubelet has insufficient memory available"],
  },
  {
    type: "DiskPressure",
    fine: ["KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
    short: ["KubeletHasDiskPressure", "kubelet has disk pressure"],
  },
  {
    type: "PIDPressure",
    fine: ["KubeletHasSufficientPID", "kubelet has sufficient PID available"],
    short: ["KubeletHasInsufficientPID", "kubelet has insufficient PID available"],
  },
];

/** Why the runtime cannot give Pods a network; `undefined`: it can. */
export function networkProblemOf(conditions: readonly RuntimeCondition[]): string | undefined {
  return problemOf(conditions, "NetworkReady", "container runtime network not ready");
}

function problemOf(
  conditions: readonly RuntimeCondition[],
  type: string,
  words: string,
): string | undefined {
  const found = conditions.find((candidate) => candidate.type === type);
  if (found?.status) return undefined;
  const { reason = "", message = "the runtime does not answer" } = found ?? {};
  return `${words}: ${type}=false reason:${reason} message:${message}`;
}

function readyVerdict(conditions: readonly RuntimeCondition[]): Verdict {
  const problems = [
    problemOf(conditions, "RuntimeReady", "container runtime not ready"),
    networkProblemOf(conditions),
  ].filter((problem) => problem !== undefined);
  if (problems.length === 0)
    return {
      type: "Ready",
      status: "True",
      reason: "KubeletReady",
      message: "kubelet is posting ready status",
    };
  return {
    type: "Ready",
    status: "False",
    reason: "KubeletNotReady",
    message: problems.join(", "),
  };
}

function condition(verdict: Verdict, old: V1NodeStatus | undefined, now: Instant): V1NodeCondition {
  const before = old?.conditions?.find(({ type }) => type === verdict.type);
  const isSame = before?.status === verdict.status;
  const time = formatTime(now);
  return {
    ...verdict,
    lastHeartbeatTime: time,
    lastTransitionTime: (isSame ? before?.lastTransitionTime : undefined) ?? time,
  };
}

function imagesOf(images: readonly Image[]): readonly V1ContainerImage[] {
  return [...images]
    .sort((a, b) => b.size - a.size)
    .slice(0, IMAGES_MAX)
    .map(({ repoDigests, repoTags, size }) => ({
      names: [...repoDigests, ...repoTags],
      sizeBytes: size,
    }));
}

/** True when the API server should be told: anything but the time of the last look differs. */
export function isNews(old: V1NodeStatus | undefined, next: V1NodeStatus): boolean {
  const timeless = (status: V1NodeStatus | undefined): string =>
    JSON.stringify({
      ...status,
      conditions: status?.conditions?.map((one) => ({ ...one, lastHeartbeatTime: "" })),
    });
  return timeless(old) !== timeless(next);
}

/** True when Pods may be scheduled here. */
export function isReady(status: V1NodeStatus | undefined): boolean {
  return (
    status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false
  );
}
