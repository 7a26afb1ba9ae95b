import { isStatusError } from "../../api/machinery/status-error.ts";
import { ApiCall, NO_FLAGS } from "../api-call.ts";
import type { ServerParts } from "../parts.ts";
import type { UserInfo } from "../request.ts";
import { createObject } from "../verbs/create.ts";

/** Who the server itself is, in audit and admission. @spec apiserver authentication/user APIServerUser */
export const SYSTEM_USER: UserInfo = {
  name: "system:apiserver",
  groups: ["system:masters", "system:authenticated"],
};

/** @spec k8s@1.36 pkg/controlplane/controller/systemnamespaces; default comes from the kubernetes Service's namespace */
const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Makes the namespaces that every cluster has, where they are missing. */
export async function ensureSystemObjects(parts: ServerParts): Promise<void> {
  const served = parts.resources.find("", "v1", "namespaces");
  if (!served) return;
  await Promise.all(
    NAMESPACES.filter((name) => !served.cache.get(name)).map(async (name) => {
      const object = served.resource.strategy.withDefaults({
        kind: "Namespace",
        apiVersion: "v1",
        metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
      });
      await createObject(
        parts,
        systemCall(parts, "", "v1", "namespaces", "create", "", name),
        object,
      ).catch((error: unknown) => {
        if (!isStatusError(error, "AlreadyExists")) throw error;
      });
    }),
  );
}

/** A call of the server itself, which no authorizer sees. */
export function systemCall(
  parts: ServerParts,
  group: string,
  version: string,
  plural: string,
  verb: string,
  namespace: string,
  name: string,
): ApiCall {
  const served = parts.resources.find(group, version, plural)!;
  const path = "";
  const info = {
    isResource: true,
    verb,
    path,
    group,
    version,
    plural,
    subresource: "",
    namespace,
    name,
    tail: "",
  };
  return new ApiCall(info, SYSTEM_USER, served, NO_FLAGS, () => new AbortController().signal);
}
