import type { Kind } from "../../api/machinery/kind.ts";
import type { KubeObject } from "../../api/machinery/object.ts";
import type {
  V1ClusterRole,
  V1ClusterRoleBinding,
  V1Namespace,
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PriorityClass,
  V1Role,
  V1RoleBinding,
  V1Secret,
  V1ServiceAccount,
  V1VolumeAttachment,
} from "../../gen/types.ts";

const RBAC = "rbac.authorization.k8s.io";

/** The kinds that authentication, authorization and admission read out of the server's cache. */
export const cached = {
  clusterRole: kind<V1ClusterRole>(RBAC, "ClusterRole", "clusterroles", false),
  clusterRoleBinding: kind<V1ClusterRoleBinding>(
    RBAC,
    "ClusterRoleBinding",
    "clusterrolebindings",
    false,
  ),
  namespace: kind<V1Namespace>("", "Namespace", "namespaces", false),
  node: kind<V1Node>("", "Node", "nodes", false),
  persistentVolume: kind<V1PersistentVolume>("", "PersistentVolume", "persistentvolumes", false),
  persistentVolumeClaim: kind<V1PersistentVolumeClaim>(
    "",
    "PersistentVolumeClaim",
    "persistentvolumeclaims",
  ),
  pod: kind<V1Pod>("", "Pod", "pods"),
  priorityClass: kind<V1PriorityClass>(
    "scheduling.k8s.io",
    "PriorityClass",
    "priorityclasses",
    false,
  ),
  role: kind<V1Role>(RBAC, "Role", "roles"),
  roleBinding: kind<V1RoleBinding>(RBAC, "RoleBinding", "rolebindings"),
  secret: kind<V1Secret>("", "Secret", "secrets"),
  volumeAttachment: kind<V1VolumeAttachment>(
    "storage.k8s.io",
    "VolumeAttachment",
    "volumeattachments",
    false,
  ),
  serviceAccount: kind<V1ServiceAccount>("", "ServiceAccount", "serviceaccounts"),
} as const;

function kind<T extends KubeObject>(
  group: string,
  name: string,
  plural: string,
  isNamespaced = true,
): Kind<T> {
  return { group, version: "v1", kind: name, plural, isNamespaced };
}
