import type {
  V1PersistentVolumeClaim,
  V1StatefulSet,
  V1StatefulSetSpec,
  V1StatefulSetUpdateStrategy,
} from "../../gen/types.ts";
import { withClaimDefaults } from "../core/persistent-volume-claim.ts";
import { withTemplateDefaults } from "../core/template-defaults.ts";
import { fill, mapField, mapItems } from "../strategy/strategy.ts";

/** How many old revisions stay for a rollback. Each costs one stored object. */
const REVISIONS_KEPT = 10;

/** @spec k8s@1.36 pkg/apis/apps/v1 defaults.go SetDefaults_StatefulSet */
export function withStatefulSetDefaults(set: V1StatefulSet): V1StatefulSet {
  return mapField(set, "spec", withSpecDefaults);
}

function withSpecDefaults(spec: V1StatefulSetSpec): V1StatefulSetSpec {
  const filled = fill(spec, {
    podManagementPolicy: "OrderedReady",
    updateStrategy: {},
    persistentVolumeClaimRetentionPolicy: {},
    replicas: 1,
    revisionHistoryLimit: REVISIONS_KEPT,
  });
  const retained = mapField(filled, "persistentVolumeClaimRetentionPolicy", (policy) =>
    fill(policy, { whenDeleted: "Retain", whenScaled: "Retain" }),
  );
  const rolling = mapField(retained, "updateStrategy", withStrategyDefaults);
  const claiming = mapField(rolling, "volumeClaimTemplates", (templates) =>
    mapItems(templates as readonly V1PersistentVolumeClaim[], withClaimTemplateDefaults),
  );
  return mapField(claiming, "template", withTemplateDefaults);
}

function withStrategyDefaults(strategy: V1StatefulSetUpdateStrategy): V1StatefulSetUpdateStrategy {
  const typed = strategy.type
    ? strategy
    : fill({ ...strategy, type: "RollingUpdate" }, { rollingUpdate: {} });
  if (typed.type !== "RollingUpdate") return typed;
  return mapField(typed, "rollingUpdate", (rolling) => fill(rolling, { partition: 0 }));
}

/** Every form of the API tells that a template is a claim. @spec pkg/apis/apps/v1 conversion.go */
function withClaimTemplateDefaults(template: V1PersistentVolumeClaim): V1PersistentVolumeClaim {
  return withClaimDefaults(fill(template, { apiVersion: "v1", kind: "PersistentVolumeClaim" }));
}
