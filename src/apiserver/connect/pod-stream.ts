import { badRequest } from "../../api/machinery/status-errors.ts";
import type { Backends } from "../../wire/http-proxy/backend.ts";
import type { ApiCall } from "../api-call.ts";
import type { ServerParts } from "../parts.ts";
import type { ApiRequest } from "../request.ts";
import { authorize } from "../authorize.ts";
import type { SubresourceHandler } from "../subresources/subresource.ts";
import { validateAdmission } from "../verbs/admit.ts";
import { chooseContainer } from "./container-choice.ts";
import { kubeletAddress } from "./kubelet-address.ts";
import { Lookup } from "./lookup.ts";
import { passUpgrade, upgradeHeaders, websocketProtocols, type Passage } from "./passing-on.ts";
import {
  parseContainerOptions,
  parsePortForwardOptions,
  type StreamOptions,
} from "./stream-options.ts";

interface StreamKind {
  readonly subresource: "exec" | "attach" | "portforward";
  readonly options: "PodExecOptions" | "PodAttachOptions" | "PodPortForwardOptions";
}

const STREAM_KINDS: readonly StreamKind[] = [
  { subresource: "exec", options: "PodExecOptions" },
  { subresource: "attach", options: "PodAttachOptions" },
  { subresource: "portforward", options: "PodPortForwardOptions" },
];

/** WebSocket subprotocols that runtimes speak themselves. @spec k8s@1.36 cri-streaming remotecommand/websocket.go */
const RUNTIME_PROTOCOLS = /^((v4\.)?(base64\.)?channel\.k8s\.io)$/;

/**
 * `pods/exec`, `pods/attach`, `pods/portforward`: the client's connection, joined with one to the kubelet.
 *
 * @spec k8s@1.36 pkg/registry/core/pod/rest/subresources.go
 */
export function podStreams(kubelets: Backends): readonly SubresourceHandler[] {
  return STREAM_KINDS.map((stream) => ({
    group: "",
    plural: "pods",
    subresource: stream.subresource,
    methods: ["GET", "POST"],
    kind: { group: "", version: "v1", kind: stream.options },
    handle(parts, call, request) {
      passageOf(stream, kubelets, parts, call, request);
      throw badRequest("Upgrade request required");
    },
    upgrade(parts, call, request, socket, head) {
      checkWebsocket(parts, call, request);
      const passage = passageOf(stream, kubelets, parts, call, request);
      return passUpgrade(passage, request, upgradeHeaders(request), socket, head);
    },
  }));
}

/** Where the request goes. @throws {StatusError} */
function passageOf(
  { subresource, options: kind }: StreamKind,
  backends: Backends,
  parts: ServerParts,
  call: ApiCall,
  { query, method }: ApiRequest,
): Passage {
  if (method !== "GET" && method !== "POST") throw badRequest("Upgrade request required");
  const options: StreamOptions =
    kind === "PodPortForwardOptions"
      ? parsePortForwardOptions(query)
      : parseContainerOptions(kind, query);
  validateAdmission(parts, call, "CONNECT", options.object, undefined);
  const { namespace, name } = call.info;
  const lookup = new Lookup(parts);
  const pod = lookup.pod(namespace, name);
  const where =
    subresource === "portforward"
      ? ["portForward", namespace, name]
      : [subresource, namespace, name, chooseContainer(pod, options.container)];
  const nodeName = pod.spec?.nodeName;
  if (!nodeName) throw badRequest(`pod ${name} does not have a host assigned`);
  const address = kubeletAddress(lookup.node(nodeName));
  const path = `/${where.map(encodeURIComponent).join("/")}${options.query && `?${options.query}`}`;
  return { backends, address, path, clock: parts.clock };
}

/**
 * WebSockets that the runtime cannot speak are refused, upon which clients fall back to SPDY.
 *
 * Browsers and old clients open them with GET: reading rights must not be enough to run commands.
 * @throws {StatusError} BadRequest. Forbidden.
 * @spec k8s@1.36 feature AuthorizePodWebsocketUpgradeCreatePermission
 */
function checkWebsocket(parts: ServerParts, call: ApiCall, request: ApiRequest): void {
  if (request.headers["upgrade"]?.toLowerCase() !== "websocket") return;
  authorize(parts, call.user, { ...call.info, verb: "create" });
  const offered = websocketProtocols(request);
  if (offered.length > 0 && !offered.some((protocol) => RUNTIME_PROTOCOLS.test(protocol)))
    throw badRequest(
      `unable to upgrade: none of the subprotocols ${offered.join(", ")} is supported`,
    );
}
