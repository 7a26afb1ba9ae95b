import type { StatusError } from "../../api/machinery/status-error.ts";
import { forbidden } from "../../api/machinery/status-errors.ts";
import type { UserInfo } from "../request.ts";
import type { AuthorizedInfo } from "./authorizer.ts";

/**
 * The 403 of a call that no authorizer allowed. Clients parse its message.
 *
 * @spec k8s@1.36 apiserver pkg/endpoints/handlers/responsewriters errors.go ForbiddenStatusError
 */
export function forbiddenCall(user: UserInfo, info: AuthorizedInfo, reason: string): StatusError {
  const what = denialMessage(user, info);
  const message = reason === "" ? what : `${what}: ${reason}`;
  const { group, name } = info;
  const resource = info.isResource ? { group, plural: info.plural } : undefined;
  return forbidden(resource, resource ? name : "", message);
}

/** `User "x" cannot list resource "pods" in API group "" in the namespace "default"` */
export function denialMessage(user: UserInfo, info: AuthorizedInfo): string {
  const who = `User ${JSON.stringify(user.name)} cannot ${info.verb}`;
  if (!info.isResource) return `${who} path ${JSON.stringify(info.path)}`;
  const resource = info.subresource ? `${info.plural}/${info.subresource}` : info.plural;
  const scope = info.namespace
    ? `in the namespace ${JSON.stringify(info.namespace)}`
    : "at the cluster scope";
  return `${who} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(info.group)} ${scope}`;
}
