import type { UserInfo } from "../request.ts";
import type { AuthorizedInfo, Authorizer, Decision } from "./authorizer.ts";

/** Members may do everything, whatever roles say: the way back in after a mistake with roles. */
export const PRIVILEGED_GROUP = "system:masters";

const PRIVILEGED: Decision = { isAllowed: true, reason: "" };

/**
 * Asks `system:masters` first, then each authorizer in order; the first that allows decides.
 *
 * @spec k8s@1.36 apiserver pkg/authorization/union, authorizerfactory NewPrivilegedGroups
 */
export class AuthorizerChain implements Authorizer {
  readonly #authorizers: readonly Authorizer[];

  constructor(authorizers: readonly Authorizer[]) {
    this.#authorizers = authorizers;
  }

  authorize(user: UserInfo, info: AuthorizedInfo): Decision {
    if (user.groups.includes(PRIVILEGED_GROUP)) return PRIVILEGED;
    const reasons: string[] = [];
    for (const authorizer of this.#authorizers) {
      const decision = authorizer.authorize(user, info);
      if (decision.isAllowed) return decision;
      if (decision.reason !== "") reasons.push(decision.reason);
    }
    return { isAllowed: false, reason: reasons.join("\n") };
  }
}
