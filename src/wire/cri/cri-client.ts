/**
 * The container runtime interface as the kubelet uses it: one method per call, shapes with CRI's own field names.
 *
 * Times are nanoseconds since 1970. Calls on things that are gone throw `RpcError` `NOT_FOUND`; stop and remove calls
 * are idempotent and do not.
 * @spec k8s@1.36 cri-api pkg/apis/runtime/v1/api.proto
 */
export interface CriClient {
  version(): Promise<RuntimeVersion>;
  status(): Promise<readonly RuntimeCondition[]>;
  updatePodCidr(podCidr: string): Promise<void>;

  /** Resolves with the sandbox's id once its network is up. */
  runSandbox(config: SandboxConfig, runtimeHandler?: string): Promise<string>;
  stopSandbox(id: string): Promise<void>;
  removeSandbox(id: string): Promise<void>;
  sandboxStatus(id: string): Promise<SandboxStatus>;
  listSandboxes(filter?: RuntimeFilter): Promise<readonly Sandbox[]>;

  createContainer(
    sandboxId: string,
    config: ContainerConfig,
    sandbox: SandboxConfig,
  ): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** Resolves when the container is dead: its stop signal, and after `graceSeconds` SIGKILL. */
  stopContainer(id: string, graceSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  listContainers(filter?: RuntimeFilter): Promise<readonly Container[]>;
  containerStatus(id: string): Promise<ContainerStatus>;
  updateContainerResources(id: string, resources: LinuxResources): Promise<void>;
  reopenContainerLog(id: string): Promise<void>;

  /** @throws {RpcError} `DEADLINE_EXCEEDED` or `UNKNOWN` when the command outlives `timeoutSeconds` (0: no limit). */
  execSync(id: string, command: readonly string[], timeoutSeconds: number): Promise<ExecResult>;
  /** Each returns the URL of the runtime's streaming server. */
  exec(request: ExecRequest): Promise<string>;
  attach(request: AttachRequest): Promise<string>;
  portForward(sandboxId: string, ports: readonly number[]): Promise<string>;

  listContainerStats(filter?: RuntimeFilter): Promise<readonly ContainerStats[]>;

  listImages(): Promise<readonly Image[]>;
  /** `undefined`: not on this node. */
  imageStatus(image: string): Promise<Image | undefined>;
  pullImage(image: string, auth?: AuthConfig, sandbox?: SandboxConfig): Promise<string>;
  removeImage(image: string): Promise<void>;
  imageFilesystems(): Promise<readonly FilesystemUsage[]>;

  close(): void;
}

/** Says that something happened to a container or sandbox. Ids are containerd's; what happened is read from CRI. */
export interface RuntimeEvent {
  readonly id: string;
  readonly type: "started" | "exited" | "oom" | "lost";
}

export interface RuntimeFilter {
  readonly id?: string;
  readonly sandboxId?: string;
  readonly labelSelector?: Readonly<Record<string, string>>;
}

export interface RuntimeVersion {
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  readonly runtimeApiVersion: string;
}

export interface RuntimeCondition {
  /** `RuntimeReady`, `NetworkReady`. */
  readonly type: string;
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

export const SANDBOX_READY = 0;
export const SANDBOX_NOT_READY = 1;
export const CONTAINER_CREATED = 0;
export const CONTAINER_RUNNING = 1;
export const CONTAINER_EXITED = 2;
export const CONTAINER_UNKNOWN = 3;

export const NAMESPACE_POD = 0;
export const NAMESPACE_CONTAINER = 1;
export const NAMESPACE_NODE = 2;
export const NAMESPACE_TARGET = 3;

export const PROPAGATION_PRIVATE = 0;
export const PROPAGATION_HOST_TO_CONTAINER = 1;
export const PROPAGATION_BIDIRECTIONAL = 2;

export const PROFILE_RUNTIME_DEFAULT = 0;
export const PROFILE_UNCONFINED = 1;
export const PROFILE_LOCALHOST = 2;

export interface SandboxMetadata {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly attempt: number;
}

export interface DnsConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export interface PortMapping {
  /** 0 TCP, 1 UDP, 2 SCTP. */
  readonly protocol: number;
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIp: string;
}

export interface NamespaceOption {
  readonly network: number;
  readonly pid: number;
  readonly ipc: number;
  readonly targetId?: string;
}

export interface Int64Value {
  readonly value: number;
}

export interface SecurityProfile {
  readonly profileType: number;
  readonly localhostRef?: string;
}

export interface SeLinuxOption {
  readonly user?: string;
  readonly role?: string;
  readonly type?: string;
  readonly level?: string;
}

export interface SandboxSecurityContext {
  readonly namespaceOptions: NamespaceOption;
  readonly seLinuxOptions?: SeLinuxOption;
  readonly runAsUser?: Int64Value;
  readonly runAsGroup?: Int64Value;
  readonly readonlyRootfs?: boolean;
  readonly supplementalGroups?: readonly number[];
  readonly privileged?: boolean;
  readonly seccomp?: SecurityProfile;
}

export interface SandboxConfig {
  readonly metadata: SandboxMetadata;
  readonly hostname: string;
  readonly logDirectory: string;
  readonly dnsConfig?: DnsConfig;
  readonly portMappings: readonly PortMapping[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: {
    readonly cgroupParent: string;
    readonly securityContext: SandboxSecurityContext;
    readonly sysctls: Readonly<Record<string, string>>;
  };
}

export interface Sandbox {
  readonly id: string;
  readonly metadata: SandboxMetadata;
  readonly state: number;
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface SandboxStatus extends Sandbox {
  /** Absent in the host's network. */
  readonly network?: { readonly ip: string; readonly additionalIps: readonly { ip: string }[] };
}

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export interface Mount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readonly: boolean;
  readonly propagation: number;
  readonly seLinuxRelabel?: boolean;
}

export interface Device {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly permissions: string;
}

export interface LinuxResources {
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  readonly cpuShares?: number;
  readonly memoryLimitInBytes?: number;
  readonly oomScoreAdj?: number;
}

export interface ContainerSecurityContext {
  readonly capabilities?: {
    readonly addCapabilities: readonly string[];
    readonly dropCapabilities: readonly string[];
  };
  readonly privileged: boolean;
  readonly namespaceOptions: NamespaceOption;
  readonly seLinuxOptions?: SeLinuxOption;
  readonly runAsUser?: Int64Value;
  readonly runAsGroup?: Int64Value;
  readonly runAsUsername?: string;
  readonly readonlyRootfs: boolean;
  readonly supplementalGroups: readonly number[];
  readonly noNewPrivs: boolean;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly seccomp: SecurityProfile;
}

export interface ContainerConfig {
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly image: { readonly image: string };
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly envs: readonly KeyValue[];
  readonly mounts: readonly Mount[];
  readonly devices: readonly Device[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Relative to the sandbox's log folder. */
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly linux: {
    readonly resources: LinuxResources;
    readonly securityContext: ContainerSecurityContext;
  };
}

export interface Container {
  readonly id: string;
  readonly sandboxId: string;
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly image?: { readonly image: string };
  readonly imageRef: string;
  readonly state: number;
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ContainerStatus {
  readonly id: string;
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly state: number;
  readonly createdAt: number;
  /** 0: not yet. */
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  readonly image?: { readonly image: string };
  readonly imageRef: string;
  readonly reason: string;
  readonly message: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly logPath: string;
  /** Who its first process is; absent: the runtime does not say. */
  readonly user?: { readonly linux?: ContainerUser };
}

export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  readonly supplementalGroups?: readonly number[];
}

export interface ExecResult {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly exitCode: number;
}

export interface ExecRequest extends AttachRequest {
  readonly cmd: readonly string[];
}

export interface AttachRequest {
  readonly containerId: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface ContainerStats {
  readonly attributes: { readonly id: string; readonly labels: Readonly<Record<string, string>> };
  readonly cpu?: { readonly timestamp: number; readonly usageCoreNanoSeconds?: Int64Value };
  readonly memory?: {
    readonly timestamp: number;
    readonly workingSetBytes?: Int64Value;
    readonly usageBytes?: Int64Value;
    readonly rssBytes?: Int64Value;
  };
  readonly writableLayer?: FilesystemUsage;
}

export interface FilesystemUsage {
  readonly timestamp: number;
  readonly fsId?: { readonly mountpoint: string };
  readonly usedBytes?: Int64Value;
  readonly inodesUsed?: Int64Value;
}

export interface Image {
  /** `sha256:…` of its configuration. */
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly size: number;
  /** Who its processes run as, where it names a number … */
  readonly uid?: Int64Value;
  /** … or a name. */
  readonly username: string;
}

export interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly serverAddress?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}
