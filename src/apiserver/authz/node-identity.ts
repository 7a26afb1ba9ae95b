import type { UserInfo } from "../request.ts";

const USER_PREFIX = "system:node:";
const GROUP = "system:nodes";

/**
 * The node that a user is; "" for a node that does not say which; `undefined` for anybody else.
 *
 * @spec k8s@1.36 pkg/auth/nodeidentifier/default.go
 */
export function nodeNameOf(user: UserInfo): string | undefined {
  if (!user.name.startsWith(USER_PREFIX) || !user.groups.includes(GROUP)) return undefined;
  return user.name.slice(USER_PREFIX.length);
}
