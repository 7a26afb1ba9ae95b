import { ReplicationController } from "../../api/core/replication-controller.ts";
import { replicasController, type KeeperFamily } from "../../reconciler/replicas.ts";
import { mapMatcherOf } from "../../reconciler/selection.ts";

/** ReplicationControllers as keepers of replicas. */
export const replicationControllers: KeeperFamily<ReplicationController> = {
  kind: ReplicationController,
  matches: (controller) => mapMatcherOf(controller.spec?.selector),
  countsTerminating: false,
};

/**
 * Keeps `spec.replicas` active Pods that are controlled by a ReplicationController, exactly as for a ReplicaSet.
 *
 * @spec k8s@1.36 pkg/controller/replication/replication_controller.go
 */
export const replicationController = replicasController(
  "replication-controller",
  replicationControllers,
);
