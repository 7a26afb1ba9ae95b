import { CSINode } from "../../api/storage/csi-node.ts";
import { isStatusError } from "../../api/machinery/status-error.ts";
import type { Client } from "../../client/client.ts";
import type { V1CSINode, V1CSINodeDriver, V1OwnerReference } from "../../gen/types.ts";
import { MACHINE_LABEL, OWN_DRIVER } from "../../api/storage/own-volumes.ts";

/**
 * Sees to it that the node's CSINode names the cluster's own driver, and belongs to the node. Other drivers stay.
 *
 * @throws {StatusError}
 * @spec k8s@1.36 pkg/volume/csi/nodeinfomanager
 */
export async function tellDriver(client: Client, name: string, nodeUid: string): Promise<void> {
  const owner = { apiVersion: "v1", kind: "Node", name, uid: nodeUid };
  try {
    await client.create(CSINode, csiNodeOf(name, owner, []));
  } catch (error) {
    if (!isStatusError(error, "AlreadyExists")) throw error;
    const known = await client.get(CSINode, { name });
    const next = driverTold(known, owner);
    if (next) await client.update(CSINode, next);
  }
}

/** The CSINode with the cluster's driver; `undefined`: it is right as it is. */
export function driverTold(known: V1CSINode, owner: V1OwnerReference): V1CSINode | undefined {
  const { drivers } = known.spec;
  const others = drivers.filter(({ name }) => name !== OWN_DRIVER);
  const isOwned = known.metadata?.ownerReferences?.some(({ uid }) => uid === owner.uid);
  if (isOwned && others.length < drivers.length) return undefined;
  const { ownerReferences: _, ...metadata } = known.metadata ?? {};
  const made = csiNodeOf(owner.name, owner, others);
  return { ...made, metadata: { ...metadata, ...made.metadata } };
}

function csiNodeOf(
  name: string,
  owner: V1OwnerReference,
  others: readonly V1CSINodeDriver[],
): V1CSINode {
  const own = { name: OWN_DRIVER, nodeID: name, topologyKeys: [MACHINE_LABEL] };
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "CSINode",
    metadata: { name, ownerReferences: [owner] },
    spec: { drivers: [...others, own] },
  };
}
