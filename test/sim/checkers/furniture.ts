import type { Checker } from "./checker.ts";
import { WorldState } from "./world-state.ts";

/** What every cluster has. */
const NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"];
/** What every namespace has, and nobody in a world deletes. */
const IN_EACH = [
  ["serviceaccounts", "default"],
  ["configmaps", "kube-root-ca.crt"],
] as const;
/** What leads to the server and to DNS. */
const SYSTEM = [
  ["services", "default/kubernetes"],
  ["endpoints", "default/kubernetes"],
  ["discovery.k8s.io/endpointslices", "default/kubernetes"],
  ["services", "kube-system/kube-dns"],
  ["rbac.authorization.k8s.io/clusterroles", "cluster-admin"],
  ["rbac.authorization.k8s.io/clusterrolebindings", "system:node-proxier"],
] as const;

/** At rest what the system makes by itself is there, wherever its making was cut off. */
export const furniture: Checker = {
  name: "furniture",
  checkAtRest({ changes }) {
    const state = WorldState.after(changes);
    const present = state.list("namespaces").map(({ metadata }) => metadata?.name ?? "");
    const due = [
      ...NAMESPACES.map((name) => ["namespaces", name] as const),
      ...present.flatMap((name) => IN_EACH.map(([kind, one]) => [kind, `${name}/${one}`] as const)),
      ...SYSTEM,
    ];
    return due.flatMap(([resource, key]) =>
      state.get(resource, key) ? [] : [`there is no ${resource} ${key}`],
    );
  },
};
