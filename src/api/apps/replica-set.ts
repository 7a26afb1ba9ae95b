import type { V1ReplicaSet } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { formatLabelSelector, labelSelectorOf } from "../machinery/label-selector.ts";
import { ageColumn, integerColumn, nameColumn, templateColumns } from "../strategy/columns.ts";
import { validateReplicaSet } from "./replica-set-validation.ts";
import { olderReplicaSets } from "./older-versions.ts";
import { unchangedSelector, workloadWarnings } from "../core/template-validation.ts";
import { withTemplateDefaults } from "../core/template-defaults.ts";
import { validateReplicaCounts } from "../strategy/replica-counts.ts";
import { fill, mapField, statusStrategy, statusSubresource } from "../strategy/strategy.ts";

export type ReplicaSet = V1ReplicaSet;

export const ReplicaSet: Kind<ReplicaSet> = {
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/apps/replicaset/strategy.go */
export const replicaSetResource: Resource<ReplicaSet> = {
  kind: ReplicaSet,
  singular: "replicaset",
  shortNames: ["rs"],
  categories: ["all"],
  strategy: statusStrategy<ReplicaSet>(
    { initialStatus: { replicas: 0 }, countsGenerations: true },
    {
      withDefaults,
      validate: validateReplicaSet,
      warnings: workloadWarnings,
      validateChange: (set, old) => unchangedSelector(set.spec, old.spec),
    },
  ),
  subresources: {
    status: statusSubresource<ReplicaSet>(({ status }) => validateReplicaCounts(status)),
    scale: {
      replicas: (set) => set.spec?.replicas ?? 0,
      statusReplicas: (set) => set.status?.replicas ?? 0,
      selector: (set) => labelSelectorOf(set.spec?.selector).text,
      withReplicas: (set, replicas) => ({ ...set, spec: { ...set.spec!, replicas } }),
    },
  },
  olderVersions: olderReplicaSets,
  columns: [
    nameColumn(),
    integerColumn("Desired", "How many pods are wanted", (set) => set.spec?.replicas ?? 0),
    integerColumn("Current", "How many pods there are", (set) => set.status?.replicas ?? 0),
    integerColumn("Ready", "How many pods are ready", (set) => set.status?.readyReplicas ?? 0),
    ageColumn(),
    ...templateColumns<ReplicaSet>(
      (set) => set.spec?.template,
      (set) => formatLabelSelector(set.spec?.selector),
    ),
  ],
  selectableFields: { "status.replicas": (set) => String(set.status?.replicas ?? 0) },
};

function withDefaults(set: ReplicaSet): ReplicaSet {
  return mapField(set, "spec", (spec) =>
    mapField(fill(spec, { replicas: 1 }), "template", withTemplateDefaults),
  );
}
