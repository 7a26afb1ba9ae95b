import type { V1Role } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { defaultColumns } from "../strategy/columns.ts";
import { plainStrategy } from "../strategy/strategy.ts";
import { nameIsPathSegment } from "../machinery/names.ts";
import { olderRoles } from "./older-versions.ts";
import { validateRole } from "./rule-validation.ts";

export type Role = V1Role;

export const Role: Kind<Role> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "Role",
  plural: "roles",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/rbac/role/strategy.go */
export const roleResource: Resource<Role> = {
  kind: Role,
  singular: "role",
  strategy: plainStrategy<Role>({
    validate: validateRole,
    validateName: nameIsPathSegment,
    allowsCreateOnUpdate: true,
  }),
  olderVersions: olderRoles,
  columns: defaultColumns(),
};
