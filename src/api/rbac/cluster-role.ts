import type { V1ClusterRole } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { defaultColumns } from "../strategy/columns.ts";
import { plainStrategy } from "../strategy/strategy.ts";
import { nameIsPathSegment } from "../machinery/names.ts";
import { olderClusterRoles } from "./older-versions.ts";
import { validateClusterRole } from "./rule-validation.ts";

export type ClusterRole = V1ClusterRole;

export const ClusterRole: Kind<ClusterRole> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  isNamespaced: false,
};

/** @spec k8s@1.36 pkg/registry/rbac/clusterrole/strategy.go */
export const clusterRoleResource: Resource<ClusterRole> = {
  kind: ClusterRole,
  singular: "clusterrole",
  strategy: plainStrategy<ClusterRole>({
    validate: validateClusterRole,
    validateName: nameIsPathSegment,
    allowsCreateOnUpdate: true,
  }),
  olderVersions: olderClusterRoles,
  columns: defaultColumns(),
};
