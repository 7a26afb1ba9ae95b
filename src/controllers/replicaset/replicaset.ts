import { ReplicaSet } from "../../api/apps/replica-set.ts";
import { replicasController, type KeeperFamily } from "../../reconciler/replicas.ts";
import { matcherOf } from "../../reconciler/selection.ts";

/** ReplicaSets as keepers of replicas. */
export const replicaSets: KeeperFamily<ReplicaSet> = {
  kind: ReplicaSet,
  matches: (set) => matcherOf(set.spec?.selector),
  countsTerminating: true,
};

/**
 * Keeps `spec.replicas` active Pods that are controlled by a ReplicaSet.
 *
 * @spec k8s@1.36 pkg/controller/replicaset/replica_set.go
 */
export const replicaSetController = replicasController("replicaset-controller", replicaSets);
