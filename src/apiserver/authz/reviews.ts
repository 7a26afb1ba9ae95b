import type { KubeObject } from "../../api/machinery/object.ts";
import type {
  V1LocalSubjectAccessReview,
  V1SelfSubjectAccessReview,
  V1SelfSubjectRulesReview,
  V1SubjectAccessReview,
  V1TokenReview,
} from "../../gen/types.ts";
import { reviewSelf, reviewToken } from "../authn/identity-reviews.ts";
import type { RequestAuthenticator } from "../authn/request-authenticator.ts";
import type { ApiCall } from "../api-call.ts";
import {
  reviewAccess,
  reviewLocalAccess,
  reviewOwnAccess,
  reviewOwnRules,
} from "./access-reviews.ts";
import type { Authorizer } from "./authorizer.ts";
import type { RbacRules } from "./rbac-rules.ts";

/** Answers `create` of a resource that is a question, or an order: it is not stored itself. */
export interface ReviewHandler {
  readonly group: string;
  readonly plural: string;
  /** `object`: decoded and conforming. @throws {StatusError} */
  review(call: ApiCall, object: KubeObject): KubeObject | Promise<KubeObject>;
}

export interface ReviewParts {
  readonly authenticator: RequestAuthenticator;
  readonly apiAudiences: readonly string[];
  /** All authorizers, joined: `AuthorizerChain`. */
  readonly authorizer: Authorizer;
  readonly rules: RbacRules;
}

/** All reviews that the server answers. */
export function reviewHandlers(parts: ReviewParts): readonly ReviewHandler[] {
  const { authenticator, apiAudiences, authorizer, rules } = parts;
  const authentication = (plural: string, review: ReviewHandler["review"]): ReviewHandler => ({
    group: "authentication.k8s.io",
    plural,
    review,
  });
  const authorization = (plural: string, review: ReviewHandler["review"]): ReviewHandler => ({
    group: "authorization.k8s.io",
    plural,
    // Without a spec it is a question without words: as Go has it, one of empty fields.
    review: (call, object) => review(call, { spec: {}, ...object } as KubeObject),
  });
  return [
    authentication("tokenreviews", (_call, object) =>
      reviewToken(object as V1TokenReview, authenticator, apiAudiences),
    ),
    authentication("selfsubjectreviews", ({ user }) => reviewSelf(user)),
    authorization("subjectaccessreviews", (_call, object) =>
      reviewAccess(object as V1SubjectAccessReview, authorizer),
    ),
    authorization("selfsubjectaccessreviews", ({ user }, object) =>
      reviewOwnAccess(object as V1SelfSubjectAccessReview, user, authorizer),
    ),
    authorization("localsubjectaccessreviews", ({ info }, object) =>
      reviewLocalAccess(object as V1LocalSubjectAccessReview, info.namespace, authorizer),
    ),
    authorization("selfsubjectrulesreviews", ({ user }, object) =>
      reviewOwnRules(object as V1SelfSubjectRulesReview, user, rules),
    ),
  ];
}
