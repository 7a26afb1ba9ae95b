import type { V1SubjectAccessReview } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { plainStrategy } from "../strategy/strategy.ts";
import { olderAccessReview } from "./older-versions.ts";
import { validateAsked, validateNoMetadata, validateSubject } from "./access-validation.ts";

export type SubjectAccessReview = V1SubjectAccessReview;

export const SubjectAccessReview: Kind<SubjectAccessReview> = {
  group: "authorization.k8s.io",
  version: "v1",
  kind: "SubjectAccessReview",
  plural: "subjectaccessreviews",
  isNamespaced: false,
};

/** A question in the form of an object: answered, never stored. @spec k8s@1.36 pkg/registry/authorization/subjectaccessreview */
export const subjectAccessReviewResource: Resource<SubjectAccessReview> = {
  kind: SubjectAccessReview,
  singular: "subjectaccessreview",
  verbs: ["create"],
  strategy: plainStrategy<SubjectAccessReview>({
    validate: ({ metadata, spec }) => [
      ...validateAsked(spec),
      ...validateSubject(spec),
      ...validateNoMetadata(metadata, "must be empty"),
    ],
  }),
  olderVersions: [olderAccessReview<SubjectAccessReview>(SubjectAccessReview)],
  columns: [],
};
