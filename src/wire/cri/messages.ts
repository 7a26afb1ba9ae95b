import { messageCodecs } from "../protobuf/codec.ts";

/** Field numbers of runtime.v1. @spec k8s@1.36 cri-api pkg/apis/runtime/v1/api.proto */
export const criMessages = messageCodecs({
  Empty: "",
  VersionRequest: "version:string=1",
  VersionResponse:
    "version:string=1 runtimeName:string=2 runtimeVersion:string=3 runtimeApiVersion:string=4",

  // Sandboxes
  DnsConfig: "servers:string[]=1 searches:string[]=2 options:string[]=3",
  PortMapping: "protocol:int=1 containerPort:int=2 hostPort:int=3 hostIp:string=4",
  NamespaceOption: "network:int=1 pid:int=2 ipc:int=3 targetId:string=4",
  Int64Value: "value:int=1",
  SecurityProfile: "profileType:int=1 localhostRef:string=2",
  SeLinuxOption: "user:string=1 role:string=2 type:string=3 level:string=4",
  SandboxSecurityContext:
    "namespaceOptions:NamespaceOption=1 seLinuxOptions:SeLinuxOption=2 runAsUser:Int64Value=3 " +
    "readonlyRootfs:bool=4 supplementalGroups:int[]=5 privileged:bool=6 seccompProfilePath:string=7 " +
    "runAsGroup:Int64Value=8 seccomp:SecurityProfile=9 apparmor:SecurityProfile=10",
  LinuxSandboxConfig:
    "cgroupParent:string=1 securityContext:SandboxSecurityContext=2 sysctls:map=3",
  SandboxMetadata: "name:string=1 uid:string=2 namespace:string=3 attempt:int=4",
  SandboxConfig:
    "metadata:SandboxMetadata=1 hostname:string=2 logDirectory:string=3 dnsConfig:DnsConfig=4 " +
    "portMappings:PortMapping[]=5 labels:map=6 annotations:map=7 linux:LinuxSandboxConfig=8",
  RunSandboxRequest: "config:SandboxConfig=1 runtimeHandler:string=2",
  SandboxId: "sandboxId:string=1",
  PodIp: "ip:string=1",
  SandboxNetwork: "ip:string=1 additionalIps:PodIp[]=2",
  SandboxStatus:
    "id:string=1 metadata:SandboxMetadata=2 state:int=3 createdAt:int=4 network:SandboxNetwork=5 " +
    "labels:map=7 annotations:map=8 runtimeHandler:string=9",
  SandboxStatusResponse: "status:SandboxStatus=1 info:map=2",
  StateValue: "state:int=1",
  SandboxFilter: "id:string=1 state:StateValue=2 labelSelector:map=3",
  ListSandboxRequest: "filter:SandboxFilter=1",
  Sandbox:
    "id:string=1 metadata:SandboxMetadata=2 state:int=3 createdAt:int=4 labels:map=5 annotations:map=6 " +
    "runtimeHandler:string=7",
  ListSandboxResponse: "items:Sandbox[]=1",

  // Containers
  ImageSpec: "image:string=1 annotations:map=2",
  KeyValue: "key:string=1 value:string=2",
  Mount:
    "containerPath:string=1 hostPath:string=2 readonly:bool=3 seLinuxRelabel:bool=4 propagation:int=5",
  Device: "containerPath:string=1 hostPath:string=2 permissions:string=3",
  HugepageLimit: "pageSize:string=1 limit:int=2",
  LinuxResources:
    "cpuPeriod:int=1 cpuQuota:int=2 cpuShares:int=3 memoryLimitInBytes:int=4 oomScoreAdj:int=5 " +
    "cpusetCpus:string=6 cpusetMems:string=7 hugepageLimits:HugepageLimit[]=8",
  Capability: "addCapabilities:string[]=1 dropCapabilities:string[]=2",
  ContainerSecurityContext:
    "capabilities:Capability=1 privileged:bool=2 namespaceOptions:NamespaceOption=3 " +
    "seLinuxOptions:SeLinuxOption=4 runAsUser:Int64Value=5 runAsUsername:string=6 readonlyRootfs:bool=7 " +
    "supplementalGroups:int[]=8 apparmorProfile:string=9 seccompProfilePath:string=10 noNewPrivs:bool=11 " +
    "runAsGroup:Int64Value=12 maskedPaths:string[]=13 readonlyPaths:string[]=14 " +
    "seccomp:SecurityProfile=15 apparmor:SecurityProfile=16",
  LinuxContainerConfig: "resources:LinuxResources=1 securityContext:ContainerSecurityContext=2",
  ContainerMetadata: "name:string=1 attempt:int=2",
  ContainerConfig:
    "metadata:ContainerMetadata=1 image:ImageSpec=2 command:string[]=3 args:string[]=4 workingDir:string=5 " +
    "envs:KeyValue[]=6 mounts:Mount[]=7 devices:Device[]=8 labels:map=9 annotations:map=10 " +
    "logPath:string=11 stdin:bool=12 stdinOnce:bool=13 tty:bool=14 linux:LinuxContainerConfig=15",
  CreateContainerRequest:
    "sandboxId:string=1 config:ContainerConfig=2 sandboxConfig:SandboxConfig=3",
  ContainerId: "containerId:string=1",
  StopContainerRequest: "containerId:string=1 timeout:int=2",
  ContainerFilter: "id:string=1 state:StateValue=2 sandboxId:string=3 labelSelector:map=4",
  ListContainersRequest: "filter:ContainerFilter=1",
  Container:
    "id:string=1 sandboxId:string=2 metadata:ContainerMetadata=3 image:ImageSpec=4 imageRef:string=5 " +
    "state:int=6 createdAt:int=7 labels:map=8 annotations:map=9",
  ListContainersResponse: "containers:Container[]=1",
  ContainerStatusRequest: "containerId:string=1 verbose:bool=2",
  ContainerStatus:
    "id:string=1 metadata:ContainerMetadata=2 state:int=3 createdAt:int=4 startedAt:int=5 finishedAt:int=6 " +
    "exitCode:int=7 image:ImageSpec=8 imageRef:string=9 reason:string=10 message:string=11 labels:map=12 " +
    "annotations:map=13 mounts:Mount[]=14 logPath:string=15 imageId:string=17 user:ContainerUser=18",
  LinuxContainerUser: "uid:int=1 gid:int=2 supplementalGroups:int[]=3",
  ContainerUser: "linux:LinuxContainerUser=1",
  ContainerStatusResponse: "status:ContainerStatus=1 info:map=2",
  UpdateResourcesRequest: "containerId:string=1 linux:LinuxResources=2 annotations:map=4",

  // Streaming
  ExecSyncRequest: "containerId:string=1 cmd:string[]=2 timeout:int=3",
  ExecSyncResponse: "stdout:bytes=1 stderr:bytes=2 exitCode:int=3",
  ExecRequest:
    "containerId:string=1 cmd:string[]=2 tty:bool=3 stdin:bool=4 stdout:bool=5 stderr:bool=6",
  AttachRequest: "containerId:string=1 stdin:bool=2 tty:bool=3 stdout:bool=4 stderr:bool=5",
  PortForwardRequest: "sandboxId:string=1 port:int[]=2",
  UrlResponse: "url:string=1",

  // Statistics
  UInt64Value: "value:int=1",
  ContainerAttributes: "id:string=1 metadata:ContainerMetadata=2 labels:map=3 annotations:map=4",
  CpuUsage: "timestamp:int=1 usageCoreNanoSeconds:UInt64Value=2 usageNanoCores:UInt64Value=3",
  MemoryUsage:
    "timestamp:int=1 workingSetBytes:UInt64Value=2 availableBytes:UInt64Value=3 usageBytes:UInt64Value=4 " +
    "rssBytes:UInt64Value=5 pageFaults:UInt64Value=6 majorPageFaults:UInt64Value=7",
  FilesystemId: "mountpoint:string=1",
  FilesystemUsage:
    "timestamp:int=1 fsId:FilesystemId=2 usedBytes:UInt64Value=3 inodesUsed:UInt64Value=4",
  ContainerStats:
    "attributes:ContainerAttributes=1 cpu:CpuUsage=2 memory:MemoryUsage=3 writableLayer:FilesystemUsage=4",
  StatsFilter: "id:string=1 sandboxId:string=2 labelSelector:map=3",
  ListStatsRequest: "filter:StatsFilter=1",
  ContainerStatsResponse: "stats:ContainerStats=1",
  ListStatsResponse: "stats:ContainerStats[]=1",
  SandboxAttributes: "id:string=1 metadata:SandboxMetadata=2 labels:map=3 annotations:map=4",
  NetworkInterfaceUsage:
    "name:string=1 rxBytes:UInt64Value=2 rxErrors:UInt64Value=3 txBytes:UInt64Value=4 txErrors:UInt64Value=5",
  NetworkUsage: "timestamp:int=1 defaultInterface:NetworkInterfaceUsage=2",
  LinuxSandboxStats:
    "cpu:CpuUsage=1 memory:MemoryUsage=2 network:NetworkUsage=3 containers:ContainerStats[]=5",
  SandboxStats: "attributes:SandboxAttributes=1 linux:LinuxSandboxStats=2",
  ListSandboxStatsResponse: "stats:SandboxStats[]=1",

  // Runtime
  NetworkConfig: "podCidr:string=1",
  RuntimeConfig: "networkConfig:NetworkConfig=1",
  UpdateRuntimeConfigRequest: "runtimeConfig:RuntimeConfig=1",
  RuntimeCondition: "type:string=1 status:bool=2 reason:string=3 message:string=4",
  RuntimeStatus: "conditions:RuntimeCondition[]=1",
  StatusRequest: "verbose:bool=1",
  StatusResponse: "status:RuntimeStatus=1 info:map=2",
  ContainerEvent: "containerId:string=1 containerEventType:int=2 createdAt:int=3",

  // Images
  ImageFilter: "image:ImageSpec=1",
  ListImagesRequest: "filter:ImageFilter=1",
  Image:
    "id:string=1 repoTags:string[]=2 repoDigests:string[]=3 size:int=4 uid:Int64Value=5 username:string=6 " +
    "spec:ImageSpec=7 pinned:bool=8",
  ListImagesResponse: "images:Image[]=1",
  ImageStatusRequest: "image:ImageSpec=1 verbose:bool=2",
  ImageStatusResponse: "image:Image=1 info:map=2",
  AuthConfig:
    "username:string=1 password:string=2 auth:string=3 serverAddress:string=4 identityToken:string=5 " +
    "registryToken:string=6",
  PullImageRequest: "image:ImageSpec=1 auth:AuthConfig=2 sandboxConfig:SandboxConfig=3",
  PullImageResponse: "imageRef:string=1",
  RemoveImageRequest: "image:ImageSpec=1",
  ImageFsInfoResponse: "imageFilesystems:FilesystemUsage[]=1",
});
