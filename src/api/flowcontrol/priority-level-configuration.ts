import type { V1PriorityLevelConfiguration, V1QueuingConfiguration } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { statusStrategy } from "../strategy/strategy.ts";
import { conditionsStatus } from "./conditions-status.ts";
import { olderPriorityLevels } from "./older-versions.ts";
import { withPriorityLevelDefaults } from "./priority-level-defaults.ts";
import { validatePriorityLevel } from "./priority-level-validation.ts";

export type PriorityLevelConfiguration = V1PriorityLevelConfiguration;

export const PriorityLevelConfiguration: Kind<PriorityLevelConfiguration> = {
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "PriorityLevelConfiguration",
  plural: "prioritylevelconfigurations",
  isNamespaced: false,
};

/** @spec k8s@1.36 pkg/registry/flowcontrol/prioritylevelconfiguration/strategy.go */
export const priorityLevelConfigurationResource: Resource<PriorityLevelConfiguration> = {
  kind: PriorityLevelConfiguration,
  singular: "prioritylevelconfiguration",
  strategy: statusStrategy<PriorityLevelConfiguration>(
    { initialStatus: {}, countsGenerations: true },
    { withDefaults: withPriorityLevelDefaults, validate: validatePriorityLevel },
  ),
  subresources: { status: conditionsStatus<PriorityLevelConfiguration>() },
  olderVersions: olderPriorityLevels,
  columns: [
    nameColumn(),
    textColumn("Type", "Whether its requests are limited", ({ spec }) => spec?.type ?? ""),
    textColumn(
      "NominalConcurrencyShares",
      "Its share of the server's seats",
      ({ spec }) => spec?.limited?.nominalConcurrencyShares ?? "<none>",
    ),
    queuingColumn("Queues", "Number of its queues", "queues"),
    queuingColumn("HandSize", "Queues among which a flow chooses", "handSize"),
    queuingColumn("QueueLengthLimit", "Requests that wait in a queue", "queueLengthLimit"),
    ageColumn(),
  ],
};

function queuingColumn(name: string, description: string, field: keyof V1QueuingConfiguration) {
  return textColumn<PriorityLevelConfiguration>(
    name,
    description,
    ({ spec }) => spec?.limited?.limitResponse?.queuing?.[field] ?? "<none>",
  );
}
