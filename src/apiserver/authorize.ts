import { forbidden } from "../api/machinery/status-errors.ts";
import type { ServerParts } from "./parts.ts";
import type { RequestInfo, UserInfo } from "./request.ts";

/**
 * Asks the authorizers in their order; the first that allows decides.
 *
 * @throws {StatusError} Forbidden, in upstream's words.
 * @spec k8s@1.36 apiserver endpoints/handlers/responsewriters/errors.go Forbidden, forbiddenMessage
 */
export function authorize(parts: ServerParts, user: UserInfo, info: RequestInfo): void {
  let reasons = "";
  for (const authorizer of parts.authorizers) {
    const decision = authorizer.authorize(user, info);
    if (decision.isAllowed) return;
    if (decision.reason) reasons += reasons ? `, ${decision.reason}` : decision.reason;
  }
  const resource = info.isResource ? { group: info.group, plural: info.plural } : undefined;
  const name = info.isResource ? info.name : "";
  throw forbidden(
    resource,
    name,
    reasons ? `${denial(user, info)}: ${reasons}` : denial(user, info),
  );
}

function denial(user: UserInfo, info: RequestInfo): string {
  const name = JSON.stringify(user.name);
  if (!info.isResource) return `User ${name} cannot ${info.verb} path ${JSON.stringify(info.path)}`;
  const resource = info.subresource ? `${info.plural}/${info.subresource}` : info.plural;
  const what = `User ${name} cannot ${info.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(info.group)}`;
  return info.namespace === ""
    ? `${what} at the cluster scope`
    : `${what} in the namespace ${JSON.stringify(info.namespace)}`;
}
