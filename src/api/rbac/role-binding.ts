import type { V1RoleBinding } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { nameIsPathSegment } from "../machinery/names.ts";
import { olderRoleBindings } from "./older-versions.ts";
import {
  validateBindingChange,
  validateRoleBinding,
  withBindingDefaults,
} from "./binding-rules.ts";
import { bindingColumns } from "./binding-columns.ts";
import { plainStrategy } from "../strategy/strategy.ts";

export type RoleBinding = V1RoleBinding;

export const RoleBinding: Kind<RoleBinding> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "RoleBinding",
  plural: "rolebindings",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/rbac/rolebinding/strategy.go */
export const roleBindingResource: Resource<RoleBinding> = {
  kind: RoleBinding,
  singular: "rolebinding",
  strategy: plainStrategy<RoleBinding>({
    withDefaults: withBindingDefaults,
    validate: validateRoleBinding,
    validateChange: validateBindingChange,
    validateName: nameIsPathSegment,
    allowsCreateOnUpdate: true,
  }),
  olderVersions: olderRoleBindings,
  columns: bindingColumns(),
};
