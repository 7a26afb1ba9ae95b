import { ApiCall, NO_FLAGS } from "../api-call.ts";
import type { ServerParts } from "../parts.ts";
import type { RequestInfo, UserInfo } from "../request.ts";

/** Who the server itself is, in admission. @spec apiserver authentication/user APIServerUser */
export const SYSTEM_USER: UserInfo = {
  name: "system:apiserver",
  groups: ["system:masters", "system:authenticated"],
};

/** The server's own name among the managers of fields, as upstream's. */
const FLAGS = { ...NO_FLAGS, fieldManager: "kube-apiserver" };

const neverAborts = new AbortController().signal;

type Target = Pick<RequestInfo, "group" | "version" | "plural" | "verb" | "namespace" | "name">;

/** A call of the server itself, which no authorizer sees. The resource must be served. */
export function systemCall(parts: ServerParts, target: Target): ApiCall {
  const served = parts.resources.find(target.group, target.version, target.plural)!;
  const info = { ...target, isResource: true, path: "", subresource: "", tail: "" };
  return new ApiCall(info, SYSTEM_USER, served, FLAGS, () => neverAborts);
}
