import type { V1SelfSubjectReview } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import { sameForm } from "../machinery/older-version.ts";
import type { Resource } from "../machinery/resource.ts";
import { plainStrategy } from "../strategy/strategy.ts";

export type SelfSubjectReview = V1SelfSubjectReview;

export const SelfSubjectReview: Kind<SelfSubjectReview> = {
  group: "authentication.k8s.io",
  version: "v1",
  kind: "SelfSubjectReview",
  plural: "selfsubjectreviews",
  isNamespaced: false,
};

/** A question in the form of an object: answered, never stored. @spec k8s@1.36 pkg/registry/authentication/selfsubjectreview */
export const selfSubjectReviewResource: Resource<SelfSubjectReview> = {
  kind: SelfSubjectReview,
  singular: "selfsubjectreview",
  verbs: ["create"],
  strategy: plainStrategy<SelfSubjectReview>(),
  olderVersions: [
    sameForm(SelfSubjectReview, "v1beta1", "1.30", "1.33"),
    sameForm(SelfSubjectReview, "v1alpha1", "1.29", "1.32"),
  ],
  columns: [],
};
