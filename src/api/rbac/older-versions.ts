import type {
  RbacV1Subject,
  V1ClusterRole,
  V1ClusterRoleBinding,
  V1Role,
  V1RoleBinding,
} from "../../gen/types.ts";
import type { KubeObject } from "../machinery/object.ts";
import { sameForm, type OlderVersion } from "../machinery/older-version.ts";

const GROUP = "rbac.authorization.k8s.io";
const ALPHA = `${GROUP}/v1alpha1`;

const both = (kind: string) => {
  const hub = { group: GROUP, version: "v1", kind };
  return {
    beta: sameForm(hub, "v1beta1", "1.17", "1.22"),
    alpha: sameForm(hub, "v1alpha1", "1.17", "1.22"),
  };
};

export const olderRoles: readonly OlderVersion<V1Role>[] = Object.values(both("Role"));
export const olderClusterRoles: readonly OlderVersion<V1ClusterRole>[] = Object.values(
  both("ClusterRole"),
);
export const olderRoleBindings: readonly OlderVersion<V1RoleBinding>[] =
  bindings<V1RoleBinding>("RoleBinding");
export const olderClusterRoleBindings: readonly OlderVersion<V1ClusterRoleBinding>[] =
  bindings<V1ClusterRoleBinding>("ClusterRoleBinding");

/** In `v1alpha1` a subject says its apiVersion; later its group. */
interface AlphaSubject extends Omit<RbacV1Subject, "apiGroup"> {
  readonly apiVersion?: string;
}

type Binding = KubeObject & { readonly subjects?: readonly RbacV1Subject[] };

function bindings<T extends Binding>(kind: string): readonly OlderVersion<T>[] {
  const { beta, alpha } = both(kind);
  return [
    beta,
    {
      ...alpha,
      toHub: (object) => withSubjects<T>(object, hubSubject),
      fromHub: (object) => withSubjects(object, alphaSubject),
    },
  ];
}

function withSubjects<T extends KubeObject>(
  object: KubeObject,
  convert: (one: never) => object,
): T {
  const { subjects } = object as Binding;
  if (!subjects) return object as T;
  return {
    ...object,
    subjects: subjects.map((subject) => convert(subject as never)),
  } as unknown as T;
}

/** @spec k8s@1.20 pkg/apis/rbac/v1alpha1/conversion.go; a user called `*` was everyone who is known */
function hubSubject({ apiVersion = "", ...subject }: AlphaSubject): RbacV1Subject {
  const { kind, name } = subject;
  if (kind === "ServiceAccount") return subject;
  if (kind === "User" && name === "*")
    return { ...subject, kind: "Group", apiGroup: GROUP, name: "system:authenticated" };
  if (kind === "User" || kind === "Group") return { ...subject, apiGroup: GROUP };
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? subject : { ...subject, apiGroup: apiVersion.slice(0, slash) };
}

function alphaSubject({ apiGroup = "", ...subject }: RbacV1Subject): AlphaSubject {
  if (apiGroup === "") return { ...subject, apiVersion: "v1" };
  return { ...subject, apiVersion: apiGroup === GROUP ? ALPHA : `${apiGroup}/` };
}
