import type { V1SelfSubjectRulesReview } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import { sameForm } from "../machinery/older-version.ts";
import type { Resource } from "../machinery/resource.ts";
import { plainStrategy } from "../strategy/strategy.ts";

export type SelfSubjectRulesReview = V1SelfSubjectRulesReview;

export const SelfSubjectRulesReview: Kind<SelfSubjectRulesReview> = {
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectRulesReview",
  plural: "selfsubjectrulesreviews",
  isNamespaced: false,
};

/** A question in the form of an object: answered, never stored. @spec k8s@1.36 pkg/registry/authorization/selfsubjectrulesreview */
export const selfSubjectRulesReviewResource: Resource<SelfSubjectRulesReview> = {
  kind: SelfSubjectRulesReview,
  singular: "selfsubjectrulesreview",
  verbs: ["create"],
  strategy: plainStrategy<SelfSubjectRulesReview>(),
  olderVersions: [sameForm(SelfSubjectRulesReview, "v1beta1", "1.19", "1.22")],
  columns: [],
};
