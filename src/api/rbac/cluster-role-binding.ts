import type { V1ClusterRoleBinding } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { nameIsPathSegment } from "../machinery/names.ts";
import { olderClusterRoleBindings } from "./older-versions.ts";
import {
  validateBindingChange,
  validateClusterRoleBinding,
  withBindingDefaults,
} from "./binding-rules.ts";
import { bindingColumns } from "./binding-columns.ts";
import { plainStrategy } from "../strategy/strategy.ts";

export type ClusterRoleBinding = V1ClusterRoleBinding;

export const ClusterRoleBinding: Kind<ClusterRoleBinding> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRoleBinding",
  plural: "clusterrolebindings",
  isNamespaced: false,
};

/** @spec k8s@1.36 pkg/registry/rbac/clusterrolebinding/strategy.go */
export const clusterRoleBindingResource: Resource<ClusterRoleBinding> = {
  kind: ClusterRoleBinding,
  singular: "clusterrolebinding",
  strategy: plainStrategy<ClusterRoleBinding>({
    withDefaults: withBindingDefaults,
    validate: validateClusterRoleBinding,
    validateChange: validateBindingChange,
    validateName: nameIsPathSegment,
    allowsCreateOnUpdate: true,
  }),
  olderVersions: olderClusterRoleBindings,
  columns: bindingColumns(),
};
