import type { V1ReplicationController } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { selectorOfLabels } from "../machinery/label-selector.ts";
import {
  ageColumn,
  formatLabels,
  integerColumn,
  nameColumn,
  templateColumns,
} from "../strategy/columns.ts";
import { validateReplicaCounts } from "../strategy/replica-counts.ts";
import {
  fill,
  mapField,
  statusStrategy,
  statusSubresource,
  withField,
} from "../strategy/strategy.ts";
import { validateReplicationController } from "./replication-controller-validation.ts";
import { withTemplateDefaults } from "./template-defaults.ts";
import { workloadWarnings } from "./template-validation.ts";

export type ReplicationController = V1ReplicationController;

export const ReplicationController: Kind<ReplicationController> = {
  group: "",
  version: "v1",
  kind: "ReplicationController",
  plural: "replicationcontrollers",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/core/replicationcontroller/strategy.go */
export const replicationControllerResource: Resource<ReplicationController> = {
  kind: ReplicationController,
  singular: "replicationcontroller",
  shortNames: ["rc"],
  categories: ["all"],
  strategy: statusStrategy<ReplicationController>(
    { initialStatus: { replicas: 0 }, countsGenerations: true },
    { withDefaults, validate: validateReplicationController, warnings: workloadWarnings },
  ),
  subresources: {
    status: statusSubresource<ReplicationController>(({ status }) => validateReplicaCounts(status)),
    scale: {
      replicas: ({ spec }) => spec?.replicas ?? 0,
      statusReplicas: ({ status }) => status?.replicas ?? 0,
      selector: ({ spec }) => selectorOfLabels(spec?.selector).text,
      withReplicas: (object, replicas) => ({ ...object, spec: { ...object.spec, replicas } }),
    },
  },
  columns: [
    nameColumn(),
    integerColumn("Desired", "How many pods are wanted", ({ spec }) => spec?.replicas ?? 0),
    integerColumn("Current", "How many pods there are", ({ status }) => status?.replicas ?? 0),
    integerColumn("Ready", "How many pods are ready", ({ status }) => status?.readyReplicas ?? 0),
    ageColumn(),
    ...templateColumns<ReplicationController>(
      ({ spec }) => spec?.template,
      ({ spec }) => formatLabels(spec?.selector),
    ),
  ],
  selectableFields: { "status.replicas": ({ status }) => String(status?.replicas ?? 0) },
};

/** The template's labels are the selector and the labels of one that has none. @spec SetDefaults_ReplicationController */
function withDefaults(object: ReplicationController): ReplicationController {
  const complete = mapField(object, "spec", (spec) =>
    mapField(fill(spec, { replicas: 1 }), "template", withTemplateDefaults),
  );
  const labels = complete.spec?.template?.metadata?.labels;
  if (labels === undefined) return complete;
  const selecting = mapField(complete, "spec", (spec) =>
    isEmpty(spec.selector) ? withField(spec, "selector", labels) : spec,
  );
  if (!isEmpty(object.metadata?.labels)) return selecting;
  return withField(selecting, "metadata", { ...object.metadata, labels });
}

function isEmpty(map: Readonly<Record<string, string>> | undefined): boolean {
  return map === undefined || Object.keys(map).length === 0;
}
