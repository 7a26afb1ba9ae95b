import { Namespace } from "../../api/core/namespace.ts";
import { Node } from "../../api/core/node.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { Pod } from "../../api/core/pod.ts";
import { Secret } from "../../api/core/secret.ts";
import { ServiceAccount } from "../../api/core/service-account.ts";
import { ClusterRoleBinding } from "../../api/rbac/cluster-role-binding.ts";
import { ClusterRole } from "../../api/rbac/cluster-role.ts";
import { RoleBinding } from "../../api/rbac/role-binding.ts";
import { Role } from "../../api/rbac/role.ts";
import { RuntimeClass } from "../../api/node/runtime-class.ts";
import { PriorityClass } from "../../api/scheduling/priority-class.ts";
import { StorageClass } from "../../api/storage/storage-class.ts";
import { VolumeAttachment } from "../../api/storage/volume-attachment.ts";

/** The kinds that authentication, authorization and admission read out of the server's cache. */
export const cached = {
  clusterRole: ClusterRole,
  clusterRoleBinding: ClusterRoleBinding,
  namespace: Namespace,
  node: Node,
  persistentVolume: PersistentVolume,
  persistentVolumeClaim: PersistentVolumeClaim,
  pod: Pod,
  priorityClass: PriorityClass,
  runtimeClass: RuntimeClass,
  role: Role,
  roleBinding: RoleBinding,
  secret: Secret,
  serviceAccount: ServiceAccount,
  storageClass: StorageClass,
  volumeAttachment: VolumeAttachment,
} as const;
