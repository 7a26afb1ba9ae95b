import type { V1PodDisruptionBudget } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, integerColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { mapField, statusStrategy, statusSubresource } from "../strategy/strategy.ts";
import { olderBudgets, withPlainSelector } from "./older-versions.ts";
import { validateBudget, validateBudgetStatus } from "./pod-disruption-budget-validation.ts";

export type PodDisruptionBudget = V1PodDisruptionBudget;

export const PodDisruptionBudget: Kind<PodDisruptionBudget> = {
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  isNamespaced: true,
};

/** A new budget allows nothing until its controller has counted. */
const NOTHING_YET = {
  disruptionsAllowed: 0,
  currentHealthy: 0,
  desiredHealthy: 0,
  expectedPods: 0,
};

/** @spec k8s@1.36 pkg/registry/policy/poddisruptionbudget/strategy.go */
export const podDisruptionBudgetResource: Resource<PodDisruptionBudget> = {
  kind: PodDisruptionBudget,
  singular: "poddisruptionbudget",
  shortNames: ["pdb"],
  strategy: statusStrategy<PodDisruptionBudget>(
    { initialStatus: NOTHING_YET, countsGenerations: true },
    {
      withDefaults: (budget) => mapField(budget, "spec", withPlainSelector),
      validate: validateBudget,
      allowsUnconditionalUpdate: false,
    },
  ),
  subresources: { status: statusSubresource<PodDisruptionBudget>(validateBudgetStatus) },
  olderVersions: olderBudgets,
  columns: [
    nameColumn(),
    textColumn("Min Available", "How many pods must stay available", ({ spec }) =>
      shareText(spec?.minAvailable),
    ),
    textColumn("Max Unavailable", "How many pods may be unavailable", ({ spec }) =>
      shareText(spec?.maxUnavailable),
    ),
    integerColumn(
      "Allowed Disruptions",
      "How many pods may be evicted now",
      ({ status }) => status?.disruptionsAllowed ?? 0,
    ),
    ageColumn(),
  ],
};

function shareText(share: number | string | undefined): string {
  return share === undefined ? "N/A" : String(share);
}
