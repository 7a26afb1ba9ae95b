import type { V1CSIStorageCapacity } from "../../gen/types.ts";
import { equalSemantic } from "../machinery/equality.ts";
import { invalid } from "../machinery/field-error.ts";
import type { Kind } from "../machinery/kind.ts";
import { validateLabelSelector } from "../machinery/label-selector.ts";
import { validateDnsSubdomain } from "../machinery/names.ts";
import { FIELD_IMMUTABLE, IS_NEGATIVE } from "../machinery/object-meta-validation.ts";
import { sameForm } from "../machinery/older-version.ts";
import { canonicalQuantity, parseQuantity, quantityProblem } from "../machinery/quantity.ts";
import type { Resource } from "../machinery/resource.ts";
import { invalids, maybe, when, type Errors } from "../strategy/checks.ts";
import { nameColumn, textColumn } from "../strategy/columns.ts";
import { plainStrategy } from "../strategy/strategy.ts";

export type CSIStorageCapacity = V1CSIStorageCapacity;

export const CSIStorageCapacity: Kind<CSIStorageCapacity> = {
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIStorageCapacity",
  plural: "csistoragecapacities",
  isNamespaced: true,
};

/** @spec k8s@1.36 pkg/registry/storage/csistoragecapacity/strategy.go */
export const csiStorageCapacityResource: Resource<CSIStorageCapacity> = {
  kind: CSIStorageCapacity,
  singular: "csistoragecapacity",
  strategy: plainStrategy<CSIStorageCapacity>({
    validate,
    validateChange,
    allowsUnconditionalUpdate: false,
  }),
  olderVersions: [
    sameForm(CSIStorageCapacity, "v1beta1", "1.24", "1.27"),
    sameForm(CSIStorageCapacity, "v1alpha1", "1.21", "1.24"),
  ],
  columns: [
    nameColumn(),
    textColumn(
      "StorageClassName",
      "For which class it holds",
      ({ storageClassName }) => storageClassName ?? "",
    ),
    textColumn("Capacity", "How much there is", formatCapacity),
  ],
};

function formatCapacity({ capacity }: CSIStorageCapacity): string {
  if (capacity === undefined) return "<unset>";
  return quantityProblem(capacity) === undefined ? canonicalQuantity(capacity) : "";
}

/** @spec k8s@1.36 pkg/apis/storage/validation ValidateCSIStorageCapacity */
function validate({ nodeTopology, storageClassName = "", capacity }: CSIStorageCapacity): Errors {
  return [
    ...maybe(nodeTopology, (selector) => validateLabelSelector(selector, "nodeTopology")),
    ...invalids("storageClassName", storageClassName, validateDnsSubdomain(storageClassName)),
    ...maybe(capacity, (amount) =>
      when(
        quantityProblem(amount) === undefined && parseQuantity(amount).nanos < 0n,
        invalid("capacity", amount, IS_NEGATIVE),
      ),
    ),
  ];
}

/** What was asked does not change, only the answer. @spec ValidateCSIStorageCapacityUpdate */
function validateChange(one: CSIStorageCapacity, old: CSIStorageCapacity): Errors {
  const { nodeTopology, storageClassName } = one;
  return [
    ...when(
      !equalSemantic(nodeTopology, old.nodeTopology),
      invalid("nodeTopology", nodeTopology, FIELD_IMMUTABLE),
    ),
    ...when(
      storageClassName !== old.storageClassName,
      invalid("storageClassName", storageClassName, FIELD_IMMUTABLE),
    ),
  ];
}
