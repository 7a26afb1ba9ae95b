import type { GrpcChannel, Method } from "../grpc/channel.ts";
import type * as cri from "./cri-client.ts";
import { criMessages } from "./messages.ts";

type MessageName = Parameters<typeof criMessages>[0];

/** Longest quick call. A runtime that hangs must not hang the kubelet; upstream's default runtimeRequestTimeout. */
const CALL_DEADLINE_MS = 120_000;

/** Added to a stop's grace and to an exec's limit, for the runtime's own work. */
const EXTRA_DEADLINE_MS = 120_000;

/** Longest image pull; a layer that makes no progress is cancelled earlier by containerd itself. */
const PULL_DEADLINE_MS = 60 * 60 * 1000;

function method<Request, Response>(
  service: "RuntimeService" | "ImageService",
  name: string,
  request: MessageName,
  response: MessageName,
): Method<Request, Response> {
  return {
    path: `/runtime.v1.${service}/${name}`,
    request: criMessages<Request>(request),
    response: criMessages<Response>(response),
  };
}

const runtime = <Request, Response>(
  name: string,
  request: MessageName,
  response: MessageName = "Empty",
): Method<Request, Response> => method("RuntimeService", name, request, response);

const images = <Request, Response>(
  name: string,
  request: MessageName,
  response: MessageName = "Empty",
): Method<Request, Response> => method("ImageService", name, request, response);

interface Filtered {
  readonly filter?: cri.RuntimeFilter;
}
interface ByContainer {
  readonly containerId: string;
}
interface BySandbox {
  readonly sandboxId: string;
}
type Spec = { readonly image: { readonly image: string } };

const METHODS = {
  version: runtime<object, cri.RuntimeVersion>("Version", "VersionRequest", "VersionResponse"),
  status: runtime<object, { status?: { conditions: readonly cri.RuntimeCondition[] } }>(
    "Status",
    "StatusRequest",
    "StatusResponse",
  ),
  updateRuntimeConfig: runtime<object, object>("UpdateRuntimeConfig", "UpdateRuntimeConfigRequest"),
  runSandbox: runtime<object, BySandbox>("RunPodSandbox", "RunSandboxRequest", "SandboxId"),
  stopSandbox: runtime<BySandbox, object>("StopPodSandbox", "SandboxId"),
  removeSandbox: runtime<BySandbox, object>("RemovePodSandbox", "SandboxId"),
  sandboxStatus: runtime<BySandbox, { status: cri.SandboxStatus }>(
    "PodSandboxStatus",
    "SandboxId",
    "SandboxStatusResponse",
  ),
  listSandboxes: runtime<Filtered, { items: readonly cri.Sandbox[] }>(
    "ListPodSandbox",
    "ListSandboxRequest",
    "ListSandboxResponse",
  ),
  createContainer: runtime<object, ByContainer>(
    "CreateContainer",
    "CreateContainerRequest",
    "ContainerId",
  ),
  startContainer: runtime<ByContainer, object>("StartContainer", "ContainerId"),
  stopContainer: runtime<object, object>("StopContainer", "StopContainerRequest"),
  removeContainer: runtime<ByContainer, object>("RemoveContainer", "ContainerId"),
  listContainers: runtime<Filtered, { containers: readonly cri.Container[] }>(
    "ListContainers",
    "ListContainersRequest",
    "ListContainersResponse",
  ),
  containerStatus: runtime<ByContainer, { status: cri.ContainerStatus }>(
    "ContainerStatus",
    "ContainerStatusRequest",
    "ContainerStatusResponse",
  ),
  updateResources: runtime<object, object>("UpdateContainerResources", "UpdateResourcesRequest"),
  reopenLog: runtime<ByContainer, object>("ReopenContainerLog", "ContainerId"),
  execSync: runtime<object, cri.ExecResult>("ExecSync", "ExecSyncRequest", "ExecSyncResponse"),
  exec: runtime<cri.ExecRequest, { url: string }>("Exec", "ExecRequest", "UrlResponse"),
  attach: runtime<cri.AttachRequest, { url: string }>("Attach", "AttachRequest", "UrlResponse"),
  portForward: runtime<object, { url: string }>("PortForward", "PortForwardRequest", "UrlResponse"),
  listContainerStats: runtime<Filtered, { stats: readonly cri.ContainerStats[] }>(
    "ListContainerStats",
    "ListStatsRequest",
    "ListStatsResponse",
  ),
  listImages: images<object, { images: readonly cri.Image[] }>(
    "ListImages",
    "ListImagesRequest",
    "ListImagesResponse",
  ),
  imageStatus: images<Spec, { image?: cri.Image }>(
    "ImageStatus",
    "ImageStatusRequest",
    "ImageStatusResponse",
  ),
  pullImage: images<object, { imageRef: string }>(
    "PullImage",
    "PullImageRequest",
    "PullImageResponse",
  ),
  removeImage: images<Spec, object>("RemoveImage", "RemoveImageRequest"),
  imageFilesystems: images<object, { imageFilesystems: readonly cri.FilesystemUsage[] }>(
    "ImageFsInfo",
    "Empty",
    "ImageFsInfoResponse",
  ),
} as const;

/** {@link cri.CriClient} over gRPC. */
export class GrpcCriClient implements cri.CriClient {
  readonly #channel: GrpcChannel;

  constructor(channel: GrpcChannel) {
    this.#channel = channel;
  }

  #call<Request, Response>(
    called: Method<Request, Response>,
    request: Request,
    deadlineMs = CALL_DEADLINE_MS,
  ): Promise<Response> {
    return this.#channel.call(called, request, { deadlineMs });
  }

  version(): Promise<cri.RuntimeVersion> {
    return this.#call(METHODS.version, { version: "v1" });
  }

  async status(): Promise<readonly cri.RuntimeCondition[]> {
    return (await this.#call(METHODS.status, {})).status?.conditions ?? [];
  }

  async updatePodCidr(podCidr: string): Promise<void> {
    await this.#call(METHODS.updateRuntimeConfig, {
      runtimeConfig: { networkConfig: { podCidr } },
    });
  }

  async runSandbox(config: cri.SandboxConfig, runtimeHandler = ""): Promise<string> {
    const request = { config, runtimeHandler };
    return (await this.#call(METHODS.runSandbox, request, 2 * CALL_DEADLINE_MS)).sandboxId;
  }

  async stopSandbox(sandboxId: string): Promise<void> {
    await this.#call(METHODS.stopSandbox, { sandboxId });
  }

  async removeSandbox(sandboxId: string): Promise<void> {
    await this.#call(METHODS.removeSandbox, { sandboxId });
  }

  async sandboxStatus(sandboxId: string): Promise<cri.SandboxStatus> {
    return (await this.#call(METHODS.sandboxStatus, { sandboxId })).status;
  }

  async listSandboxes(filter: cri.RuntimeFilter = {}): Promise<readonly cri.Sandbox[]> {
    return (await this.#call(METHODS.listSandboxes, { filter })).items;
  }

  async createContainer(
    sandboxId: string,
    config: cri.ContainerConfig,
    sandboxConfig: cri.SandboxConfig,
  ): Promise<string> {
    const request = { sandboxId, config, sandboxConfig };
    return (await this.#call(METHODS.createContainer, request)).containerId;
  }

  async startContainer(containerId: string): Promise<void> {
    await this.#call(METHODS.startContainer, { containerId });
  }

  async stopContainer(containerId: string, graceSeconds: number): Promise<void> {
    await this.#call(
      METHODS.stopContainer,
      { containerId, timeout: graceSeconds },
      graceSeconds * 1000 + EXTRA_DEADLINE_MS,
    );
  }

  async removeContainer(containerId: string): Promise<void> {
    await this.#call(METHODS.removeContainer, { containerId });
  }

  async listContainers(filter: cri.RuntimeFilter = {}): Promise<readonly cri.Container[]> {
    return (await this.#call(METHODS.listContainers, { filter })).containers;
  }

  async containerStatus(containerId: string): Promise<cri.ContainerStatus> {
    return (await this.#call(METHODS.containerStatus, { containerId })).status;
  }

  async updateContainerResources(containerId: string, linux: cri.LinuxResources): Promise<void> {
    await this.#call(METHODS.updateResources, { containerId, linux });
  }

  async reopenContainerLog(containerId: string): Promise<void> {
    await this.#call(METHODS.reopenLog, { containerId });
  }

  execSync(
    containerId: string,
    cmd: readonly string[],
    timeoutSeconds: number,
  ): Promise<cri.ExecResult> {
    const request = { containerId, cmd, timeout: timeoutSeconds };
    const deadlineMs = timeoutSeconds === 0 ? PULL_DEADLINE_MS : timeoutSeconds * 1000 + 5000;
    return this.#call(METHODS.execSync, request, deadlineMs);
  }

  async exec(request: cri.ExecRequest): Promise<string> {
    return (await this.#call(METHODS.exec, request)).url;
  }

  async attach(request: cri.AttachRequest): Promise<string> {
    return (await this.#call(METHODS.attach, request)).url;
  }

  async portForward(sandboxId: string, port: readonly number[]): Promise<string> {
    return (await this.#call(METHODS.portForward, { sandboxId, port })).url;
  }

  async listContainerStats(filter: cri.RuntimeFilter = {}): Promise<readonly cri.ContainerStats[]> {
    return (await this.#call(METHODS.listContainerStats, { filter })).stats;
  }

  async listImages(): Promise<readonly cri.Image[]> {
    return (await this.#call(METHODS.listImages, {})).images;
  }

  async imageStatus(image: string): Promise<cri.Image | undefined> {
    return (await this.#call(METHODS.imageStatus, { image: { image } })).image;
  }

  async pullImage(
    image: string,
    auth?: cri.AuthConfig,
    sandboxConfig?: cri.SandboxConfig,
  ): Promise<string> {
    const request = { image: { image }, auth, sandboxConfig };
    return (await this.#call(METHODS.pullImage, request, PULL_DEADLINE_MS)).imageRef;
  }

  async removeImage(image: string): Promise<void> {
    await this.#call(METHODS.removeImage, { image: { image } });
  }

  async imageFilesystems(): Promise<readonly cri.FilesystemUsage[]> {
    return (await this.#call(METHODS.imageFilesystems, {})).imageFilesystems;
  }

  close(): void {
    this.#channel.close();
  }
}
