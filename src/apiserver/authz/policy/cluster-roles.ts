import type { V1ClusterRole, V1PolicyRule } from "../../../gen/types.ts";
import { nodeRules } from "./node-rules.ts";
import { EVENTS, READ, rule, urls } from "./rule.ts";

const HEALTH = "/livez /readyz /healthz";
const REVIEWS: readonly V1PolicyRule[] = [
  rule("create", "authentication", "tokenreviews"),
  rule("create", "authorization", "subjectaccessreviews"),
];

function role(name: string, ...rules: readonly V1PolicyRule[]): V1ClusterRole {
  return { metadata: { name }, rules };
}

function leaderRules(name: string): readonly V1PolicyRule[] {
  return [
    rule("create", "coordination", "leases"),
    rule("get list watch update", "coordination", "leases", name),
  ];
}

const signer = (name: string): V1PolicyRule =>
  rule("approve", "certificates", "signers", `kubernetes.io/${name}`);

/** Roles of everybody, of components and of clients that stand in for users. @spec k8s@1.36 bootstrappolicy ClusterRoles */
export const clusterRoles: readonly V1ClusterRole[] = [
  role("cluster-admin", rule("*", "*", "*"), urls("*", "*")),
  role(
    "system:discovery",
    urls("get", `${HEALTH} /version /version/ /openapi /openapi/* /api /api/* /apis /apis/*`),
  ),
  role(
    "system:monitoring",
    urls("get", `/metrics /metrics/slis ${HEALTH} /livez/* /readyz/* /healthz/*`),
  ),
  role(
    "system:basic-user",
    rule("create", "authorization", "selfsubjectaccessreviews selfsubjectrulesreviews"),
    rule("create", "authentication", "selfsubjectreviews"),
  ),
  role("system:public-info-viewer", urls("get", `${HEALTH} /version /version/`)),
  role("system:heapster", rule(READ, "core", "events pods nodes namespaces")),
  role("system:node", ...nodeRules),
  role(
    "system:node-problem-detector",
    rule("get", "core", "nodes"),
    rule("patch", "core", "nodes/status"),
    EVENTS,
  ),
  role(
    "system:kubelet-api-admin",
    rule(READ, "core", "nodes"),
    rule("proxy", "core", "nodes"),
    rule(
      "*",
      "core",
      "nodes/proxy nodes/metrics nodes/spec nodes/stats nodes/log nodes/configz nodes/healthz nodes/pods",
    ),
  ),
  role(
    "system:node-bootstrapper",
    rule(`create ${READ}`, "certificates", "certificatesigningrequests"),
  ),
  role("system:auth-delegator", ...REVIEWS),
  role("system:kube-aggregator", rule(READ, "core", "services endpoints")),
  role(
    "system:kube-controller-manager",
    EVENTS,
    ...leaderRules("kube-controller-manager"),
    rule("create", "core", "secrets serviceaccounts"),
    rule("delete", "core", "secrets"),
    rule("get", "core", "namespaces secrets serviceaccounts configmaps"),
    rule("update", "core", "secrets serviceaccounts"),
    ...REVIEWS,
    rule("list watch", "*", "*"),
    rule("create", "core", "serviceaccounts/token"),
  ),
  role(
    "system:kube-dns",
    rule("list watch", "core", "endpoints services"),
    rule("list watch", "discovery", "endpointslices"),
  ),
  role(
    "system:persistent-volume-provisioner",
    rule(`${READ} create delete`, "core", "persistentvolumes"),
    rule(`${READ} update`, "core", "persistentvolumeclaims"),
    rule(READ, "storage", "storageclasses"),
    rule("watch", "core", "events"),
    EVENTS,
  ),
  role(
    "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
    rule("create", "certificates", "certificatesigningrequests/nodeclient"),
  ),
  role(
    "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
    rule("create", "certificates", "certificatesigningrequests/selfnodeclient"),
  ),
  role(
    "system:volume-scheduler",
    rule(`${READ} patch update`, "core", "persistentvolumes"),
    rule(READ, "storage", "storageclasses"),
    rule(`${READ} patch update`, "core", "persistentvolumeclaims"),
  ),
  role("system:certificates.k8s.io:legacy-unknown-approver", signer("legacy-unknown")),
  role("system:certificates.k8s.io:kubelet-serving-approver", signer("kubelet-serving")),
  role(
    "system:certificates.k8s.io:kube-apiserver-client-approver",
    signer("kube-apiserver-client"),
  ),
  role(
    "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver",
    signer("kube-apiserver-client-kubelet"),
  ),
  role(
    "system:service-account-issuer-discovery",
    urls(
      "get",
      "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
    ),
  ),
  role(
    "system:node-proxier",
    rule("list watch", "core", "services"),
    rule(READ, "core", "nodes"),
    EVENTS,
    rule("list watch", "discovery", "endpointslices"),
    rule("list watch", "networking", "servicecidrs"),
  ),
  role(
    "system:kube-scheduler",
    EVENTS,
    ...leaderRules("kube-scheduler"),
    rule(READ, "core", "nodes"),
    rule(`${READ} delete`, "core", "pods"),
    rule("create", "core", "pods/binding bindings"),
    rule("patch update", "core", "pods/status"),
    rule(READ, "core", "services replicationcontrollers"),
    rule(READ, "apps extensions", "replicasets"),
    rule(READ, "apps", "statefulsets"),
    rule(READ, "policy", "poddisruptionbudgets"),
    rule(READ, "core", "persistentvolumeclaims persistentvolumes namespaces"),
    ...REVIEWS,
    rule(READ, "storage", "csinodes csidrivers csistoragecapacities volumeattachments"),
    rule(READ, "resource", "resourceclaims deviceclasses resourceslices"),
    rule("update patch", "resource", "resourceclaims resourceclaims/status"),
  ),
  // The agent also proxies Services, answers DNS, enforces NetworkPolicies and serves Ingresses: it reads what those need.
  role(
    "skiff:node-agent",
    rule(READ, "core", "endpoints namespaces nodes pods services"),
    rule(READ, "discovery", "endpointslices"),
    rule(READ, "networking", "ingressclasses ingresses networkpolicies servicecidrs ipaddresses"),
    rule("update patch", "networking", "ingresses/status"),
  ),
];
