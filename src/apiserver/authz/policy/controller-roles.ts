import type { V1ClusterRole, V1PolicyRule } from "../../../gen/types.ts";
import { EVENTS, READ, rule } from "./rule.ts";

/** Role and ServiceAccount (in kube-system) names of controllers carry this before the controller's own. */
export const CONTROLLER_ROLE_PREFIX = "system:controller:";

const SIGNERS =
  "kubernetes.io/legacy-unknown kubernetes.io/kube-apiserver-client " +
  "kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving";

const PODS_OWNED = rule("list watch create delete patch", "core", "pods");
const SLICES = rule("get list watch create update delete", "discovery", "endpointslices");
const REVISIONS = rule(`${READ} create delete update patch`, "apps", "controllerrevisions");

/** What owns Pods reads itself, writes its status, and may block its own deletion. */
function owner(groups: string, plural: string, verbs = `${READ} update`): readonly V1PolicyRule[] {
  return [
    rule(verbs, groups, plural),
    rule("update", groups, `${plural}/status`),
    rule("update", groups, `${plural}/finalizers`),
  ];
}

/** Rules by controller, without {@link EVENTS}. @spec k8s@1.36 bootstrappolicy buildControllerRoles */
const RULES: Readonly<Record<string, readonly V1PolicyRule[]>> = {
  "attachdetach-controller": [
    rule("list watch", "core", "persistentvolumes persistentvolumeclaims pods"),
    rule(READ, "core", "nodes"),
    rule("patch update", "core", "nodes/status"),
    rule("get create delete list watch", "storage", "volumeattachments"),
    rule(READ, "storage", "csidrivers csinodes"),
  ],
  "certificate-controller": [
    rule(`${READ} delete`, "certificates", "certificatesigningrequests"),
    rule(
      "update",
      "certificates",
      "certificatesigningrequests/status certificatesigningrequests/approval",
    ),
    rule("approve", "certificates", "signers", "kubernetes.io/kube-apiserver-client-kubelet"),
    rule("sign", "certificates", "signers", SIGNERS),
    rule("create", "authorization", "subjectaccessreviews"),
  ],
  "clusterrole-aggregation-controller": [
    rule(`escalate ${READ} update patch`, "rbac", "clusterroles"),
  ],
  "cronjob-controller": [
    ...owner("batch", "cronjobs"),
    rule(`${READ} create update delete patch`, "batch", "jobs"),
    rule("list delete", "core", "pods"),
  ],
  "daemon-set-controller": [
    ...owner("apps extensions", "daemonsets", READ),
    rule("list watch", "core", "nodes"),
    PODS_OWNED,
    rule("create", "core", "pods/binding"),
    REVISIONS,
  ],
  "deployment-controller": [
    ...owner("apps extensions", "deployments"),
    rule(`${READ} create update patch delete`, "apps extensions", "replicasets"),
    rule(`${READ} update`, "core", "pods"),
  ],
  "disruption-controller": [
    rule(READ, "apps extensions", "deployments replicasets"),
    rule(READ, "core", "replicationcontrollers pods"),
    rule(READ, "policy", "poddisruptionbudgets"),
    rule(READ, "apps", "statefulsets"),
    rule("update", "policy", "poddisruptionbudgets/status"),
    rule("patch update", "core", "pods/status"),
    rule("get", "*", "*/scale"),
  ],
  "endpoint-controller": [
    rule(READ, "core", "services pods"),
    rule("get list watch create update delete", "core", "endpoints"),
    rule("create", "core", "endpoints/restricted"),
  ],
  "endpointslice-controller": [
    rule(READ, "core", "services pods nodes"),
    rule("update", "core", "services/finalizers"),
    SLICES,
    rule("create", "discovery", "endpointslices/restricted"),
  ],
  "endpointslicemirroring-controller": [
    rule(READ, "core", "services endpoints"),
    rule("update", "core", "services/finalizers endpoints/finalizers"),
    SLICES,
    rule("create", "discovery", "endpointslices/restricted"),
  ],
  "ephemeral-volume-controller": [
    rule(READ, "core", "pods"),
    rule("update", "core", "pods/finalizers"),
    rule(`${READ} create`, "core", "persistentvolumeclaims"),
  ],
  "expand-controller": [
    rule(`${READ} update patch`, "core", "persistentvolumes"),
    rule("update patch", "core", "persistentvolumeclaims/status"),
    rule(READ, "core", "persistentvolumeclaims"),
    rule(READ, "storage", "storageclasses"),
  ],
  "generic-garbage-collector": [rule(`${READ} patch update delete`, "*", "*")],
  "horizontal-pod-autoscaler": [
    rule(READ, "autoscaling", "horizontalpodautoscalers"),
    rule("update", "autoscaling", "horizontalpodautoscalers/status"),
    rule("get update", "*", "*/scale"),
    rule("list", "core", "pods"),
    rule("list", "metrics", "pods"),
    rule("get list", "custom.metrics.k8s.io external.metrics.k8s.io", "*"),
  ],
  "job-controller": [
    rule(`${READ} update patch`, "batch", "jobs"),
    rule("update", "batch", "jobs/status jobs/finalizers"),
    PODS_OWNED,
  ],
  "legacy-service-account-token-cleaner": [
    rule("get", "core", "configmaps", "kube-apiserver-legacy-service-account-token-tracking"),
    rule("patch delete", "core", "secrets"),
  ],
  "namespace-controller": [
    rule(`${READ} delete`, "core", "namespaces"),
    rule("update", "core", "namespaces/finalize namespaces/status"),
    rule("get list delete deletecollection", "*", "*"),
  ],
  "node-controller": [
    rule("get list update delete patch", "core", "nodes"),
    rule("patch update", "core", "nodes/status pods/status"),
    rule("list get delete", "core", "pods"),
  ],
  "persistent-volume-binder": [
    rule(`${READ} update create delete`, "core", "persistentvolumes"),
    rule("update", "core", "persistentvolumes/status persistentvolumeclaims/status"),
    rule(`${READ} update`, "core", "persistentvolumeclaims"),
    rule(`${READ} create delete`, "core", "pods"),
    rule(READ, "storage", "storageclasses"),
    rule("get create delete", "core", "services"),
    rule("get create update delete", "core", "endpoints"),
    rule("get", "core", "secrets"),
    rule("get list", "core", "nodes"),
    rule("watch", "core", "events"),
  ],
  "pod-garbage-collector": [
    rule("list watch delete", "core", "pods"),
    rule("get list", "core", "nodes"),
    rule("patch", "core", "pods/status"),
  ],
  "pv-protection-controller": [rule(`${READ} update`, "core", "persistentvolumes")],
  "pvc-protection-controller": [
    rule(`${READ} update`, "core", "persistentvolumeclaims"),
    rule(READ, "core", "pods"),
  ],
  "replicaset-controller": [...owner("apps extensions", "replicasets"), PODS_OWNED],
  "replication-controller": [...owner("core", "replicationcontrollers"), PODS_OWNED],
  "resource-claim-controller": [
    rule(READ, "core", "pods"),
    rule("update", "core", "pods/finalizers"),
    rule(`${READ} create delete`, "resource", "resourceclaims"),
    rule("update patch", "resource", "resourceclaims resourceclaims/status"),
    rule("update patch", "core", "pods/status"),
  ],
  "resourcequota-controller": [
    rule("list watch", "*", "*"),
    rule("update", "core", "resourcequotas/status"),
  ],
  "root-ca-cert-publisher": [rule("create update", "core", "configmaps")],
  "route-controller": [rule("list watch", "core", "nodes"), rule("patch", "core", "nodes/status")],
  "service-account-controller": [rule("create", "core", "serviceaccounts")],
  "service-cidrs-controller": [
    rule(`${READ} patch update`, "networking", "servicecidrs"),
    rule("patch update", "networking", "servicecidrs/finalizers servicecidrs/status"),
    rule(READ, "networking", "ipaddresses"),
  ],
  "service-controller": [
    rule(READ, "core", "services"),
    rule("patch update", "core", "services/status"),
    rule("list watch", "core", "nodes"),
  ],
  "stack-controller": [
    ...owner("compose", "stacks", READ),
    rule(`${READ} create update delete`, "core", "services"),
    rule(`${READ} create update delete`, "apps", "daemonsets deployments statefulsets"),
  ],
  "statefulset-controller": [
    rule("list watch", "core", "pods"),
    ...owner("apps", "statefulsets", READ),
    rule("get create delete update patch", "core", "pods"),
    REVISIONS,
    rule("get create delete update", "core", "persistentvolumeclaims"),
  ],
  "ttl-after-finished-controller": [rule(`${READ} delete`, "batch", "jobs")],
  "ttl-controller": [rule("update patch list watch", "core", "nodes")],
  "validatingadmissionpolicy-status-controller": [
    rule(READ, "admissionregistration.k8s.io", "validatingadmissionpolicies"),
    rule("get patch update", "admissionregistration.k8s.io", "validatingadmissionpolicies/status"),
  ],
  "volumeattributesclass-protection-controller": [
    rule(`${READ} update`, "storage", "volumeattributesclasses"),
    rule(READ, "core", "persistentvolumes persistentvolumeclaims"),
  ],
};

/** One role per controller. */
export const controllerRoles: readonly V1ClusterRole[] = Object.entries(RULES).map(
  ([name, rules]) => ({
    metadata: { name: `${CONTROLLER_ROLE_PREFIX}${name}` },
    rules: [...rules, EVENTS],
  }),
);
