import { Namespace } from "../../api/core/namespace.ts";
import { Node } from "../../api/core/node.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pod.ts";
import { Secret } from "../../api/core/secret.ts";
import { ServiceAccount } from "../../api/core/service-account.ts";
import type { Kind } from "../../api/machinery/kind.ts";
import { ClusterRoleBinding } from "../../api/rbac/cluster-role-binding.ts";
import { ClusterRole } from "../../api/rbac/cluster-role.ts";
import { RoleBinding } from "../../api/rbac/role-binding.ts";
import { Role } from "../../api/rbac/role.ts";
import { RuntimeClass } from "../../api/node/runtime-class.ts";
import { PriorityClass } from "../../api/scheduling/priority-class.ts";
import type { V1PersistentVolume, V1VolumeAttachment } from "../../gen/types.ts";

const volumeAttachment: Kind<V1VolumeAttachment> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  plural: "volumeattachments",
  isNamespaced: false,
};

const persistentVolume: Kind<V1PersistentVolume> = {
  group: "",
  version: "v1",
  kind: "PersistentVolume",
  plural: "persistentvolumes",
  isNamespaced: false,
};

/**
 * The kinds that authentication, authorization and admission read out of the server's cache.
 *
 * Those written out here may not be served (yet): the cache then holds none of them.
 */
export const cached = {
  clusterRole: ClusterRole,
  clusterRoleBinding: ClusterRoleBinding,
  namespace: Namespace,
  node: Node,
  persistentVolume,
  persistentVolumeClaim: PersistentVolumeClaim,
  pod: Pod,
  priorityClass: PriorityClass,
  runtimeClass: RuntimeClass,
  role: Role,
  roleBinding: RoleBinding,
  secret: Secret,
  serviceAccount: ServiceAccount,
  volumeAttachment,
} as const;
