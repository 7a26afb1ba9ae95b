import type { V1Deployment, V1DeploymentSpec, V1DeploymentStrategy } from "../../gen/types.ts";
import { fill, mapField } from "../strategy/strategy.ts";
import { withTemplateDefaults } from "../core/template-defaults.ts";

/** How many old ReplicaSets stay for a rollback. Each costs one stored object. */
const REVISIONS_KEPT = 10;

/** After this long without progress a rollout is reported as stuck. */
const PROGRESS_SECONDS = 600;

/** @spec k8s@1.36 pkg/apis/apps/v1 defaults.go SetDefaults_Deployment */
export function withDeploymentDefaults(deployment: V1Deployment): V1Deployment {
  return mapField(deployment, "spec", withSpecDefaults);
}

function withSpecDefaults(spec: V1DeploymentSpec): V1DeploymentSpec {
  const filled = fill(spec, {
    replicas: 1,
    strategy: {},
    revisionHistoryLimit: REVISIONS_KEPT,
    progressDeadlineSeconds: PROGRESS_SECONDS,
  });
  return mapField(
    mapField(filled, "strategy", withStrategyDefaults),
    "template",
    withTemplateDefaults,
  );
}

function withStrategyDefaults(strategy: V1DeploymentStrategy): V1DeploymentStrategy {
  const typed = fill(strategy, { type: "RollingUpdate" });
  if (typed.type !== "RollingUpdate") return typed;
  return mapField(fill(typed, { rollingUpdate: {} }), "rollingUpdate", (rolling) =>
    fill(rolling, { maxUnavailable: "25%", maxSurge: "25%" }),
  );
}
