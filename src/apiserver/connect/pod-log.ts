import { backendRefusal, backendUnreachable } from "../../api/machinery/backend-errors.ts";
import { errorText, type BackendResponse, type Backends } from "../../wire/http-proxy/backend.ts";
import type { ApiCall } from "../api-call.ts";
import type { ApiResponse } from "../api-response.ts";
import type { ServerParts } from "../parts.ts";
import type { ApiRequest } from "../request.ts";
import type { SubresourceHandler } from "../subresources/subresource.ts";
import { chooseContainer } from "./container-choice.ts";
import { kubeletAddress } from "./kubelet-address.ts";
import { answerOverWebsocket, READER_PROTOCOLS } from "./websocket-body.ts";
import { parseLogOptions } from "./log-options.ts";
import { Lookup } from "./lookup.ts";

const RESOURCE = { group: "", plural: "pods/log" };

/** Clients of kubelets: one that verifies them, one for those who ask not to. */
export interface KubeletBackends {
  readonly verified: Backends;
  readonly unverified: Backends;
}

/**
 * `pods/log`: a container's log, as the kubelet sends it. It ends when the client goes away.
 *
 * @spec k8s@1.36 pkg/registry/core/pod/rest/log.go
 */
export function podLog(kubelets: KubeletBackends): SubresourceHandler {
  return {
    group: "",
    plural: "pods",
    subresource: "log",
    methods: ["GET"],
    kind: { group: "", version: "v1", kind: "Pod" },
    handle: (parts, call, request) => serveLog(kubelets, parts, call, request),
    upgrade: (parts, call, request, socket, head) =>
      answerOverWebsocket(READER_PROTOCOLS, request, socket, head, () =>
        serveLog(kubelets, parts, call, request),
      ),
  };
}

async function serveLog(
  kubelets: KubeletBackends,
  parts: ServerParts,
  call: ApiCall,
  request: ApiRequest,
): Promise<ApiResponse> {
  const { namespace, name } = call.info;
  const options = parseLogOptions(request.query, name);
  const lookup = new Lookup(parts);
  const pod = lookup.pod(namespace, name);
  const container = chooseContainer(pod, options.container);
  const nodeName = pod.spec?.nodeName;
  if (!nodeName) return { status: 204, headers: {}, body: Buffer.alloc(0) };
  const address = kubeletAddress(lookup.node(nodeName));
  const where = [namespace, name, container].map(encodeURIComponent).join("/");
  const path = `/containerLogs/${where}${options.query && `?${options.query}`}`;
  const backends = options.isUnverified ? kubelets.unverified : kubelets.verified;
  const { signal } = request;
  const answer = await backends
    .request(address, { method: "GET", path, headers: {}, signal })
    .catch((error: Error) => {
      const url = `https://${address.host}:${address.port}${path}`;
      throw backendUnreachable(`Get ${JSON.stringify(url)}: ${error.message}`);
    });
  await checkAnswer(answer, name);
  const headers = { "content-type": "text/plain", "cache-control": "no-cache, private" };
  return { status: 200, headers, body: answer.body };
}

/** @throws {StatusError} whatever the kubelet refused with. @spec registry/generic/rest/response_checker.go */
async function checkAnswer({ status, headers, body }: BackendResponse, pod: string): Promise<void> {
  if (status >= 300 && status < 400 && headers["location"] !== undefined) {
    body.close();
    throw backendUnreachable("redirection is not allowed");
  }
  if (status >= 200 && status <= 206) return;
  throw backendRefusal(status, RESOURCE, pod, (await errorText(body)).trim());
}
