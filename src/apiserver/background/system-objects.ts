import { isStatusError } from "../../api/machinery/status-error.ts";
import { conformed } from "../bodies/decode.ts";
import type { ServerParts } from "../parts.ts";
import { createObject } from "../verbs/create.ts";
import { systemCall } from "./system-call.ts";

/** @spec k8s@1.36 pkg/controlplane/controller/systemnamespaces; `default` comes from the kubernetes Service's namespace */
const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Makes the namespaces that every cluster has, where they are missing. */
export async function ensureSystemObjects(parts: ServerParts): Promise<void> {
  const served = parts.resources.find("", "v1", "namespaces");
  if (!served) return;
  const missing = NAMESPACES.filter((name) => !served.cache.get(name));
  await Promise.all(missing.map((name) => createNamespace(parts, name)));
}

async function createNamespace(parts: ServerParts, name: string): Promise<void> {
  const target = { group: "", version: "v1", plural: "namespaces", verb: "create" };
  const call = systemCall(parts, { ...target, namespace: "", name });
  // Another server of the same store may be starting too.
  const labels = { "kubernetes.io/metadata.name": name };
  const object = conformed(parts, call, call.served, { metadata: { name, labels } });
  try {
    await createObject(parts, call, object);
  } catch (error) {
    if (!isStatusError(error, "AlreadyExists")) throw error;
  }
}
