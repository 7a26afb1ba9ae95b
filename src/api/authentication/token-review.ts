import type { V1TokenReview } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import { sameForm } from "../machinery/older-version.ts";
import type { Resource } from "../machinery/resource.ts";
import { plainStrategy } from "../strategy/strategy.ts";

export type TokenReview = V1TokenReview;

export const TokenReview: Kind<TokenReview> = {
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenReview",
  plural: "tokenreviews",
  isNamespaced: false,
};

/** A question in the form of an object: answered, never stored. @spec k8s@1.36 pkg/registry/authentication/tokenreview */
export const tokenReviewResource: Resource<TokenReview> = {
  kind: TokenReview,
  singular: "tokenreview",
  verbs: ["create"],
  strategy: plainStrategy<TokenReview>(),
  olderVersions: [sameForm(TokenReview, "v1beta1", "1.19", "1.22")],
  columns: [],
};
