import type { V1LocalSubjectAccessReview } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { plainStrategy } from "../strategy/strategy.ts";
import { invalid } from "../machinery/field-error.ts";
import { when, type Errors } from "../strategy/checks.ts";
import { withField } from "../strategy/strategy.ts";
import { olderAccessReview } from "./older-versions.ts";
import { validateAsked, validateNoMetadata, validateSubject } from "./access-validation.ts";

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
  strategy: plainStrategy<LocalSubjectAccessReview>({ validate }),
  olderVersions: [olderAccessReview<LocalSubjectAccessReview>(LocalSubjectAccessReview)],
  columns: [],
};

function validate({ metadata = {}, spec }: LocalSubjectAccessReview): Errors {
  const asked = spec?.resourceAttributes;
  const paths = spec?.nonResourceAttributes;
  return [
    ...validateAsked(spec),
    ...validateSubject(spec),
    ...validateNoMetadata(
      withField(metadata, "namespace", undefined),
      "must be empty except for namespace",
    ),
    ...when(
      asked !== undefined && asked.namespace !== metadata.namespace,
      invalid(
        "spec.resourceAttributes.namespace",
        asked?.namespace ?? "",
        "must match metadata.namespace",
      ),
    ),
    ...when(
      paths !== undefined,
      invalid("spec.nonResourceAttributes", paths, "disallowed on this kind of request"),
    ),
  ];
}
