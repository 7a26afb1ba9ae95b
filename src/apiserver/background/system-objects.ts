import { Namespace } from "../../api/core/namespace.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import { isStatusError } from "../../api/machinery/status-error.ts";
import { PriorityClass, systemPriorityClasses } from "../../api/scheduling/priority-class.ts";
import { CSIDriver } from "../../api/storage/csi-driver.ts";
import { standardClass, volumesDriver } from "../../api/storage/default-objects.ts";
import { StorageClass } from "../../api/storage/storage-class.ts";
import { conformed } from "../bodies/decode.ts";
import type { ServerParts } from "../parts.ts";
import { createObject } from "../verbs/create.ts";
import { systemCall } from "./system-call.ts";

/** @spec k8s@1.36 pkg/controlplane/controller/systemnamespaces; `default` comes from the kubernetes Service's namespace */
const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Makes the namespaces, priority classes and the driver that every cluster has, where they are missing. */
export async function ensureSystemObjects(parts: ServerParts): Promise<void> {
  const namespaces = NAMESPACES.map((name) => ({
    metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
  }));
  await Promise.all([
    ensure(parts, Namespace, namespaces),
    ensure(parts, PriorityClass, systemPriorityClasses),
    ensureStorage(parts),
  ]);
}

/** The class comes once, before the driver: a cluster that has the driver has had it, and keeps what its users made of it. */
async function ensureStorage(parts: ServerParts): Promise<void> {
  const { group, version, plural } = CSIDriver;
  const drivers = parts.resources.find(group, version, plural);
  if (drivers?.cache.get(volumesDriver.metadata!.name!)) return;
  await ensure(parts, StorageClass, [standardClass]);
  await ensure(parts, CSIDriver, [volumesDriver]);
}

async function ensure(
  parts: ServerParts,
  { group, version, plural }: Kind,
  objects: readonly KubeObject[],
): Promise<void> {
  const served = parts.resources.find(group, version, plural);
  if (!served) return;
  const missing = objects.filter(({ metadata }) => !served.cache.get(metadata?.name ?? ""));
  await Promise.all(missing.map((object) => create(parts, { group, version, plural }, object)));
}

async function create(
  parts: ServerParts,
  resource: Pick<Kind, "group" | "version" | "plural">,
  wanted: KubeObject,
): Promise<void> {
  const name = wanted.metadata?.name ?? "";
  const call = systemCall(parts, { ...resource, verb: "create", namespace: "", name });
  const object = conformed(parts, call, call.served, wanted);
  // Another server of the same store may be starting too.
  try {
    await createObject(parts, call, object);
  } catch (error) {
    if (!isStatusError(error, "AlreadyExists")) throw error;
  }
}
