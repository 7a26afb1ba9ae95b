import type { V1ClusterRole, V1PolicyRule } from "../../../gen/types.ts";
import { READ, READ_WRITE, rule, WRITE } from "./rule.ts";

/**
 * The roles that namespaces' users get: admin ⊃ edit ⊃ view, each the sum of the roles labelled for it.
 *
 * @spec k8s@1.36 bootstrappolicy ClusterRoles
 */
const APPS_SCALED = "deployments deployments/scale replicasets replicasets/scale";
const APPS = `daemonsets ${APPS_SCALED} statefulsets statefulsets/scale`;
const APPS_STATUS = "daemonsets/status deployments/status replicasets/status statefulsets/status";

const viewRules: readonly V1PolicyRule[] = [
  rule(
    READ,
    "core",
    "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers " +
      "replicationcontrollers/scale serviceaccounts services services/status",
  ),
  rule(
    READ,
    "core",
    "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status " +
      "resourcequotas resourcequotas/status",
  ),
  rule(READ, "core", "namespaces"),
  rule(READ, "discovery", "endpointslices"),
  rule(READ, "apps", `controllerrevisions ${APPS} ${APPS_STATUS}`),
  rule(READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
  rule(READ, "batch", "cronjobs cronjobs/status jobs jobs/status"),
  rule(
    READ,
    "extensions",
    `daemonsets daemonsets/status ${APPS_SCALED} deployments/status ingresses ingresses/status networkpolicies ` +
      "replicasets/status replicationcontrollers/scale",
  ),
  rule(READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
  rule(READ, "networking", "ingresses ingresses/status networkpolicies"),
  rule(READ, "resource", "resourceclaims resourceclaims/status resourceclaimtemplates"),
  rule(READ, "compose", "stacks stacks/status"),
];

const editRules: readonly V1PolicyRule[] = [
  rule(READ, "core", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
  rule("impersonate", "core", "serviceaccounts"),
  rule(WRITE, "core", "pods pods/attach pods/exec pods/portforward pods/proxy"),
  rule("create", "core", "pods/eviction"),
  rule(
    WRITE,
    "core",
    "configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts " +
      "services services/proxy",
  ),
  rule("create", "core", "serviceaccounts/token"),
  rule(WRITE, "apps", `${APPS} deployments/rollback`),
  rule(WRITE, "autoscaling", "horizontalpodautoscalers"),
  rule(WRITE, "batch", "cronjobs jobs"),
  rule(
    WRITE,
    "extensions",
    `daemonsets ${APPS_SCALED} deployments/rollback ingresses networkpolicies replicationcontrollers/scale`,
  ),
  rule(WRITE, "policy", "poddisruptionbudgets"),
  rule(WRITE, "networking", "ingresses networkpolicies"),
  rule(WRITE, "coordination", "leases"),
  rule(READ, "coordination", "leases"),
  rule(WRITE, "resource", "resourceclaims resourceclaimtemplates"),
  rule(WRITE, "compose", "stacks"),
];

const adminRules: readonly V1PolicyRule[] = [
  rule("create", "authorization", "localsubjectaccessreviews"),
  rule(READ_WRITE, "rbac", "roles rolebindings"),
];

const LABEL = "rbac.authorization.k8s.io/aggregate-to-";

function part(to: string, rules: readonly V1PolicyRule[]): V1ClusterRole {
  const name = `system:aggregate-to-${to}`;
  return { metadata: { name, labels: { [`${LABEL}${to}`]: "true" } }, rules };
}

/** `rules` are written out as the controller sums them up, so that the role is complete before it has, and stays as it is. */
function sum(
  name: string,
  into: string | undefined,
  rules: readonly V1PolicyRule[],
): V1ClusterRole {
  const labels = into === undefined ? {} : { labels: { [`${LABEL}${into}`]: "true" } };
  return {
    metadata: { name, ...labels },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [`${LABEL}${name}`]: "true" } }] },
    rules,
  };
}

export const userRoles: readonly V1ClusterRole[] = [
  sum("admin", undefined, [...editRules, ...viewRules, ...adminRules]),
  sum("edit", "admin", [...editRules, ...viewRules]),
  sum("view", "edit", viewRules),
  part("admin", adminRules),
  part("edit", editRules),
  part("view", viewRules),
];
