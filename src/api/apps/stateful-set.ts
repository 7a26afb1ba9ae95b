import type { V1StatefulSet } from "../../gen/types.ts";
import { workloadWarnings } from "../core/template-validation.ts";
import type { Kind } from "../machinery/kind.ts";
import { labelSelectorOf } from "../machinery/label-selector.ts";
import { nameIsDnsLabel } from "../machinery/names.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, containerColumns, nameColumn, textColumn, wide } from "../strategy/columns.ts";
import { statusStrategy, statusSubresource } from "../strategy/strategy.ts";
import { olderStatefulSets } from "./older-versions.ts";
import { withStatefulSetDefaults } from "./stateful-set-defaults.ts";
import {
  validateNewStatefulSet,
  validateStatefulSet,
  validateStatefulSetChange,
  validateStatefulSetStatus,
} from "./stateful-set-validation.ts";

export type StatefulSet = V1StatefulSet;

export const StatefulSet: Kind<StatefulSet> = {
  group: "apps",
  version: "v1",
  kind: "StatefulSet",
  plural: "statefulsets",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/apps/statefulset/strategy.go */
export const statefulSetResource: Resource<StatefulSet> = {
  kind: StatefulSet,
  singular: "statefulset",
  shortNames: ["sts"],
  categories: ["all"],
  strategy: statusStrategy<StatefulSet>(
    { initialStatus: { replicas: 0, availableReplicas: 0 }, countsGenerations: true },
    {
      withDefaults: withStatefulSetDefaults,
      validate: validateStatefulSet,
      validateNew: validateNewStatefulSet,
      validateChange: validateStatefulSetChange,
      validateName: nameIsDnsLabel,
      warnings,
    },
  ),
  subresources: {
    status: statusSubresource<StatefulSet>(validateStatefulSetStatus),
    scale: {
      replicas: ({ spec }) => spec?.replicas ?? 0,
      statusReplicas: ({ status }) => status?.replicas ?? 0,
      selector: ({ spec }) => labelSelectorOf(spec?.selector).text,
      withReplicas: (set, replicas) => ({ ...set, spec: { ...set.spec!, replicas } }),
    },
  },
  olderVersions: olderStatefulSets,
  columns: [
    nameColumn(),
    textColumn(
      "Ready",
      "How many of the wanted pods are ready",
      ({ status, spec }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    ),
    ageColumn(),
    ...containerColumns<StatefulSet>(({ spec }) => spec?.template).map(wide),
  ],
};

const KEEPS_ALL =
  "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended";

function warnings(set: StatefulSet, old: StatefulSet | undefined): readonly string[] {
  const isNegative = (set.spec?.revisionHistoryLimit ?? 0) < 0;
  return [...workloadWarnings(set, old), ...(isNegative ? [KEEPS_ALL] : [])];
}
