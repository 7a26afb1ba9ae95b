import type { V1SelfSubjectReview, V1TokenReview, V1UserInfo } from "../../gen/types.ts";
import type { UserInfo } from "../request.ts";
import { badRequest } from "../../api/machinery/status-errors.ts";
import type { RequestAuthenticator } from "./request-authenticator.ts";

/** Answers `POST tokenreviews`. @spec k8s@1.36 pkg/registry/authentication/tokenreview */
export function reviewToken(
  review: V1TokenReview,
  authenticator: RequestAuthenticator,
  apiAudiences: readonly string[],
): V1TokenReview {
  const token = review.spec?.token;
  if (!token) throw badRequest("token is required for TokenReview in authentication");
  const audiences = review.spec.audiences?.length ? review.spec.audiences : apiAudiences;
  const found = authenticator.authenticateToken(token, audiences);
  const status = found
    ? {
        authenticated: true,
        user: userInfoOf(found.user),
        audiences: found.audiences,
      }
    : { user: {}, error: "invalid bearer token" };
  return {
    kind: "TokenReview",
    apiVersion: "authentication.k8s.io/v1",
    metadata: {},
    spec: review.spec,
    status,
  };
}

/** Answers `POST selfsubjectreviews`: `kubectl auth whoami`. */
export function reviewSelf(user: UserInfo): V1SelfSubjectReview {
  return {
    kind: "SelfSubjectReview",
    apiVersion: "authentication.k8s.io/v1",
    metadata: {},
    status: { userInfo: userInfoOf(user) },
  };
}

function userInfoOf(user: UserInfo): V1UserInfo {
  return {
    username: user.name,
    ...(user.uid ? { uid: user.uid } : {}),
    groups: user.groups,
    ...(user.extra && Object.keys(user.extra).length > 0 ? { extra: user.extra } : {}),
  };
}
