import type {
  RbacV1Subject,
  V1ClusterRoleBinding,
  V1Role,
  V1RoleBinding,
} from "../../../gen/types.ts";
import { CONTROLLER_ROLE_PREFIX, controllerRoles } from "./controller-roles.ts";
import { EVENTS, READ, rule } from "./rule.ts";

const apiGroup = "rbac.authorization.k8s.io";
const group = (name: string): RbacV1Subject => ({ kind: "Group", apiGroup, name });
const user = (name: string): RbacV1Subject => ({ kind: "User", apiGroup, name });
const account = (name: string): RbacV1Subject => ({
  kind: "ServiceAccount",
  name,
  namespace: "kube-system",
});

function bind(role: string, ...subjects: readonly RbacV1Subject[]): V1ClusterRoleBinding {
  const roleRef = { apiGroup, kind: "ClusterRole", name: role };
  return { metadata: { name: role }, roleRef, subjects };
}

/** @spec k8s@1.36 bootstrappolicy ClusterRoleBindings */
export const clusterRoleBindings: readonly V1ClusterRoleBinding[] = [
  bind("cluster-admin", group("system:masters")),
  bind("system:monitoring", group("system:monitoring")),
  bind("system:discovery", group("system:authenticated")),
  bind("system:basic-user", group("system:authenticated")),
  bind("system:public-info-viewer", group("system:authenticated"), group("system:unauthenticated")),
  bind("system:node-proxier", user("system:kube-proxy")),
  bind("system:kube-controller-manager", user("system:kube-controller-manager")),
  bind("system:kube-dns", account("kube-dns")),
  bind("system:kube-scheduler", user("system:kube-scheduler")),
  bind("system:volume-scheduler", user("system:kube-scheduler")),
  bind("system:node"),
  bind("system:service-account-issuer-discovery", group("system:serviceaccounts")),
  bind("skiff:node-agent", group("system:nodes")),
  // What kubeadm adds for joining nodes: they ask for a certificate, and renew it, without anybody's approval.
  {
    ...bind("system:node-bootstrapper", group("system:bootstrappers")),
    metadata: { name: "skiff:bootstrap" },
  },
  {
    ...bind(
      "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
      group("system:bootstrappers"),
    ),
    metadata: { name: "skiff:approve-bootstrap" },
  },
  {
    ...bind(
      "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
      group("system:nodes"),
    ),
    metadata: { name: "skiff:approve-renewal" },
  },
  ...controllerRoles.map(({ metadata }) => {
    const name = metadata?.name ?? "";
    return bind(name, account(name.slice(CONTROLLER_ROLE_PREFIX.length)));
  }),
];

const CONFIG_READER = "extension-apiserver-authentication-reader";
const signerName = `${CONTROLLER_ROLE_PREFIX}bootstrap-signer`;
const cleanerName = `${CONTROLLER_ROLE_PREFIX}token-cleaner`;
const lockName = (component: string): string => `system::leader-locking-${component}`;

function lock(component: string): V1Role {
  return {
    metadata: { name: lockName(component), namespace: "kube-system" },
    rules: [
      rule("watch", "core", "configmaps"),
      rule("get update", "core", "configmaps", component),
    ],
  };
}

/** @spec k8s@1.36 bootstrappolicy namespace_policy.go */
export const roles: readonly V1Role[] = [
  {
    metadata: { name: CONFIG_READER, namespace: "kube-system" },
    rules: [rule(READ, "core", "configmaps", "extension-apiserver-authentication")],
  },
  {
    metadata: { name: signerName, namespace: "kube-system" },
    rules: [rule(READ, "core", "secrets")],
  },
  {
    metadata: { name: cleanerName, namespace: "kube-system" },
    rules: [rule(`${READ} delete`, "core", "secrets"), EVENTS],
  },
  lock("kube-controller-manager"),
  lock("kube-scheduler"),
  {
    metadata: { name: signerName, namespace: "kube-public" },
    rules: [
      rule(READ, "core", "configmaps"),
      rule("update", "core", "configmaps", "cluster-info"),
      EVENTS,
    ],
  },
];

function bindRole(
  namespace: string,
  role: string,
  subjects: readonly RbacV1Subject[],
  name = role,
): V1RoleBinding {
  const roleRef = { apiGroup, kind: "Role", name: role };
  return { metadata: { name, namespace }, roleRef, subjects };
}

const components = [user("system:kube-controller-manager"), user("system:kube-scheduler")];

/** @spec k8s@1.36 bootstrappolicy namespace_policy.go */
export const roleBindings: readonly V1RoleBinding[] = [
  bindRole("kube-system", CONFIG_READER, components, `system::${CONFIG_READER}`),
  ...["kube-controller-manager", "kube-scheduler"].map((component) =>
    bindRole("kube-system", lockName(component), [user(`system:${component}`), account(component)]),
  ),
  bindRole("kube-system", signerName, [account("bootstrap-signer")]),
  bindRole("kube-system", cleanerName, [account("token-cleaner")]),
  bindRole("kube-public", signerName, [account("bootstrap-signer")]),
];
