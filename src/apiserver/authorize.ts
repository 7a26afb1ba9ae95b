import type { Authorizer } from "./authz/authorizer.ts";
import { forbiddenCall } from "./authz/denial.ts";
import type { RequestInfo, UserInfo } from "./request.ts";

/**
 * Asks the authorizers in their order; the first that allows decides.
 *
 * @throws {StatusError} Forbidden, in upstream's words.
 */
export function authorize(
  { authorizers }: { readonly authorizers: readonly Authorizer[] },
  user: UserInfo,
  info: RequestInfo,
): void {
  let reasons = "";
  for (const authorizer of authorizers) {
    const decision = authorizer.authorize(user, info);
    if (decision.isAllowed) return;
    if (decision.reason) reasons += reasons ? `, ${decision.reason}` : decision.reason;
  }
  throw forbiddenCall(user, info, reasons);
}
