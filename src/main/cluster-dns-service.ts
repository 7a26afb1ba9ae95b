import { Service } from "../api/core/service.ts";
import { isStatusError } from "../api/machinery/status-error.ts";
import type { CacheReader } from "../client/cache.ts";
import type { Client } from "../client/client.ts";

/** Name and place of the cluster's DNS Service: what `kubectl cluster-info` and many manifests look for. */
const KEY = { namespace: "kube-system", name: "kube-dns" };

/**
 * Makes the Service that reserves the cluster DNS address.
 *
 * It has no selector and no endpoints: every node answers on that address itself.
 */
export async function ensureClusterDns(
  client: Client,
  cache: CacheReader,
  clusterIP: string,
): Promise<void> {
  if (cache.get(Service, KEY)) return;
  const port = (
    name: string,
    protocol: string,
  ): { name: string; port: number; protocol: string } => ({
    name,
    port: 53,
    protocol,
  });
  const service: Service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      ...KEY,
      labels: {
        "k8s-app": "kube-dns",
        "kubernetes.io/cluster-service": "true",
        "kubernetes.io/name": "CoreDNS",
      },
    },
    spec: { clusterIP, ports: [port("dns", "UDP"), port("dns-tcp", "TCP")] },
  };
  await client.create(Service, service).catch((error: unknown) => {
    if (!isStatusError(error, "AlreadyExists")) throw error;
  });
}
