import type { V1RuntimeClass, V1Toleration } from "../../gen/types.ts";
import { validateTolerations } from "../core/affinity-validation.ts";
import { validateResources } from "../core/resource-validation.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { duplicate, invalid } from "../machinery/field-error.ts";
import type { Kind } from "../machinery/kind.ts";
import { validateDnsLabel } from "../machinery/names.ts";
import { FIELD_IMMUTABLE, validateLabels } from "../machinery/object-meta-validation.ts";
import { sameForm } from "../machinery/older-version.ts";
import type { Resource } from "../machinery/resource.ts";
import { each, invalids, when, type Errors } from "../strategy/checks.ts";
import { ageColumn, nameColumn, textColumn } from "../strategy/columns.ts";
import { plainStrategy } from "../strategy/strategy.ts";

export type RuntimeClass = V1RuntimeClass;

export const RuntimeClass: Kind<RuntimeClass> = {
  group: "node.k8s.io",
  version: "v1",
  kind: "RuntimeClass",
  plural: "runtimeclasses",
  isNamespaced: false,
};

/** @spec k8s@1.36 pkg/registry/node/runtimeclass/strategy.go */
export const runtimeClassResource: Resource<RuntimeClass> = {
  kind: RuntimeClass,
  singular: "runtimeclass",
  strategy: plainStrategy<RuntimeClass>({
    validate,
    validateChange: (one, old) =>
      when(one.handler !== old.handler, invalid("handler", one.handler, FIELD_IMMUTABLE)),
    allowsCreateOnUpdate: true,
    allowsUnconditionalUpdate: false,
  }),
  olderVersions: [sameForm(RuntimeClass, "v1beta1", "1.22", "1.25")],
  columns: [
    nameColumn(),
    textColumn("Handler", "What the nodes' runtime knows it as", ({ handler }) => handler ?? ""),
    ageColumn(),
  ],
};

/** @spec k8s@1.36 pkg/apis/node/validation ValidateRuntimeClass */
function validate({ handler = "", overhead, scheduling }: RuntimeClass): Errors {
  const { nodeSelector, tolerations } = scheduling ?? {};
  return [
    ...invalids("handler", handler, validateDnsLabel(handler)),
    ...validateResources({ limits: overhead?.podFixed ?? {} }, new Set(), "overhead"),
    ...validateLabels(nodeSelector, "scheduling.nodeSelector"),
    ...validateTolerations(tolerations, "scheduling.tolerations"),
    ...each(tolerations, "scheduling.tolerations", (one, path, index) =>
      when(isRepeated(one, tolerations!.slice(0, index)), duplicate(path, one)),
    ),
  ];
}

function isRepeated(toleration: V1Toleration, before: readonly V1Toleration[]): boolean {
  return before.some((other) => equalSemantic(other, toleration));
}
