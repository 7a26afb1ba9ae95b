import { internalError } from "../../api/machinery/status-errors.ts";
import type { V1Node } from "../../gen/types.ts";
import type { BackendAddress } from "../../wire/http-proxy/backend.ts";

/** @spec k8s@1.36 pkg/cluster/ports KubeletPort */
const KUBELET_PORT = 10_250;

/**
 * Where the kubelet of `node` listens.
 *
 * By InternalIP alone: it is what kubelets' certificates name.
 * @throws {StatusError} InternalError: the node says no address.
 * @spec k8s@1.36 pkg/kubelet/client/kubelet_client.go GetConnectionInfo
 */
export function kubeletAddress(node: V1Node): BackendAddress {
  const { addresses = [], daemonEndpoints } = node.status ?? {};
  const host = addresses.find(({ type }) => type === "InternalIP")?.address;
  if (!host) {
    const known = addresses.map(({ type, address }) => `${type}:${address}`).join(" ");
    throw internalError(`no preferred addresses found; known addresses: [${known}]`);
  }
  const said = daemonEndpoints?.kubeletEndpoint?.Port;
  return { scheme: "https", host, port: said || KUBELET_PORT };
}
