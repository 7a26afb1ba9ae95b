import type { RbacV1Subject, V1ClusterRoleBinding, V1RoleBinding } from "../../gen/types.ts";
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
