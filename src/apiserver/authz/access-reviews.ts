import { type FieldError, invalid as invalidField } from "../../api/machinery/field-error.ts";
import type {
  V1LocalSubjectAccessReview,
  V1NonResourceAttributes,
  V1PolicyRule,
  V1ResourceAttributes,
  V1SelfSubjectAccessReview,
  V1SelfSubjectRulesReview,
  V1SubjectAccessReview,
  V1SubjectAccessReviewSpec,
  V1SubjectAccessReviewStatus,
} from "../../gen/types.ts";
import { badRequest, invalid } from "../../api/machinery/status-errors.ts";
import type { UserInfo } from "../request.ts";
import type { AuthorizedInfo, Authorizer } from "./authorizer.ts";
import { aggregate } from "./rbac-authorizer.ts";
import type { RbacRules } from "./rbac-rules.ts";
import { nodeNameOf } from "./node-identity.ts";

const GROUP = "authorization.k8s.io";
const apiVersion = `${GROUP}/v1`;

/** Answers `POST subjectaccessreviews`. @spec k8s@1.36 pkg/registry/authorization/subjectaccessreview */
export function reviewAccess(
  review: V1SubjectAccessReview,
  authorizer: Authorizer,
): V1SubjectAccessReview {
  refuseInvalid("SubjectAccessReview", [
    ...attributeErrors(review.spec),
    ...userErrors(review.spec),
  ]);
  const status = statusOf(userOf(review.spec), review.spec, authorizer);
  return { kind: "SubjectAccessReview", apiVersion, metadata: {}, spec: review.spec, status };
}

/** Answers `POST selfsubjectaccessreviews`: `kubectl auth can-i`. */
export function reviewOwnAccess(
  review: V1SelfSubjectAccessReview,
  user: UserInfo,
  authorizer: Authorizer,
): V1SelfSubjectAccessReview {
  refuseInvalid("SelfSubjectAccessReview", attributeErrors(review.spec));
  const status = statusOf(user, review.spec, authorizer);
  return { kind: "SelfSubjectAccessReview", apiVersion, metadata: {}, spec: review.spec, status };
}

/** Answers `POST namespaces/NS/localsubjectaccessreviews`. */
export function reviewLocalAccess(
  review: V1LocalSubjectAccessReview,
  namespace: string,
  authorizer: Authorizer,
): V1LocalSubjectAccessReview {
  const { spec } = review;
  const asked = spec.resourceAttributes?.namespace;
  refuseInvalid("LocalSubjectAccessReview", [
    ...attributeErrors(spec),
    ...userErrors(spec),
    ...(spec.nonResourceAttributes
      ? [
          invalidField(
            "spec.nonResourceAttributes",
            spec.nonResourceAttributes,
            "disallowed on this kind of request",
          ),
        ]
      : []),
  ]);
  if (asked !== namespace)
    throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`);
  const status = statusOf(userOf(spec), spec, authorizer);
  const metadata = { namespace };
  return { kind: "LocalSubjectAccessReview", apiVersion, metadata, spec, status };
}

/** Answers `POST selfsubjectrulesreviews`: `kubectl auth can-i --list`. */
export function reviewOwnRules(
  review: V1SelfSubjectRulesReview,
  user: UserInfo,
  rules: RbacRules,
): V1SelfSubjectRulesReview {
  const namespace = review.spec.namespace;
  if (!namespace) throw badRequest("no namespace on request");
  const held = rules.rulesOf(user, namespace);
  const isNode = nodeNameOf(user) !== undefined;
  const problems = [
    ...held.problems,
    ...(isNode ? ["node authorizer does not support user rule resolution"] : []),
  ];
  const status = {
    resourceRules: held.rules.filter(({ resources }) => resources?.length).map(resourceRule),
    nonResourceRules: held.rules.flatMap(({ nonResourceURLs, verbs }) =>
      nonResourceURLs?.length ? [{ verbs, nonResourceURLs }] : [],
    ),
    incomplete: problems.length > 0,
    ...(problems.length > 0 ? { evaluationError: aggregate(problems) } : {}),
  };
  return { kind: "SelfSubjectRulesReview", apiVersion, metadata: {}, spec: review.spec, status };
}

function resourceRule({ verbs, apiGroups, resources, resourceNames }: V1PolicyRule) {
  return {
    verbs,
    ...(apiGroups ? { apiGroups } : {}),
    ...(resources ? { resources } : {}),
    ...(resourceNames?.length ? { resourceNames } : {}),
  };
}

interface Attributes {
  readonly resourceAttributes?: V1ResourceAttributes;
  readonly nonResourceAttributes?: V1NonResourceAttributes;
}

function statusOf(
  user: UserInfo,
  attributes: Attributes,
  authorizer: Authorizer,
): V1SubjectAccessReviewStatus {
  const { isAllowed, reason } = authorizer.authorize(user, infoOf(attributes));
  return { allowed: isAllowed, ...(reason ? { reason } : {}) };
}

function infoOf({ resourceAttributes: of, nonResourceAttributes }: Attributes): AuthorizedInfo {
  return {
    isResource: of !== undefined,
    verb: (of ?? nonResourceAttributes)?.verb ?? "",
    path: nonResourceAttributes?.path ?? "",
    group: of?.group ?? "",
    version: of?.version ?? "",
    plural: of?.resource ?? "",
    subresource: of?.subresource ?? "",
    namespace: of?.namespace ?? "",
    name: of?.name ?? "",
  };
}

function userOf({ user = "", groups = [], uid, extra }: V1SubjectAccessReviewSpec): UserInfo {
  return { name: user, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
}

/** @spec k8s@1.36 pkg/apis/authorization/validation */
function attributeErrors(spec: Attributes): readonly FieldError[] {
  if (spec.resourceAttributes && spec.nonResourceAttributes)
    return [
      invalidField(
        "spec.nonResourceAttributes",
        spec.nonResourceAttributes,
        "cannot be specified in combination with resourceAttributes",
      ),
    ];
  if (!spec.resourceAttributes && !spec.nonResourceAttributes)
    return [
      invalidField(
        "spec.resourceAttributes",
        null,
        "exactly one of nonResourceAttributes or resourceAttributes must be specified",
      ),
    ];
  return [];
}

function userErrors({ user, groups }: V1SubjectAccessReviewSpec): readonly FieldError[] {
  if (user || groups?.length) return [];
  return [invalidField("spec.user", "", "at least one of user or group must be specified")];
}

function refuseInvalid(kind: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: GROUP, kind, name: "", errors });
}
