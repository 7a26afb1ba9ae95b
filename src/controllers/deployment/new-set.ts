import type { Instant } from "../../base/clock.ts";
import { Deployment } from "../../api/apps/deployment.ts";
import { ReplicaSet } from "../../api/apps/replica-set.ts";
import type { Plan } from "../../reconciler/controller.ts";
import { controllerReference } from "../../reconciler/ownership.ts";
import {
  annotationsOfNewSet,
  HASH_LABEL,
  nextRevision,
  withSizeAnnotations,
} from "./replica-sets.ts";
import { newSetSize, type Rollout } from "./rollout.ts";
import { hasDeadline, rolloutStatus, withProgressing, type Conditions } from "./status.ts";
import { templateHash } from "../../reconciler/template-hash.ts";

function hashOf(deployment: Deployment): string {
  return templateHash(deployment.spec?.template ?? {}, deployment.status?.collisionCount);
}

/** The name that a set of the present template gets: the same each time it is planned. */
export function newSetName(deployment: Deployment): string {
  return `${deployment.metadata?.name}-${hashOf(deployment)}`;
}

/**
 * Creates the set of the present template, or steps aside when its name belongs to another one.
 *
 * @spec k8s@1.36 pkg/controller/deployment/sync.go getNewReplicaSet
 */
export function createNewSet(
  rollout: Rollout,
  nameHolder: ReplicaSet | undefined,
  conditions: Conditions,
  now: Instant,
): Plan {
  const { deployment } = rollout;
  if (nameHolder) {
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    return { status: { ...rolloutStatus(rollout, conditions, now), collisionCount } };
  }
  const object = newSet(rollout);
  const name = object.metadata?.name ?? "";
  const size = object.spec?.replicas ?? 0;
  const mark = (status: "True" | "False", reason: string, message: string): object => ({
    ...rolloutStatus(
      rollout,
      hasDeadline(deployment)
        ? withProgressing(conditions, status, reason, message, now)
        : conditions,
      now,
    ),
  });
  const failed = `Failed to create new replica set "${name}"`;
  const scaled = `Scaled up replica set ${name} from 0 to ${size}`;
  return {
    writes: [{ verb: "create", kind: ReplicaSet, object }],
    status: mark("True", "NewReplicaSetCreated", `Created new replica set "${name}"`),
    statusOnFailure: ({ message }) =>
      mark("False", "ReplicaSetCreateError", `${failed}: ${message}`),
    events: [
      ...(size > 0
        ? ([
            { type: "Normal", reason: "ScalingReplicaSet", message: scaled, afterWrite: 0 },
          ] as const)
        : []),
      {
        type: "Warning",
        reason: "ReplicaSetCreateError",
        message: `${failed}: {error}`,
        afterWrite: 0,
        onFailure: true,
      },
    ],
  };
}

function newSet(rollout: Rollout): ReplicaSet {
  const { deployment, oldSets } = rollout;
  const hash = hashOf(deployment);
  const { template, selector, minReadySeconds } = deployment.spec ?? {};
  const labels = { ...template?.metadata?.labels, [HASH_LABEL]: hash };
  const matchLabels = { ...selector?.matchLabels, [HASH_LABEL]: hash };
  const annotations = annotationsOfNewSet(deployment, undefined, nextRevision(oldSets));
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: newSetName(deployment),
      namespace: deployment.metadata?.namespace ?? "",
      labels,
      annotations: withSizeAnnotations(deployment, annotations),
      ownerReferences: [controllerReference(Deployment, deployment)],
    },
    spec: {
      replicas: newSetSize(rollout),
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { ...selector, matchLabels },
      template: { ...template, metadata: { ...template?.metadata, labels } },
    },
  };
}
