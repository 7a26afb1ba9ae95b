import type { V1SelfSubjectAccessReview } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import { sameForm } from "../machinery/older-version.ts";
import type { Resource } from "../machinery/resource.ts";
import { plainStrategy } from "../strategy/strategy.ts";
import { validateAsked, validateNoMetadata } from "./access-validation.ts";

export type SelfSubjectAccessReview = V1SelfSubjectAccessReview;

export const SelfSubjectAccessReview: Kind<SelfSubjectAccessReview> = {
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SelfSubjectAccessReview",
  plural: "selfsubjectaccessreviews",
  isNamespaced: false,
};

/** A question in the form of an object: answered, never stored. @spec k8s@1.36 pkg/registry/authorization/selfsubjectaccessreview */
export const selfSubjectAccessReviewResource: Resource<SelfSubjectAccessReview> = {
  kind: SelfSubjectAccessReview,
  singular: "selfsubjectaccessreview",
  verbs: ["create"],
  strategy: plainStrategy<SelfSubjectAccessReview>({
    validate: ({ metadata, spec }) => [
      ...validateAsked(spec),
      ...validateNoMetadata(metadata, "must be empty"),
    ],
  }),
  olderVersions: [sameForm(SelfSubjectAccessReview, "v1beta1", "1.19", "1.22")],
  columns: [],
};
