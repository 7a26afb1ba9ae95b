import type { RequestInfo, UserInfo } from "../request.ts";

/** @spec k8s@1.36 apiserver pkg/authorization/authorizer */
export interface Authorizer {
  /** Pure over the caches, never waits. `isAllowed: false` of one authorizer leaves the decision to the next. */
  authorize(user: UserInfo, info: AuthorizedInfo): Decision;
}

/** The part of a request that access depends on; also what access reviews ask about. */
export type AuthorizedInfo = Pick<
  RequestInfo,
  | "isResource"
  | "verb"
  | "path"
  | "group"
  | "version"
  | "plural"
  | "subresource"
  | "namespace"
  | "name"
>;

export interface Decision {
  readonly isAllowed: boolean;
  /** Upstream's words: `RBAC: allowed by …`, or why not. */
  readonly reason: string;
}
