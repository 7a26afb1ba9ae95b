import { Deployment } from "../../api/apps/deployment.ts";
import type { ReplicaSet } from "../../api/apps/replica-set.ts";
import type { Plan, PlannedEvent } from "../../reconciler/controller.ts";
import {
  annotationsAfterRollback,
  isSameTemplate,
  revisionOf,
  revisionsOf,
  ROLLBACK_TO,
  withoutHash,
} from "./replica-sets.ts";
import { allSets, type Rollout } from "./rollout.ts";

/**
 * Gives the Deployment the template of an earlier revision (0: the last one), and ends the request in any case.
 *
 * @spec k8s@1.36 pkg/controller/deployment/rollback.go
 */
export function rollBack(rollout: Rollout, requested: number): Plan {
  const { deployment } = rollout;
  const sets = allSets(rollout);
  const revision = requested === 0 ? lastRevision(sets) : BigInt(requested);
  if (revision === 0n) {
    return giveUp(
      deployment,
      "DeploymentRollbackRevisionNotFound",
      "Unable to find last revision.",
    );
  }
  const set = sets.find((candidate) => revisionOf(candidate) === revision);
  if (!set) {
    const message = "Unable to find the revision to rollback to.";
    return giveUp(deployment, "DeploymentRollbackRevisionNotFound", message);
  }
  const name = deployment.metadata?.name;
  if (isSameTemplate(deployment.spec?.template, set.spec?.template)) {
    const message = `The rollback revision contains the same template as current deployment "${name}"`;
    return giveUp(deployment, "DeploymentRollbackTemplateUnchanged", message);
  }
  const template = withoutHash(set.spec?.template);
  const object = {
    ...deployment,
    metadata: { ...deployment.metadata, annotations: annotationsAfterRollback(deployment, set) },
    spec: { ...deployment.spec, template } as NonNullable<Deployment["spec"]>,
  };
  const message = `Rolled back deployment "${name}" to revision ${revision}`;
  return finish(object, { type: "Normal", reason: "DeploymentRollback", message });
}

function giveUp(deployment: Deployment, reason: string, message: string): Plan {
  const { [ROLLBACK_TO]: _request, ...annotations } = deployment.metadata?.annotations ?? {};
  const object = { ...deployment, metadata: { ...deployment.metadata, annotations } };
  return finish(object, { type: "Warning", reason, message });
}

function finish(object: Deployment, event: PlannedEvent): Plan {
  return {
    writes: [{ verb: "update", kind: Deployment, object }],
    events: [{ ...event, afterWrite: 0 }],
  };
}

/** The second highest revision; 0: there is none. @spec LastRevision */
function lastRevision(sets: readonly ReplicaSet[]): bigint {
  return revisionsOf(sets)[1] ?? 0n;
}
