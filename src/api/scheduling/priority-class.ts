import type { V1PriorityClass } from "../../gen/types.ts";
import { forbidden, invalid } from "../machinery/field-error.ts";
import type { Kind } from "../machinery/kind.ts";
import { sameForm } from "../machinery/older-version.ts";
import type { Column, Resource } from "../machinery/resource.ts";
import { FIELD_IMMUTABLE } from "../machinery/object-meta-validation.ts";
import { requiredOneOf, when, type Errors } from "../strategy/checks.ts";
import { ageColumn, integerColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { fill, plainStrategy, withGeneration } from "../strategy/strategy.ts";

export type PriorityClass = V1PriorityClass;

export const PriorityClass: Kind<PriorityClass> = {
  group: "scheduling.k8s.io",
  version: "v1",
  kind: "PriorityClass",
  plural: "priorityclasses",
  isNamespaced: false,
};

/** The most that users may give; what the system needs is above. @spec pkg/apis/scheduling HighestUserDefinablePriority */
const USER_PRIORITY_MAX = 1_000_000_000;
const SYSTEM_PREFIX = "system-";

/** What a Pod may do to others of a lower priority, unless its class says otherwise. */
export const PREEMPTS = "PreemptLowerPriority";

/** The classes that every cluster has. @spec k8s@1.36 pkg/apis/scheduling/v1/helpers.go */
export const systemPriorityClasses: readonly PriorityClass[] = [
  systemClass(
    "system-node-critical",
    2_000_001_000,
    "Used for system critical pods that must not be moved from their current node.",
  ),
  systemClass(
    "system-cluster-critical",
    2_000_000_000,
    "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  ),
];

/** @spec k8s@1.36 pkg/registry/scheduling/priorityclass/strategy.go */
export const priorityClassResource: Resource<PriorityClass> = {
  kind: PriorityClass,
  singular: "priorityclass",
  shortNames: ["pc"],
  strategy: plainStrategy<PriorityClass>({
    withDefaults: (one) => fill(one, { preemptionPolicy: PREEMPTS }),
    prepareForCreate: (one) => withGeneration(one, 1),
    validateNew: validate,
    validateChange,
  }),
  olderVersions: [
    sameForm(PriorityClass, "v1beta1", "1.14", "1.22"),
    sameForm(PriorityClass, "v1alpha1", "1.14", "1.22"),
  ],
  columns: [
    nameColumn(),
    integerColumn("Value", "How important its pods are", ({ value }) => value ?? 0),
    isDefaultColumn(),
    ageColumn(),
    textColumn(
      "PreemptionPolicy",
      "Whether its pods take the room of less important ones",
      ({ preemptionPolicy }) => preemptionPolicy ?? "",
    ),
  ],
};

function isDefaultColumn(): Column<PriorityClass> {
  return {
    name: "Global-Default",
    type: "boolean",
    description: "Whether pods without a class get this one",
    priority: 0,
    cell: ({ globalDefault }) => globalDefault ?? false,
  };
}

function systemClass(name: string, value: number, description: string): PriorityClass {
  return { metadata: { name }, value, description, preemptionPolicy: PREEMPTS };
}

/** @spec k8s@1.36 pkg/apis/scheduling/validation ValidatePriorityClass */
function validate(one: PriorityClass): Errors {
  const { metadata, value = 0, preemptionPolicy } = one;
  const name = metadata?.name ?? "";
  const isSystem = name.startsWith(SYSTEM_PREFIX);
  const wrong = isSystem ? systemProblem(one) : undefined;
  const reserved = `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${wrong}`;
  const tooHigh = `maximum allowed value of a user defined priority is ${USER_PRIORITY_MAX}`;
  return [
    ...when(wrong !== undefined, forbidden("metadata.name", reserved)),
    ...when(!isSystem && value > USER_PRIORITY_MAX, forbidden("value", tooHigh)),
    ...requiredOneOf("preemptionPolicy", preemptionPolicy, [PREEMPTS, "Never"]),
  ];
}

/** Why it is none of the system's classes. */
function systemProblem({ metadata, value, globalDefault }: PriorityClass): string | undefined {
  const name = metadata?.name;
  const known = systemPriorityClasses.find((one) => one.metadata?.name === name);
  if (!known) return `${name} is not a known system priority class`;
  if (known.value !== value) return `value of ${name} PriorityClass must be ${known.value}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

/** @spec k8s@1.36 pkg/apis/scheduling/validation ValidatePriorityClassUpdate */
function validateChange(one: PriorityClass, old: PriorityClass): Errors {
  const { preemptionPolicy } = one;
  return [
    ...when(
      (one.value ?? 0) !== (old.value ?? 0),
      forbidden("value", "may not be changed in an update."),
    ),
    ...when(
      preemptionPolicy !== old.preemptionPolicy,
      invalid("preemptionPolicy", preemptionPolicy, FIELD_IMMUTABLE),
    ),
  ];
}
