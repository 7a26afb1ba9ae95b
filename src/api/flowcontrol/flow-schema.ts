import type { V1FlowSchema } from "../../gen/types.ts";
import type { Kind } from "../machinery/kind.ts";
import type { Resource } from "../machinery/resource.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { mapField, statusStrategy, withField } from "../strategy/strategy.ts";
import { conditionsStatus } from "./conditions-status.ts";
import { validateFlowSchema } from "./flow-schema-validation.ts";
import { olderFlowSchemas } from "./older-versions.ts";

export type FlowSchema = V1FlowSchema;

export const FlowSchema: Kind<FlowSchema> = {
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "FlowSchema",
  plural: "flowschemas",
  isNamespaced: false,
};

/** @spec k8s@1.36 pkg/apis/flowcontrol/v1/defaults.go FlowSchemaDefaultMatchingPrecedence */
const PRECEDENCE = 1000;

/** Says whether the priority level that a schema names is missing. */
export const DANGLING = "Dangling";

/** @spec k8s@1.36 pkg/registry/flowcontrol/flowschema/strategy.go */
export const flowSchemaResource: Resource<FlowSchema> = {
  kind: FlowSchema,
  singular: "flowschema",
  strategy: statusStrategy<FlowSchema>(
    { initialStatus: {}, countsGenerations: true },
    { withDefaults, validate: validateFlowSchema },
  ),
  subresources: { status: conditionsStatus<FlowSchema>() },
  olderVersions: olderFlowSchemas,
  compareRows: compareFlowSchemas,
  columns: [
    nameColumn(),
    textColumn(
      "PriorityLevel",
      "The priority level of the requests",
      ({ spec }) => spec?.priorityLevelConfiguration?.name ?? "",
    ),
    textColumn(
      "MatchingPrecedence",
      "Of the schemas that match a request the one with the lowest number counts",
      ({ spec }) => spec?.matchingPrecedence ?? 0,
    ),
    textColumn(
      "DistinguisherMethod",
      "What tells the flows of the schema apart",
      ({ spec }) => spec?.distinguisherMethod?.type ?? "<none>",
    ),
    ageColumn(),
    textColumn(
      "MissingPL",
      "Whether the priority level is broken or does not exist",
      ({ status }) => status?.conditions?.find(({ type }) => type === DANGLING)?.status ?? "?",
    ),
  ],
};

/** The order in which schemas are tried. @spec apiserver util/apihelpers FlowSchemaSequence */
export function compareFlowSchemas(a: FlowSchema, b: FlowSchema): number {
  const order = (a.spec?.matchingPrecedence ?? 0) - (b.spec?.matchingPrecedence ?? 0);
  return order || ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1);
}

function withDefaults(schema: FlowSchema): FlowSchema {
  return mapField(schema, "spec", (spec) =>
    withField(spec, "matchingPrecedence", spec.matchingPrecedence || PRECEDENCE),
  );
}
