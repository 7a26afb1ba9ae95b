import type { V1DaemonSet, V1DaemonSetSpec, V1DaemonSetUpdateStrategy } from "../../gen/types.ts";
import { withTemplateDefaults } from "../core/template-defaults.ts";
import { unchangedSelector, workloadWarnings } from "../core/template-validation.ts";
import { equalSemantic } from "../machinery/equality.ts";
import type { Kind } from "../machinery/kind.ts";
import { formatLabelSelector } from "../machinery/label-selector.ts";
import type { Resource } from "../machinery/resource.ts";
import {
  ageColumn,
  formatLabels,
  integerColumn,
  nameColumn,
  templateColumns,
  textColumn,
} from "../strategy/columns.ts";
import { fill, mapField, statusStrategy, statusSubresource } from "../strategy/strategy.ts";
import { validateDaemonSet, validateDaemonSetStatus } from "./daemon-set-validation.ts";
import { olderDaemonSets, TEMPLATE_GENERATION } from "./older-versions.ts";

export type DaemonSet = V1DaemonSet;

export const DaemonSet: Kind<DaemonSet> = {
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  plural: "daemonsets",
  isNamespaced: true,
};

/** How many old revisions stay for a rollback. Each costs one stored object. */
const REVISIONS_KEPT = 10;

const NO_COUNTS = {
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
};

/** @spec k8s@1.36 pkg/registry/apps/daemonset/strategy.go */
export const daemonSetResource: Resource<DaemonSet> = {
  kind: DaemonSet,
  singular: "daemonset",
  shortNames: ["ds"],
  categories: ["all"],
  strategy: statusStrategy<DaemonSet>(
    { initialStatus: NO_COUNTS, countsGenerations: true },
    {
      withDefaults: (set) => mapField(set, "spec", withSpecDefaults),
      prepareForCreate: (set) => withTemplateGeneration(set, Math.max(1, generationOf(set))),
      prepareForUpdate: (set, old) => {
        const isSame = equalSemantic(set.spec?.template, old.spec?.template);
        return withTemplateGeneration(set, generationOf(old) + (isSame ? 0 : 1));
      },
      validate: validateDaemonSet,
      validateChange: (set, old) => unchangedSelector(set.spec, old.spec),
      warnings: workloadWarnings,
    },
  ),
  subresources: { status: statusSubresource<DaemonSet>(validateDaemonSetStatus) },
  olderVersions: olderDaemonSets,
  columns: [
    nameColumn(),
    integerColumn("Desired", "How many nodes should run the pod", ({ status }) =>
      orZero(status?.desiredNumberScheduled),
    ),
    integerColumn("Current", "How many of them have it", ({ status }) =>
      orZero(status?.currentNumberScheduled),
    ),
    integerColumn("Ready", "How many of them have it ready", ({ status }) =>
      orZero(status?.numberReady),
    ),
    integerColumn("Up-to-date", "How many have it with the present template", ({ status }) =>
      orZero(status?.updatedNumberScheduled),
    ),
    integerColumn("Available", "How many have had it ready for long enough", ({ status }) =>
      orZero(status?.numberAvailable),
    ),
    textColumn("Node Selector", "Labels of the nodes that should run the pod", ({ spec }) =>
      formatLabels(spec?.template?.spec?.nodeSelector),
    ),
    ageColumn(),
    ...templateColumns<DaemonSet>(
      ({ spec }) => spec?.template,
      ({ spec }) => formatLabelSelector(spec?.selector),
    ),
  ],
};

function orZero(count: number | undefined): number {
  return count ?? 0;
}

/** @spec k8s@1.36 pkg/apis/apps/v1 defaults.go SetDefaults_DaemonSet */
function withSpecDefaults(spec: V1DaemonSetSpec): V1DaemonSetSpec {
  const filled = fill(spec, { updateStrategy: {}, revisionHistoryLimit: REVISIONS_KEPT });
  const rolling = mapField(filled, "updateStrategy", withStrategyDefaults);
  return mapField(rolling, "template", withTemplateDefaults);
}

function withStrategyDefaults(strategy: V1DaemonSetUpdateStrategy): V1DaemonSetUpdateStrategy {
  const typed = fill(strategy, { type: "RollingUpdate" });
  if (typed.type !== "RollingUpdate") return typed;
  return mapField(fill(typed, { rollingUpdate: {} }), "rollingUpdate", (rolling) =>
    fill(rolling, { maxUnavailable: 1, maxSurge: 0 }),
  );
}

/** How often the template has changed, as the annotation says; 0 when it says nothing that is a number. */
export function generationOf({ metadata }: DaemonSet): number {
  const text = metadata?.annotations?.[TEMPLATE_GENERATION] ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

function withTemplateGeneration(set: DaemonSet, generation: number): DaemonSet {
  if (generationOf(set) === generation && generation > 0) return set;
  const annotations = { ...set.metadata?.annotations, [TEMPLATE_GENERATION]: String(generation) };
  return { ...set, metadata: { ...set.metadata, annotations } };
}
