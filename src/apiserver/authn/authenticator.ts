import type { ApiRequest, UserInfo } from "../request.ts";

/**
 * Says who sent a request. Tried in order: client certificate, bearer token.
 *
 * @returns `undefined`: the request carries no credential of this kind.
 * @throws {StatusError} Unauthorized: it carries one that does not hold. Never says why to the client.
 */
export interface Authenticator {
  /** Synchronous result where no waiting is needed (certificates, cached tokens): the fast path stays off the queue. */
  authenticate(request: ApiRequest): UserInfo | undefined | Promise<UserInfo | undefined>;
}
