import type {
  V1ObjectMeta,
  V1SelfSubjectAccessReviewSpec,
  V1SubjectAccessReviewSpec,
} from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { invalid } from "../machinery/field-error.ts";
import { when, type Errors } from "../strategy/checks.ts";
import { withField } from "../strategy/strategy.ts";

/** A question is about a resource or about a path. @spec k8s@1.36 pkg/apis/authorization/validation */
export function validateAsked(spec: V1SelfSubjectAccessReviewSpec | undefined): Errors {
  const { resourceAttributes, nonResourceAttributes } = spec ?? {};
  const notBoth = "cannot be specified in combination with resourceAttributes";
  const one = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
  return [
    ...when(
      resourceAttributes !== undefined && nonResourceAttributes !== undefined,
      invalid("spec.nonResourceAttributes", nonResourceAttributes, notBoth),
    ),
    ...when(
      resourceAttributes === undefined && nonResourceAttributes === undefined,
      invalid("spec.resourceAttributes", null, one),
    ),
  ];
}

/** A question about someone names them. */
export function validateSubject(spec: V1SubjectAccessReviewSpec | undefined): Errors {
  const { user, groups = [] } = spec ?? {};
  const rule = "at least one of user or group must be specified";
  return when(!user && groups.length === 0, invalid("spec.user", user ?? "", rule));
}

/** Questions are not stored, so they have no name. */
export function validateNoMetadata(metadata: V1ObjectMeta | undefined, rule: string): Errors {
  const rest = withField(metadata ?? {}, "managedFields", undefined);
  return when(!equalSemantic(rest, {}), invalid("metadata", metadata, rule));
}
