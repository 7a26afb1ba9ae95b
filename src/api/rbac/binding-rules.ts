import type { RbacV1Subject, V1ClusterRoleBinding, V1RoleBinding } from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { invalid } from "../machinery/field-error.ts";
import { validateDnsSubdomain, validatePathSegment } from "../machinery/names.ts";
import {
  each,
  invalids,
  oneOf,
  requiredName,
  requiredText,
  when,
  type Errors,
} from "../strategy/checks.ts";
import { fill, mapField, mapItems } from "../strategy/strategy.ts";

type Binding = V1RoleBinding | V1ClusterRoleBinding;

const GROUP = "rbac.authorization.k8s.io";

/** Groups that are meant when none is written. @spec k8s@1.36 pkg/apis/rbac/v1 defaults.go */
export function withBindingDefaults<T extends Binding>(binding: T): T {
  const referring = mapField<Binding, "roleRef">(binding, "roleRef", (ref) =>
    fill(ref, { apiGroup: GROUP }),
  );
  return mapField(referring, "subjects", (subjects) =>
    mapItems(subjects, withSubjectDefaults),
  ) as T;
}

function withSubjectDefaults(subject: RbacV1Subject): RbacV1Subject {
  return subject.kind === "User" || subject.kind === "Group"
    ? fill(subject, { apiGroup: GROUP })
    : subject;
}

/** A binding in a namespace may grant either kind of role. @spec k8s@1.36 pkg/apis/rbac/validation ValidateRoleBinding */
export function validateRoleBinding(binding: V1RoleBinding): Errors {
  return validateBinding(binding, ["Role", "ClusterRole"], true);
}

/** @spec ValidateClusterRoleBinding */
export function validateClusterRoleBinding(binding: V1ClusterRoleBinding): Errors {
  return validateBinding(binding, ["ClusterRole"], false);
}

/** Who may bind a role is checked when it is bound, so the role stays. @spec ValidateRoleBindingUpdate */
export function validateBindingChange({ roleRef }: Binding, old: Binding): Errors {
  return when(
    !equalSemantic(roleRef, old.roleRef),
    invalid("roleRef", roleRef, "cannot change roleRef"),
  );
}

function validateBinding(
  { roleRef, subjects }: Partial<Binding>,
  kinds: readonly string[],
  isNamespaced: boolean,
): Errors {
  return [
    ...oneOf("roleRef.apiGroup", roleRef?.apiGroup ?? "", [GROUP]),
    ...oneOf("roleRef.kind", roleRef?.kind ?? "", kinds),
    ...requiredName("roleRef.name", roleRef?.name, validatePathSegment),
    ...each(subjects, "subjects", (subject, path) => validateSubject(subject, isNamespaced, path)),
  ];
}

function validateSubject(subject: RbacV1Subject, isNamespaced: boolean, path: string): Errors {
  const { kind, name, namespace, apiGroup = "" } = subject;
  const named = requiredText(`${path}.name`, name);
  switch (kind) {
    case "ServiceAccount":
      return [
        ...named,
        ...(name ? invalids(`${path}.name`, name, validateDnsSubdomain(name)) : []),
        ...oneOf(`${path}.apiGroup`, apiGroup, [""]),
        ...(isNamespaced ? [] : requiredText(`${path}.namespace`, namespace)),
      ];
    case "User":
    case "Group":
      return [...named, ...oneOf(`${path}.apiGroup`, apiGroup, [GROUP])];
    default:
      return [...named, ...oneOf(`${path}.kind`, kind ?? "", ["ServiceAccount", "User", "Group"])];
  }
}
