import type { V1LocalSubjectAccessReview } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { plainStrategy } from "../strategy/strategy.ts";

export type LocalSubjectAccessReview = V1LocalSubjectAccessReview;

export const LocalSubjectAccessReview: Kind<LocalSubjectAccessReview> = {
  group: "authorization.k8s.io",
  version: "v1",
  kind: "LocalSubjectAccessReview",
  plural: "localsubjectaccessreviews",
  isNamespaced: true,
};

/** A question in the form of an object: answered, never stored. @spec k8s@1.36 pkg/registry/authorization/localsubjectaccessreview */
export const localSubjectAccessReviewResource: Resource<LocalSubjectAccessReview> = {
  kind: LocalSubjectAccessReview,
  singular: "localsubjectaccessreview",
  verbs: ["create"],
  strategy: plainStrategy<LocalSubjectAccessReview>(),
  columns: [],
};
